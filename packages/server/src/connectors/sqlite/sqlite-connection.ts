import { Worker } from 'node:worker_threads';
import type { KeyedTable, TextRow } from '../sql/index.ts';
import type { EachStatement } from './delete-keys.ts';
import type { SqliteAnswer, SqliteFailure, SqliteQuestion } from './sqlite-messages.ts';

/** How long a statement waits for another program's lock. */
const PATIENCE_MILLISECONDS = 30_000;

/** A failure that SQLite reported. */
export class SqliteError extends Error {
  readonly failure: SqliteFailure;

  constructor(failure: SqliteFailure) {
    super(`SQLite result ${failure.code}`);
    this.failure = failure;
  }
}

type Unnumbered<Question> = Question extends unknown ? Omit<Question, 'id'> : never;

/** Rows of a statement that is read in steps. */
export interface SqliteStream {
  next(most: number, characters: number): Promise<readonly TextRow[]>;
  close(): Promise<void>;
}

/** A thread that holds one SQLite file open. */
export class SqliteConnection {
  /** Which file it has open, whatever lies under its path by now. */
  readonly identity: string;
  readonly #worker: Worker;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (answer: SqliteAnswer) => void; readonly reject: (error: unknown) => void }
  >();
  #last = 0;
  #ended: unknown;

  constructor(address: string, identity: string) {
    this.identity = identity;
    this.#worker = new Worker(new URL('./sqlite-thread.ts', import.meta.url), {
      workerData: { address, patienceMilliseconds: PATIENCE_MILLISECONDS },
    });
    // It must not keep a process alive that has nothing else to do.
    this.#worker.unref();
    this.#worker.on('message', (answer: SqliteAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) this.#worker.unref();
      waiting?.resolve(answer);
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('The thread of a SQLite file has ended.')));
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  async rows(text: string, values: readonly unknown[]): Promise<readonly TextRow[]> {
    return (await this.#ask({ kind: 'rows', text, values: values.map(bound) })).rows ?? [];
  }

  async change(text: string, values: readonly unknown[]): Promise<number> {
    return (await this.#ask({ kind: 'change', text, values: values.map(bound) })).changes ?? 0;
  }

  /** `parts`: for each part of a key a text of `stored-keys.ts`. */
  async deleteEach(from: KeyedTable, parts: readonly string[]): Promise<number> {
    return (await this.#ask({ kind: 'delete', from, parts })).changes ?? 0;
  }

  async changeEach(statements: readonly EachStatement[]): Promise<number> {
    return (await this.#ask({ kind: 'each', statements })).changes ?? 0;
  }

  put(name: 'now' | 'salt', value: string): void {
    // It cannot fail unless the thread has ended, which whoever asks next is told.
    this.#ask({ kind: 'put', name, value }).catch(() => undefined);
  }

  async script(statements: readonly string[]): Promise<void> {
    await this.#ask({ kind: 'script', statements });
  }

  async open(text: string): Promise<SqliteStream> {
    const { id: stream } = await this.#ask({ kind: 'open', text });
    return {
      next: async (most, bytes) => (await this.#ask({ kind: 'next', stream, most, bytes })).rows ?? [],
      close: async () => {
        if (this.isOpen) await this.#ask({ kind: 'close', stream });
      },
    };
  }

  /** Ends the thread, also in the middle of its work; what was not committed is rolled back. */
  async close(): Promise<void> {
    this.#end(new Error('The thread of a SQLite file was ended.'));
    await this.#worker.terminate();
  }

  async #ask(question: Unnumbered<SqliteQuestion>): Promise<SqliteAnswer> {
    if (this.#ended !== undefined) throw this.#ended;
    this.#last += 1;
    const id = this.#last;
    const answer = await new Promise<SqliteAnswer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ ...question, id });
    });
    if (answer.failure !== undefined) throw new SqliteError(answer.failure);
    return answer;
  }

  #end(error: unknown): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

function bound(value: unknown): string | number | null {
  return value === null || typeof value === 'number' ? value : `${value}`;
}
