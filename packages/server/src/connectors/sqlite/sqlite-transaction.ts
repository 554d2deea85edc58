import { HabeasError } from '../../foundation/index.ts';
import {
  type BeginOptions,
  type KeyedTable,
  refuseWhenOver,
  type SqlTransaction,
  type StreamOptions,
  type TextRow,
} from '../sql/index.ts';
import { deletionsByLists } from './delete-keys.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteConnections } from './sqlite-connections.ts';

/** How much one fetch of a stream should bring. */
const FETCH_CHARACTERS = 1024 * 1024;
const MOST_FETCH_ROWS = 1_000;

/** One transaction on a thread of its own. An abort ends the thread, and the file is rolled back when it is closed. */
export class SqliteTransaction implements SqlTransaction {
  readonly queues = true;
  readonly #connections: SqliteConnections;
  readonly #connection: SqliteConnection;
  readonly #options: BeginOptions;
  readonly #onAbort: () => void;
  #open = true;
  #isOver = false;

  private constructor(connections: SqliteConnections, connection: SqliteConnection, options: BeginOptions) {
    this.#connections = connections;
    this.#connection = connection;
    this.#options = options;
    this.#onAbort = () => void connection.close();
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  static async begin(connections: SqliteConnections, options: BeginOptions): Promise<SqliteTransaction> {
    throwIfAborted(options, connections.system);
    const connection = await connections.take(options.signal);
    const transaction = new SqliteTransaction(connections, connection, options);
    try {
      // A transaction that changes locks the file at once, so that none fails half way because of another.
      await transaction.script([options.isolation === 'change' ? 'begin immediate' : 'begin']);
      return transaction;
    } catch (error) {
      await transaction.#end(true);
      throw error;
    }
  }

  async rows(text: string, values: readonly unknown[] = []): Promise<readonly TextRow[]> {
    return await this.#run(() => this.#connection.rows(text, values));
  }

  async change(text: string, values: readonly unknown[] = []): Promise<number> {
    return await this.#run(() => this.#connection.change(text, values));
  }

  async deleteKeys(from: KeyedTable, parts: readonly string[]): Promise<number> {
    const lists = deletionsByLists(from, parts);
    return await this.#run(() =>
      lists === undefined ? this.#connection.deleteEach(from, parts) : this.#connection.changeEach(lists),
    );
  }

  put(name: 'now' | 'salt', value: string): void {
    this.#connection.put(name, value);
  }

  async script(statements: readonly string[]): Promise<void> {
    if (statements.length > 0) await this.#run(() => this.#connection.script(statements));
  }

  async *stream(text: string, options: StreamOptions = {}): AsyncGenerator<readonly TextRow[]> {
    const stream = await this.#run(() => this.#connection.open(text));
    const most = options.mostRows ?? MOST_FETCH_ROWS;
    const fetch = () => {
      const fetched = this.#run(() => stream.next(most, FETCH_CHARACTERS));
      // Its failure is thrown when it is waited for; until then it must not count as unhandled.
      fetched.catch(() => undefined);
      return fetched;
    };
    try {
      // The next rows are on their way while some are used.
      for (let batch = await fetch(); batch.length > 0; ) {
        const next = fetch();
        yield batch;
        batch = await next;
      }
    } finally {
      await stream.close();
    }
  }

  async commit(): Promise<void> {
    const committed = this.#run(() => this.#connection.script(['commit']));
    this.#isOver = true;
    await committed;
    await this.#end(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#isOver = true;
    try {
      await this.#connection.script(['rollback']);
      await this.#end(false);
    } catch {
      // A thread that cannot even roll back is ended, and SQLite rolls back when its file is opened again.
      await this.#end(true);
    }
  }

  async #run<Result>(act: () => Promise<Result>): Promise<Result> {
    const { system } = this.#connections;
    throwIfAborted(this.#options, system);
    refuseWhenOver(this.#isOver, system);
    try {
      return await act();
    } catch (error) {
      throwIfAborted(this.#options, system);
      const known = this.#connections.translate(error);
      this.#options.onError(known);
      throw known;
    }
  }

  async #end(destroy: boolean): Promise<void> {
    this.#open = false;
    this.#isOver = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    await this.#connections.giveBack(this.#connection, destroy);
  }
}

function throwIfAborted({ signal }: BeginOptions, system: string): void {
  if (!signal.aborted) return;
  throw new HabeasError(
    'SYSTEM_TIMEOUT',
    `The work on ${system} was stopped before it was done; nothing of it was kept.`,
    { cause: signal.reason, retryable: true },
  );
}
