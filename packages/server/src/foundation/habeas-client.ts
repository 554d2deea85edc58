import { sql } from 'kysely';
import pg from 'pg';

const KEPT = '/* kept */';

/**
 * Marks a statement that each connection parses and plans once, and afterwards only runs: for one that comes again and again, and costs less than its
 * plan. It stands first, or right behind `select`. It is the text that counts: nothing that changes from call to call may stand in it.
 */
export const kept = sql.raw(KEPT);

/** The same for a statement that is a text. */
export const keptStatement = (text: string): string => `${KEPT} ${text}`;

/** Texts of statements that connections keep → their names there. */
const NAMES = new Map<string, string>();

function nameOf(text: string): string | undefined {
  if (!/^\s*(?:select )?\/\* kept \*\//.test(text)) return undefined;
  const name = NAMES.get(text) ?? `habeas_${NAMES.size + 1}`;
  NAMES.set(text, name);
  return name;
}

/** From this kept statement of a connection on it plans anew, whenever it has run twice as many. */
const FIRST_PLANS = 32;

/**
 * Calls statements that are to be kept by their names; the driver sends the text of such a one only once. A plan is as good as what PostgreSQL knew
 * when it was made, and a table that was empty then would be read whole however large it becomes. So plans are made anew the more
 * statements there were: none is used for more of them than were before it.
 */
export class HabeasClient extends pg.Client {
  /** Statements that are handed over meanwhile are sent without a wait for the answers of those before them. */
  static isTogether = false;
  #kept = 0;

  // biome-ignore lint/suspicious/noExplicitAny: one implementation of the driver's eight signatures.
  override query(statement: any, ...rest: any[]): any {
    // By default nothing is sent behind a cursor, which stays open from call to call.
    (this as { pipeline: boolean }).pipeline = HabeasClient.isTogether;
    const name = typeof statement === 'string' ? nameOf(statement) : undefined;
    if (name === undefined) return super.query(statement, ...(rest as []));
    this.#kept += 1;
    const isTurn = (this.#kept & (this.#kept - 1)) === 0;
    // Where that cannot be, in a transaction that has failed or on a connection that is gone, the statement behind it tells so.
    if (isTurn && this.#kept >= FIRST_PLANS) super.query('discard plans', () => undefined);
    return super.query({ name, text: statement }, ...(rest as []));
  }
}
