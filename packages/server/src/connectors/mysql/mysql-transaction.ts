import { createConnection, type Pool, type PoolConnection, type PoolOptions } from 'mysql2';
import { HabeasError } from '../../foundation/index.ts';
import {
  type BeginOptions,
  refuseWhenOver,
  type SqlTransaction,
  type StreamOptions,
  type Text,
  type TextRow,
} from '../sql/index.ts';
import { fromMysqlError } from './mysql-error.ts';
import { positional } from './positional.ts';
import { type Product, productOf, sessionOf } from './product.ts';
import { singleReads } from './single-reads.ts';

const MOST_FETCH_ROWS = 1_000;
const FETCH_CHARACTERS = 1024 * 1024;

export interface MysqlServer {
  readonly pool: Pool;
  readonly address: PoolOptions;
  /** Names the system in errors. */
  readonly system: string;
  /** Known when a transaction has begun. */
  product: Product | undefined;
}

/** One transaction on a connection of its own. An abort ends the running statement by a second connection. */
export class MysqlTransaction implements SqlTransaction {
  readonly #server: MysqlServer;
  readonly #connection: PoolConnection;
  readonly #options: BeginOptions;
  readonly #onAbort: () => void;
  #open = true;
  #isOver = false;

  private constructor(server: MysqlServer, connection: PoolConnection, options: BeginOptions) {
    this.#server = server;
    this.#connection = connection;
    this.#options = options;
    this.#onAbort = () => this.#cancel();
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  static async begin(server: MysqlServer, options: BeginOptions): Promise<MysqlTransaction> {
    throwIfAborted(options, server.system);
    let connection: PoolConnection;
    try {
      connection = await new Promise<PoolConnection>((resolve, reject) =>
        server.pool.getConnection((error, taken) => (error === null ? resolve(taken) : reject(error))),
      );
    } catch (error) {
      throw fromMysqlError(error, server.system);
    }
    const transaction = new MysqlTransaction(server, connection, options);
    try {
      server.product ??= productOf((await transaction.rows('select version()'))[0]?.[0] ?? '');
      await transaction.script([...sessionOf(server.product), 'start transaction']);
      return transaction;
    } catch (error) {
      transaction.#end(true);
      throw error;
    }
  }

  async rows(text: string, values: readonly unknown[] = []): Promise<readonly TextRow[]> {
    const result = await this.#run(text, values);
    return Array.isArray(result) ? result.map((row) => (row as readonly unknown[]).map(asText)) : [];
  }

  async change(text: string, values: readonly unknown[] = []): Promise<number> {
    const result = await this.#run(text, values);
    return (result as { readonly affectedRows?: number }).affectedRows ?? 0;
  }

  async script(statements: readonly string[]): Promise<void> {
    for (const statement of statements) {
      this.#check();
      await this.#ask((done) => this.#connection.query(statement, done));
    }
  }

  async *stream(text: string, options: StreamOptions = {}): AsyncGenerator<readonly TextRow[]> {
    this.#check();
    const most = options.mostRows ?? MOST_FETCH_ROWS;
    // Asked without values, so that the driver has nothing to put into the text.
    const sql = await this.#prepare(text);
    const rows = this.#connection.query({ sql, rowsAsArray: true }).stream({ highWaterMark: most });
    let batch: Text[][] = [];
    let characters = 0;
    let isRead = false;
    try {
      for await (const row of rows) {
        const texts = (row as readonly unknown[]).map(asText);
        batch.push(texts);
        for (const value of texts) characters += value?.length ?? 1;
        if (batch.length < most && characters < FETCH_CHARACTERS) continue;
        yield batch;
        this.#check();
        batch = [];
        characters = 0;
      }
      isRead = true;
      if (batch.length > 0) yield batch;
    } catch (error) {
      isRead = true;
      throw this.#translate(error);
    } finally {
      // The rest of a result that nobody reads would stand before the next answer.
      if (!isRead) this.#end(true);
    }
  }

  async commit(): Promise<void> {
    this.#check();
    this.#isOver = true;
    await this.#ask((done) => this.#connection.query('commit', done));
    this.#end(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#isOver = true;
    // One that was ended in its statement may be in any state; the server rolls back what its connection left.
    if (this.#options.signal.aborted) return this.#end(true);
    try {
      await this.#ask((done) => this.#connection.query('rollback', done));
      this.#end(false);
    } catch {
      // A connection that does not even roll back is broken; the server rolls back when it is gone.
      this.#end(true);
    }
  }

  async #run(text: string, values: readonly unknown[]): Promise<unknown> {
    this.#check();
    const { sql, values: given } = positional(await this.#prepare(text), values);
    return await this.#ask((done) =>
      this.#connection.execute({ sql, values: given, rowsAsArray: true }, done),
    );
  }

  /** The text as this server can run it, with what has to be there for it. */
  async #prepare(text: string): Promise<string> {
    if (this.#server.product !== 'MySQL') return text;
    const { copies, text: single } = singleReads(text);
    await this.script(copies);
    return single;
  }

  async #ask(ask: (done: (error: unknown, result: unknown) => void) => void): Promise<unknown> {
    try {
      return await new Promise((resolve, reject) => {
        ask((error, result) => (error == null ? resolve(result) : reject(error)));
      });
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #translate(error: unknown): HabeasError {
    if (this.#options.signal.aborted) return aborted(this.#options, this.#server.system);
    const known = fromMysqlError(error, this.#server.system);
    this.#options.onError(known);
    return known;
  }

  #check(): void {
    throwIfAborted(this.#options, this.#server.system);
    refuseWhenOver(this.#isOver, this.#server.system);
  }

  #end(destroy: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    this.#isOver = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    if (destroy) this.#connection.destroy();
    else this.#connection.release();
  }

  #cancel(): void {
    const { threadId } = this.#connection;
    const other = createConnection(this.#server.address);
    other.on('error', () => undefined);
    // If it fails the statement ends by itself; no further one is started, because the signal is aborted.
    if (this.#open) other.query(`kill query ${Number(threadId)}`, () => other.end());
    else other.end();
  }
}

function asText(value: unknown): Text {
  if (value === null || value === undefined) return null;
  return Buffer.isBuffer(value) ? value.toString('utf8') : `${value}`;
}

function throwIfAborted(options: BeginOptions, system: string): void {
  if (options.signal.aborted) throw aborted(options, system);
}

function aborted({ signal }: BeginOptions, system: string): HabeasError {
  return new HabeasError(
    'SYSTEM_TIMEOUT',
    `The work on ${system} was stopped before it was done; nothing of it was kept.`,
    { cause: signal.reason, retryable: true },
  );
}
