import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { createSphinxClient, type SphinxRow } from '../src/connectors/sphinx/sphinx-client.ts';
import { eventually } from './eventually.ts';

const { signal } = new AbortController();

/** A searchd of Sphinx of a test's own, on a free port, with RT indexes and plain ones over files of CSV. */
export interface SphinxServer extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly config: string;
  /** Runs statements, one after the other. */
  run(...statements: readonly string[]): Promise<readonly SphinxRow[]>;
  /** Makes plain indexes anew from their files. */
  index(name: string, csv: string): void;
  kill(): Promise<void>;
}

const PLAIN = ['posts', 'posts_delta'];

export async function startSphinx(): Promise<SphinxServer> {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-sphinx-'));
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'sphinx.conf');
  for (const name of ['data', 'binlog']) mkdirSync(join(folder, name));
  for (const name of PLAIN) writeFileSync(join(folder, `${name}.csv`), '999999,1,none,none,0\n');
  writeFileSync(config, configOf(folder, port));
  const indexer = (...args: readonly string[]) => {
    const { status, stdout } = spawnSync('indexer', ['--config', config, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`indexer ended with ${status}: ${stdout}`);
  };
  indexer(...PLAIN);
  const child: ChildProcess = spawn('searchd', ['--config', config, '--nodetach'], { stdio: 'ignore' });
  const client = createSphinxClient({ host: '127.0.0.1', port }, 'test');
  await eventually(
    'searchd answers',
    () =>
      client.ask('SHOW TABLES', { signal }).then(
        (tables) => tables.length > PLAIN.length,
        () => false,
      ),
    60,
  );
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  const run = async (...statements: readonly string[]) => {
    let last: readonly SphinxRow[] = [];
    for (const statement of statements) last = await client.ask(statement, { signal });
    return last;
  };
  return {
    url: `mysql://127.0.0.1:${port}`,
    folder,
    config,
    run,
    index(name, csv) {
      writeFileSync(join(folder, `${name}.csv`), csv);
      indexer(name, '--rotate');
    },
    kill,
    async [Symbol.asyncDispose]() {
      client.close();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(folder: string, port: number): string {
  const plain = PLAIN.map(
    (name) => `
source ${name}
{
  type = csvpipe
  csvpipe_command = cat ${folder}/${name}.csv
  csvpipe_attr_uint = author_id
  csvpipe_field_string = email
  csvpipe_field = body
  csvpipe_attr_uint = deleted
}
index ${name}
{
  source = ${name}
  path = ${folder}/data/${name}
}
`,
  );
  const live = ['people', 'notes'].map(
    (name) => `
index ${name}
{
  type = rt
  path = ${folder}/data/${name}
  rt_field = body
  rt_field = email
  rt_attr_string = email
  rt_attr_uint = author_id
  rt_attr_bigint = big
  rt_attr_json = profile
  rt_attr_multi = tags
}
`,
  );
  return `${plain.join('')}${live.join('')}
searchd
{
  listen = 127.0.0.1:${port}:mysql41
  log = ${folder}/searchd.log
  query_log = ${folder}/query.log
  query_log_format = plain
  pid_file = ${folder}/searchd.pid
  binlog_path = ${folder}/binlog
  workers = threads
}
`;
}
