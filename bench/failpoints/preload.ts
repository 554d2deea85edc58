import { appendFileSync, existsSync, readFileSync, renameSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import pg from 'pg';
import { describeWrite, OpenWrites } from './name-writes.ts';

/**
 * Loaded into the server before everything else: each commit of it and each call of it to others becomes two failpoints, one before and
 * one after, named after what is written or called. On SIGUSR2 the server reads its orders: to note the names that it comes by, or to kill
 * itself at one of them, as `kill -9` would.
 */
const folder = process.env.HABEAS_FAILPOINTS ?? '';
let orders: { readonly kill?: string; readonly note?: boolean } = {};

function passes(name: string): void {
  if (orders.note === true) appendFileSync(join(folder, 'noted'), `${name}\n`);
  if (orders.kill !== name) return;
  appendFileSync(join(folder, 'killed'), `${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}

process.on('SIGUSR2', () => {
  const file = join(folder, 'orders.json');
  if (!existsSync(file)) return;
  orders = JSON.parse(readFileSync(file, 'utf8'));
  renameSync(file, join(folder, 'orders-read.json'));
});

const writes = new WeakMap<pg.Client, OpenWrites>();
const query = pg.Client.prototype.query as (...values: unknown[]) => unknown;

/** What a statement commits: a transaction's writes, or, outside of one, its own. */
function committedBy(client: pg.Client, text: string, values: readonly unknown[]): string | undefined {
  const open = writes.get(client);
  if (/^\s*begin/i.test(text)) {
    writes.set(client, new OpenWrites());
    return undefined;
  }
  if (/^\s*(commit|rollback)\s*$/i.test(text)) {
    writes.delete(client);
    return /commit/i.test(text) ? open?.describe() : undefined;
  }
  if (open === undefined) return describeWrite(text, values);
  open.add(text, values);
  return undefined;
}

pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]): unknown {
  const [statement, values] = given as [string | { text?: string; values?: unknown[] } | undefined, unknown];
  const text = typeof statement === 'string' ? statement : (statement?.text ?? '');
  const bound = Array.isArray(values) ? values : ((statement as { values?: unknown[] })?.values ?? []);
  const what = committedBy(this, text, bound);
  if (what === undefined) return query.apply(this, given);
  const name = `commit of ${what}`;
  passes(`before ${name}`);
  const answer = query.apply(this, given);
  if (!(answer instanceof Promise)) return answer;
  return answer.then((result) => {
    passes(`after ${name}`);
    return result;
  });
} as typeof pg.Client.prototype.query;

/** Without what differs from call to call. */
function nameOfCall(path: string): string {
  return `call of ${path.replace(/\?.*$/, '').replace(/op_[0-9a-f]+/, 'op')}`;
}

const connect = http2.connect;
http2.connect = function (this: unknown, ...given: unknown[]) {
  const session = Reflect.apply(connect, this, given) as http2.ClientHttp2Session;
  const request = session.request.bind(session);
  session.request = (headers, options) => {
    const name = nameOfCall(String((headers as http2.OutgoingHttpHeaders | undefined)?.[':path'] ?? '/'));
    passes(`before ${name}`);
    const stream = request(headers, options);
    stream.prependOnceListener('response', () => passes(`after ${name}`));
    return stream;
  };
  return session;
} as typeof http2.connect;

const httpRequest = http.request;
http.request = function (this: unknown, ...given: unknown[]) {
  const request = Reflect.apply(httpRequest, this, given) as http.ClientRequest;
  const name = nameOfCall(request.path);
  passes(`before ${name}`);
  request.prependOnceListener('response', () => passes(`after ${name}`));
  return request;
} as typeof http.request;
syncBuiltinESMExports();
