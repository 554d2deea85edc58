import pg from 'pg';
import Cursor from 'pg-cursor';
import { HabeasError } from '../../foundation/index.ts';
import {
  refuseWhenOver,
  type SqlTransaction,
  type StreamOptions,
  type Text,
  type TextBatch,
  type TextRow,
} from '../sql/index.ts';
import { CopyRows } from './copy-rows.ts';
import { fromPostgresError } from './postgres-error.ts';
import { redshiftRefusal } from './refuse-redshift.ts';
import { POSTGRES_SESSION, type SessionWays } from './session-ways.ts';

export interface BeginOptions {
  readonly pool: pg.Pool;
  /** Names the system in errors. */
  readonly system: string;
  readonly signal: AbortSignal;
  /** `snapshot`: everything is read as it was at one instant. `change`: rows are locked as they are found. */
  readonly isolation: 'snapshot' | 'change';
  /** Hears of every failure before it is thrown. */
  readonly onError?: (error: HabeasError) => void;
  /** (Default: those of PostgreSQL itself) */
  readonly ways?: SessionWays;
}

const CANCEL_TIMEOUT_MILLISECONDS = 10_000;

const AS_TEXT: pg.CustomTypesConfig = { getTypeParser: () => (value: unknown) => value };

/** How much one fetch of a stream should bring. */
const FETCH_BYTES = 256 * 1024;
const FIRST_FETCH_ROWS = 50;
const MOST_FETCH_ROWS = 1_000;

/** One transaction on a connection of its own. Rolled back unless it is committed; an abort ends the running statement. */
export class Transaction implements SqlTransaction {
  readonly #client: pg.PoolClient;
  readonly #options: BeginOptions;
  readonly #backend: string;
  readonly #ways: SessionWays;
  readonly #settings = new Map<'now' | 'salt', string>();
  /** The server writes the texts as they are, so that a value costs nothing here but its bytes. */
  readonly texts?: (text: string) => AsyncGenerator<TextBatch>;
  #open = true;
  #isOver = false;
  readonly #onAbort: () => void;
  #cancelling = Promise.resolve();

