import { statSync } from 'node:fs';
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
    const identity = identityOf(this.#file);
    const idle = this.#idle.pop();
    // A file that was put in the place of another one, such as a restored one, is not what the thread has open.
    if (idle?.isOpen === true && idle.identity === identity) return idle;
    await idle?.close();
    if (identity === undefined) {
      this.#free();
      throw new HabeasError(
        'SYSTEM_UNREACHABLE',
        `There is no file of ${this.system} where its \`url\` says.`,
        {
          retryable: true,
        },
      );
    }
    return new SqliteConnection(`${pathToFileURL(this.#file)}?mode=rw`, identity);
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

/** Which file lies under a path; undefined: none, or none that this user can see. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    // Not there, or in a folder that this user may not look into: `take` says so of either.
    return undefined;
  }
}

/** A file that cannot be opened ends its thread with SQLite's code. */
function openFailure(error: unknown): number {
  const { errcode } = error as { readonly errcode?: unknown };
  return typeof errcode === 'number' ? errcode : 0;
}
