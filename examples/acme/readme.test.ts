import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { requireProgram } from '../../packages/server/test/requirements.ts';
import { freePorts } from './free-ports.ts';

const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
const root = join(import.meta.dirname, '../..');

it.skipIf(requireProgram('curl', '--version') === undefined)(
  'its commands run a service by hand and answer a ticket',
  async () => {
    const [start = '', ask = ''] = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, text]) => text ?? '');
    const [port = 0] = await freePorts(1);
    const data = mkdtempSync(join(tmpdir(), 'acme-readme-'));
    const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
    const options = { cwd: root, env: { ...process.env, PATH: path, DATA: data } };
    const own = (text: string) => text.replaceAll('7404', String(port));
    const service = spawn('sh', ['-c', `exec ${own(start)}`], { ...options, stdio: 'ignore' });
    try {
      await vi.waitUntil(
        async () => (await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined))?.ok,
        { timeout: 15_000, interval: 20 },
      );
      const { stdout } = await promisify(execFile)('sh', ['-c', own(ask)], options);
      expect(stdout).toContain('store{team="data",service="analytics"');
      const count = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      expect(count).toEqual({ files: 6, lines: expect.any(Number), unreadable: 0 });
      expect(count.lines).toBeGreaterThan(0);
    } finally {
      service.kill();
      rmSync(data, { recursive: true });
    }
  },
);