  private constructor(client: pg.PoolClient, options: BeginOptions, backend: string) {
    this.#client = client;
    this.#options = options;
    this.#backend = backend;
    this.#ways = options.ways ?? POSTGRES_SESSION;
    if (this.#ways.copies) this.texts = (text) => this.#copy(text);
    this.#onAbort = () => {
      this.#cancelling = this.#cancel();
    };
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  static async begin(options: BeginOptions): Promise<Transaction> {
    throwIfAborted(options);
    let client: pg.PoolClient | undefined;
    try {
      client = await options.pool.connect();
      await client.query((options.ways ?? POSTGRES_SESSION).begin(options.isolation).join('; '));
      const { rows } = await client.query<[string]>({
        text: 'select pg_backend_pid()',
        rowMode: 'array',
        types: AS_TEXT,
      });
      return new Transaction(client, options, rows[0]?.[0] ?? '0');
    } catch (error) {
      const refusal =
        client && options.ways === undefined
          ? await redshiftRefusal(client, options.system, error)
          : undefined;
      client?.release(true);
      throw refusal ?? fromPostgresError(error, options.system);
    }
  }

  /** All rows of a small result. */
  async rows(text: string, values: readonly unknown[] = []): Promise<readonly TextRow[]> {
    return (await this.#run(text, values)).rows;
  }

  /** How many rows a statement changed. */
  async change(text: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.#run(text, values)).rowCount ?? 0;
  }

  put(name: 'now' | 'salt', value: string): void {
    this.#settings.set(name, value);
  }

  /** Several statements without values in one round trip. */
  async script(statements: readonly string[]): Promise<void> {
    if (statements.length === 0) return;
    this.#check();
    try {
      await this.#client.query(this.#filled(statements.join(';\n')));
    } catch (error) {
      throw this.#translate(error);
    }
  }

  /**
   * Rows in batches, the next one on its way while one is used. A batch is about a megabyte, whatever the width of the rows, so that
   * memory does not follow the result.
   */
  async *stream(text: string, options: StreamOptions = {}): AsyncGenerator<readonly TextRow[]> {
    this.#check();
    const cursor = this.#client.query(
      new Cursor<TextRow>(this.#filled(text), [], { rowMode: 'array', types: AS_TEXT }),
    );
    const most = options.mostRows ?? MOST_FETCH_ROWS;
    let rows = Math.min(most, FIRST_FETCH_ROWS);
    try {
      let batch = await cursor.read(rows);
      while (batch.length > 0) {
        const width = Math.max(1, bytesOf(batch) / batch.length);
        rows = Math.max(1, Math.min(most, rows * 4, Math.floor(FETCH_BYTES / width)));
        const next = cursor.read(rows);
        // Its failure is thrown below; until then it must not count as unhandled.
        next.catch(() => undefined);
        yield batch;
        this.#check();
        batch = await next;
      }
    } catch (error) {
      throw this.#translate(error);
    } finally {
      await cursor.close().catch(() => {
        // The cursor is gone with its failed transaction; that failure is what is thrown.
      });
    }
  }

  async *#copy(text: string): AsyncGenerator<TextBatch> {
    this.#check();
    const copy = new CopyRows(`copy (${text}) to stdout (format binary)`);
    let isRead = false;
    try {
      this.#client.query(copy);
      for await (const batch of copy.batches()) {
        yield batch;
        this.#check();
      }
      isRead = true;
    } catch (error) {
      isRead = copy.isOver;
      throw this.#translate(error);
    } finally {
      // The rest of a copy that nobody reads would stand before the next answer.
      if (!isRead) await this.#end(true);
    }
  }

  async commit(): Promise<void> {
    this.#check();
    this.#isOver = true;
    try {
      await this.#client.query('commit');
    } catch (error) {
      throw this.#translate(error);
    }
    await this.#end(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#isOver = true;
    try {
      await this.#client.query('rollback');
      await this.#end(false);
    } catch {
      // A connection that cannot even roll back is closed, and the server then rolls back by itself.
      await this.#end(true);
    }
  }

  async #run(text: string, values: readonly unknown[]): Promise<pg.QueryArrayResult<Text[]>> {
    this.#check();
    try {
      return await this.#client.query<Text[]>({
        text: this.#filled(text),
        values: [...values],
        rowMode: 'array',
        types: AS_TEXT,
      });
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #filled(text: string): string {
    return this.#ways.fill?.(text, this.#settings) ?? text;
  }

  #check(): void {
    throwIfAborted(this.#options);
    refuseWhenOver(this.#isOver, this.#options.system);
  }

  #translate(error: unknown): HabeasError {
    const translated = this.#options.signal.aborted
      ? aborted(this.#options)
      : fromPostgresError(error, this.#options.system);
    this.#options.onError?.(translated);
    return translated;
  }

  async #end(destroy: boolean): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#isOver = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    // It would end a statement of who has the connection next.
    await this.#cancelling;
    this.#client.release(destroy);
  }

  async #cancel(): Promise<void> {
    const { connectionString } = this.#options.pool.options;
    const other = new pg.Client({
      connectionString,
      application_name: 'habeas cancel',
      connectionTimeoutMillis: CANCEL_TIMEOUT_MILLISECONDS,
    });
    other.on('error', () => undefined);
    try {
      await other.connect();
      // The connection may have gone back to the pool meanwhile; then there is nothing to cancel.
      if (this.#open) await other.query('select pg_cancel_backend($1)', [Number(this.#backend)]);
    } catch {
      // The statement then ends by itself; no further one is started, because the signal is aborted.
    } finally {
      await other.end().catch(() => undefined);
    }
  }
}

function throwIfAborted(options: BeginOptions): void {
  if (options.signal.aborted) throw aborted(options);
}

function aborted(options: BeginOptions): HabeasError {
  return new HabeasError(
    'SYSTEM_TIMEOUT',
    `The work on ${options.system} was stopped before it was done; nothing of it was kept.`,
    {
      cause: options.signal.reason,
      retryable: true,
    },
  );
}

function bytesOf(batch: readonly TextRow[]): number {
  let bytes = 0;
  for (const row of batch) for (const value of row) bytes += value === null ? 1 : value.length;
  return bytes;
}
