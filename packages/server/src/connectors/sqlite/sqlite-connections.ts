import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { HabeasError } from '../../foundation/index.ts';
import { SqliteConnection, SqliteError } from './sqlite-connection.ts';
import { fromSqliteFailure } from './sqlite-error.ts';

/** The threads of one SQLite file: at most so many, each for one transaction after the other. */
export class SqliteConnections {
  readonly system: string;
  readonly #file: string;
  readonly #most: number;
  readonly #idle: SqliteConnection[] = [];
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(options: { readonly system: string; readonly file: string; readonly most: number }) {
    this.system = options.system;
    this.#file = options.file;
    this.#most = options.most;
  }

  /** Throws SYSTEM_UNREACHABLE where there is no file: SQLite itself would make an empty one. */
  async take(signal: AbortSignal): Promise<SqliteConnection> {
    while (this.#taken >= this.#most) await this.#freed(signal);
    this.#taken += 1;
    const idle = this.#idle.pop();
    if (idle?.isOpen === true && existsSync(this.#file)) return idle;
    await idle?.close();
    if (!existsSync(this.#file)) {
      this.#free();
      throw new HabeasError(
        'SYSTEM_UNREACHABLE',
        `There is no file of ${this.system} where its \`url\` says.`,
        {
          retryable: true,
        },
      );
    }
    return new SqliteConnection(`${pathToFileURL(this.#file)}?mode=rw`);
  }

  async giveBack(connection: SqliteConnection, destroy: boolean): Promise<void> {
    if (destroy || !connection.isOpen) await connection.close();
    else this.#idle.push(connection);
    this.#free();
  }

  translate(error: unknown): HabeasError {
    if (error instanceof HabeasError) return error;
    if (error instanceof SqliteError) return fromSqliteFailure(error.failure, this.system);
    return fromSqliteFailure(
      { code: openFailure(error), constraint: undefined, isForeignKey: false, isSchema: false },
      this.system,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()));
  }

  #free(): void {
    this.#taken -= 1;
    this.#waiting.shift()?.();
  }

  async #freed(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      const leave = () => {
        const at = this.#waiting.indexOf(resolve);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
    });
    if (signal.aborted)
      throw new HabeasError('SYSTEM_TIMEOUT', `The work on ${this.system} was stopped before it began.`, {
        cause: signal.reason,
        retryable: true,
      });
  }
}

/** A file that cannot be opened ends its thread with SQLite's code. */
function openFailure(error: unknown): number {
  const { errcode } = error as { readonly errcode?: unknown };
  return typeof errcode === 'number' ? errcode : 0;
}
