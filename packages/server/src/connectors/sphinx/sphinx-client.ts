import { type Connection, createConnection } from 'mysql2';
import { HabeasError } from '../../foundation/index.ts';

/** A row of an answer, every value as searchd prints it. */
export type SphinxRow = Readonly<Record<string, string | null>>;

/** How texts are compared (`collation_connection`). */
export type Collation = 'binary' | 'utf8_general_ci';

/** Asks one searchd in SphinxQL; connects when it is asked first, and again after a connection was lost. */
export interface SphinxClient {
  /**
   * One question after the other. The signal ends the connection, and with it the wait. Throws a HabeasError without a word of what was asked.
   */
  ask(
    statement: string,
    options: { readonly signal: AbortSignal; readonly collation?: Collation },
  ): Promise<readonly SphinxRow[]>;
  close(): void;
}

const CONNECT_MILLISECONDS = 10_000;

export function createSphinxClient(
  address: { readonly host: string; readonly port: number },
  key: string,
): SphinxClient {
  let opened: Connection | undefined;
  let collation: Collation | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const connection = (): Connection => {
    if (opened !== undefined) return opened;
    const made = createConnection({
      host: address.host,
      port: address.port,
      connectTimeout: CONNECT_MILLISECONDS,
      charset: 'utf8mb4',
      multipleStatements: false,
      disableEval: true,
      // Every value as a text; nothing here makes numbers of them.
      typeCast: (field) => field.string('utf8'),
    });
    // Each question rejects with the error of its connection; this one is told besides, and would end the process.
    made.on('error', () => drop(made));
    opened = made;
    collation = undefined;
    return made;
  };
  const drop = (one: Connection): void => {
    one.destroy();
    if (opened === one) opened = undefined;
  };
  const send = async (statement: string, signal: AbortSignal): Promise<readonly SphinxRow[]> => {
    signal.throwIfAborted();
    const mine = connection();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const stop = () => {
      drop(mine);
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    // Asked without values: searchd knows no prepared statements, and texts were quoted by its own rules.
    mine.query(statement, (error, result) => (error == null ? resolve(result) : reject(error)));
    try {
      const result = await promise;
      return Array.isArray(result) ? (result as SphinxRow[]) : [];
    } catch (error) {
      signal.throwIfAborted();
      if (!isAnswer(error)) drop(mine);
      throw fromSphinxError(error, key);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };

  return {
    ask(statement, { signal, collation: wanted }) {
      const asked = last.then(async () => {
        signal.throwIfAborted();
        connection();
        if (wanted !== undefined && wanted !== collation) {
          await send(`SET collation_connection = ${wanted}`, signal);
          collation = wanted;
        }
        return await send(statement, signal);
      });
      last = asked.catch(() => undefined);
      return asked;
    },
    close() {
      opened?.destroy();
      opened = undefined;
    },
  };
}

/** searchd answered, and refused what it was asked. */
function isAnswer(error: unknown): error is { readonly errno: number; readonly message: string } {
  return error instanceof Error && 'errno' in error && 'sqlState' in error && error.sqlState !== undefined;
}

/** Messages of searchd quote what was asked: nothing of them is told. */
function fromSphinxError(error: unknown, key: string): HabeasError {
  if (!isAnswer(error))
    return new HabeasError(
      'SYSTEM_UNREACHABLE',
      `The searchd of ${key} cannot be reached. Is it running, and is its address right (\`listen = …:mysql41\`)?`,
      { cause: error, retryable: true },
    );
  if (
    /unknown (?:local )?index|no such (?:index|filter attribute)|attribute '[^']*' not found/.test(
      error.message,
    )
  )
    return new HabeasError(
      'SCHEMA_MISMATCH',
      `An index or attribute of ${key} is gone since it was last looked at. Run \`habeas check\` and correct the dataset.`,
      { retryable: true },
    );
  return new HabeasError(
    'SYSTEM_FAILED',
    `The searchd of ${key} refused a statement (error ${error.errno}).`,
    { retryable: true },
  );
}

/** A text as a statement has it: searchd reads a backslash before a quote and before itself, and all else as it stands. */
export function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
