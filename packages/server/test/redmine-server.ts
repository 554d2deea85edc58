import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { eventually } from './eventually.ts';

export interface RedmineIssue {
  readonly id: number;
  readonly subject: string;
  readonly description: string;
  readonly status: { readonly name: string; readonly is_closed: boolean };
}

/** Who has a key: both managers may do all; the trainee adds and edits issues, but sets no status. */
type Person = 'habeas' | 'grace' | 'trainee';

/**
 * A real Redmine, as Debian has it, on a free port of loopback: the program itself with a SQLite database in a folder that goes with it.
 * Nothing of an installation that is in use is touched.
 */
export interface RedmineServer extends AsyncDisposable {
  readonly url: string;
  readonly keys: Readonly<Record<Person, string>>;
  /** Issues whose subject has this text, as somebody of the team sees them. */
  issues(text: string): Promise<readonly RedmineIssue[]>;
  /** What was written into an issue after it was made, oldest first. */
  comments(id: number): Promise<readonly string[]>;
  /** What a person of the team does there: moves the issue to the status of this name. */
  move(id: number, status: string): Promise<void>;
  /** The bytes of its database. */
  stored(): string;
  /** Ends it with SIGKILL, like a server that is down. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it knew. */
  start(): Promise<void>;
}

/** Loading takes some seconds, and longer on a machine that is busy. */
const START_SECONDS = 120;

/** From the folder in which Redmine is installed. */
export async function startRedmine(installed: string): Promise<RedmineServer> {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-redmine-'));
  for (const name of ['config', 'tmp', 'log', 'files', 'public']) mkdirSync(join(folder, name));
  const database = join(folder, 'redmine.db');
  const settings = { adapter: 'sqlite3', database, encoding: 'utf8', timeout: 10_000 };
  // JSON is YAML.
  writeFileSync(join(folder, 'config/database.yml'), JSON.stringify({ production: settings }));
  writeFileSync(join(folder, 'config/secret_key.txt'), randomBytes(32).toString('hex'));
  const gemfile = join(folder, 'Gemfile');
  writeFileSync(
    gemfile,
    `eval_gemfile '${installed}/Gemfile'\ngem 'sqlite3', '~> 1.4.0', platforms: [:mri, :mingw, :x64_mingw]\ngem 'webrick'\n`,
  );
  const keys = { habeas: newKey(), grace: newKey(), trainee: newKey() };
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const output = join(folder, 'output');

  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { 'x-redmine-api-key': keys.grace, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Redmine answered ${method} ${path} with ${answer.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };

  let child = launch();
  function launch() {
    const log = openSync(output, 'a');
    const args = ['-E', 'production', '-s', 'webrick', '-o', '127.0.0.1', '-p', String(port)];
    return spawn('rackup', [...args, join(import.meta.dirname, 'redmine.ru')], {
      cwd: installed,
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        RAILS_ENV: 'production',
        BUNDLE_GEMFILE: gemfile,
        // Debian's Redmine has many instances, each named by its folder below its own; from there it is a way up, and down to ours.
        REDMINE_INSTANCE: `${'../'.repeat(12)}${folder.slice(1)}`,
        HABEAS_REDMINE: installed,
        HABEAS_KEY_HABEAS: keys.habeas,
        HABEAS_KEY_GRACE: keys.grace,
        HABEAS_KEY_TRAINEE: keys.trainee,
      },
    });
  }
  async function answers(): Promise<void> {
    await eventually(
      'Redmine answers',
      async () => {
        if (child.exitCode !== null)
          throw new Error(`Redmine ended: ${readFileSync(output, 'utf8').slice(-2_000)}`);
        return (await fetch(`${url}/issue_statuses.json`).catch(() => undefined))?.ok === true;
      },
      START_SECONDS,
    );
  }
  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  await answers();
  return {
    url,
    keys,
    async issues(text) {
      const query = new URLSearchParams({ subject: `~${text}`, status_id: '*', sort: 'id' });
      return ((await call('GET', `/issues.json?${query}`)) as { issues: RedmineIssue[] }).issues;
    },
    async comments(id) {
      const { issue } = (await call('GET', `/issues/${id}.json?include=journals`)) as {
        issue: { journals: { notes: string }[] };
      };
      return issue.journals.map(({ notes }) => notes).filter((notes) => notes !== '');
    },
    async move(id, status) {
      const { issue_statuses: all } = (await call('GET', '/issue_statuses.json')) as {
        issue_statuses: { id: number; name: string }[];
      };
      const to = all.find(({ name }) => name === status);
      if (to === undefined) throw new Error(`Redmine has no status ${status}.`);
      await call('PUT', `/issues/${id}.json`, { issue: { status_id: to.id } });
    },
    stored: () => readFileSync(database, 'latin1'),
    kill,
    async start() {
      child = launch();
      await answers();
    },
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function newKey(): string {
  return randomBytes(20).toString('hex');
}
