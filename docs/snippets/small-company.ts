import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { freePorts } from '../../examples/acme/free-ports.ts';
import { cliParts } from '../../packages/server/src/main.ts';
import { createTestDatabase } from '../../packages/server/test/database.ts';
import { eventually } from '../../packages/server/test/eventually.ts';
import { serveMetrics } from '../../packages/server/test/page-server.ts';
import { type CommandHost, startCommandHost } from './command-host.ts';
import { ROOT } from './pages.ts';
import { runShell, type Stage } from './story.ts';

/** What a reader has before the first page: a checkout, a database with people, and a PostgreSQL for the state. */
const SCHEMA = `
  create table customers (id int primary key, email text not null unique, name text);
  create table orders (
    id int primary key,
    customer_id int not null references customers,
    total numeric not null,
    address text
  );
  insert into customers values (1, 'ada@example.org', 'Ada'), (2, 'bob@example.org', 'Bob'), (3, 'cy@example.org', 'Cy');
  insert into orders values (1, 1, 10, 'Main Street 1'), (2, 1, 20, 'Main Street 1'), (3, 2, 30, 'Side Street 2'), (4, 3, 5, null);
`;

/** A small company, in which the pages are tried. Everything in it is real. */
export interface SmallCompany extends Stage, AsyncDisposable {
  readonly host: CommandHost;
  /** The database with people. */
  readonly shopUrl: string;
  /** A metrics page whose text the story writes. */
  readonly metrics: { readonly url: string; text: string };
  /** Free ports for services, by the ports of the pages. */
  readonly ports: Readonly<Record<'1337' | '1338' | '1339' | '1340', string>>;
  /** Runs one line that is not on a page, and gives what it printed. */
  shell(line: string, given?: Readonly<Record<string, string>>): Promise<string>;
  /** Runs it as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the stories compare what programs printed, whatever it is.
  json(line: string): Promise<any>;
  /** Starts a program that goes on until the end, and waits until its port answers. */
  start(line: string, given: Readonly<Record<string, string>>, port: string): Promise<void>;
  /** Puts keys into habeas.yaml, as a person edits it. Undefined removes a key. */
  configure(changes: Readonly<Record<string, unknown>>): void;
  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export async function startSmallCompany(): Promise<SmallCompany> {
  mkdirSync(join(ROOT, '.habeas'), { recursive: true });
  // Inside the project, so that what a service imports is found as in a checkout.
  const folder = mkdtempSync(join(ROOT, '.habeas', 'stories-'));
  const own = mkdtempSync(join(tmpdir(), 'habeas-host-'));
  const state = await createTestDatabase();
  const shop = await createTestDatabase();
  await onDatabase(shop.url, SCHEMA);
  const [server = 0, ...services] = await freePorts(5);
  const port = (index: number) => String(services[index]);
  const ports = { '1337': port(0), '1338': port(1), '1339': port(2), '1340': port(3) };
  copyExamples(folder, ports);
  const host = await startCommandHost({ folder: own, parts: cliParts, port: server });
  const metrics = await serveMetrics('');
  const running: (() => Promise<void>)[] = [];
  const path = [host.bin, dirname(process.execPath), process.env.PATH].join(delimiter);
  const { HABEAS_URL: _, HABEAS_API_KEY: __, HABEAS_MASTER_KEY: ___, ...rest } = process.env;
  const environment = () => ({
    ...rest,
    ...host.known,
    PATH: path,
    DATABASE_URL: state.url,
    SHOP_DATABASE_URL: shop.url,
  });
  const stage: Stage = { folder, environment };
  const configFile = join(folder, 'habeas.yaml');

  const shell = async (line: string, given: Readonly<Record<string, string>> = {}): Promise<string> => {
    const { out, notes, exit } = await runShell(line, stage, given);
    if (exit !== 0) throw new Error(`${line} ended with ${exit}: ${out}${notes}`);
    return out;
  };
  return {
    ...stage,
    host,
    ports,
    metrics,
    shopUrl: shop.url,
    shell,
    json: async (line) => JSON.parse(await shell(line)),
    query: (text) => onDatabase(shop.url, text),
    configure(changes) {
      const config = parse(readFileSync(configFile, 'utf8'));
      writeFileSync(configFile, stringify(merged(config, changes)));
    },
    async start(line, given, port) {
      // The program ends with its group, which ends when our end of the pipe closes: also when this process is killed.
      const child = spawn('sh', ['-u', '-c', `${line} &\ncat > /dev/null; kill 0`], {
        cwd: folder,
        env: { ...environment(), ...given },
        detached: true,
        stdio: ['pipe', 'ignore', 'inherit'],
      });
      const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
      running.push(async () => {
        child.stdin.end();
        await closed;
      });
      await eventually(`${line} answers on port ${port}`, async () => {
        return fetch(`http://127.0.0.1:${port}/`).then(
          () => true,
          // A gRPC server answers HTTP/1.1 with something that is none; it listens all the same.
          (error: unknown) => error instanceof Error && !String(error.cause).includes('ECONNREFUSED'),
        );
      });
    },
    async [Symbol.asyncDispose]() {
      await host.close();
      for (const stop of running) await stop();
      await metrics.close();
      await state.close();
      await shop.close();
      rmSync(folder, { recursive: true, force: true });
      rmSync(own, { recursive: true, force: true });
    },
  };
}

/** The examples at the paths at which the pages have them, on ports that are free here. */
function copyExamples(folder: string, ports: Readonly<Record<string, string>>): void {
  cpSync(join(ROOT, 'packages/sdk/examples'), join(folder, 'packages/sdk/examples'), { recursive: true });
  cpSync(join(ROOT, 'docs/examples'), folder, { recursive: true });
  for (const name of ['accounts', 'mailer']) {
    const file = join(folder, 'packages/sdk/examples', `${name}.ts`);
    writeFileSync(file, withPorts(readFileSync(file, 'utf8'), ports));
  }
  const file = join(folder, 'over-grpc.mjs');
  const here = join(ROOT, 'packages/contract/proto');
  writeFileSync(
    file,
    readFileSync(file, 'utf8')
      .replace("'../../packages/contract/proto'", JSON.stringify(`${here}`))
      .replace('import.meta.url', "'file:///'"),
  );
}

/** A text of a page with the ports of this company. */
export function withPorts(text: string, ports: Readonly<Record<string, string>>): string {
  return Object.entries(ports).reduce((changed, [from, to]) => changed.replaceAll(from, to), text);
}

function merged(config: unknown, changes: unknown): unknown {
  if (!isObject(config) || !isObject(changes)) return changes;
  const all = { ...config };
  for (const [key, value] of Object.entries(changes)) all[key] = merged(all[key], value);
  return all;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function onDatabase(url: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const answer = await client.query(text);
    return 'rows' in answer ? answer.rows : [];
  } finally {
    await client.end();
  }
}
