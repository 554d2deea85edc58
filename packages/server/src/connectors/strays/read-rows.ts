import { HabeasError } from '../../foundation/index.ts';
import type { KnownPeople } from '../known-people.ts';
import { comparedKey } from './compared-key.ts';
import type { Comparison, Group } from './comparison.ts';
import type { StrayProblem } from './stray-report.ts';
import type { StrayTable } from './stray-table.ts';

/** What could not be read of the rows. */
export interface UnreadRows {
  /** Groups of which somebody may know more than was read. */
  readonly groups: ReadonlySet<number>;
  /** Whether a connection was read to its end for a group. */
  isRead(group: number, connection: string): boolean;
  readonly problems: readonly StrayProblem[];
}

/** Puts what rows know into the table, each connection for each group. What cannot be read is a problem and the others are read. */
export async function readRows(
  { groups }: Pick<Comparison, 'groups'>,
  options: {
    readonly known: ReadonlyMap<string, KnownPeople>;
    readonly table: StrayTable;
    readonly signal: AbortSignal;
  },
): Promise<UnreadRows> {
  const unread = new Set<number>();
  const failed = new Set<string>();
  const problems = new Map<string, StrayProblem>();
  for (const [group, { identities, tellers, silent }] of groups.entries()) {
    const types = identities.map(({ type }) => type).join(' and ');
    const note = (problem: StrayProblem) => {
      unread.add(group);
      problems.set(problem.message, problem);
    };
    for (const key of silent)
      note({
        message: `${key} tells ${types}, but its kind cannot list all that it knows, so that nothing is called a stray by ${types}.`,
      });
    if (tellers.length + silent.length === 0)
      note({
        message: `No other connection has rows with ${types}: give the field that has it an \`identity\` of this type, or refer to it.`,
      });
    for (const connection of tellers) {
      try {
        await readOne({ ...options, group, identities, connection });
      } catch (error) {
        options.signal.throwIfAborted();
        const { code, message } = HabeasError.from(error);
        failed.add(JSON.stringify([group, connection]));
        note({ message: `The rows of ${connection} could not be read: ${message}`, code });
      }
    }
  }
  return {
    groups: unread,
    isRead: (group, connection) => !failed.has(JSON.stringify([group, connection])),
    problems: [...problems.values()],
  };
}

async function readOne(options: {
  readonly known: ReadonlyMap<string, KnownPeople>;
  readonly table: StrayTable;
  readonly signal: AbortSignal;
  readonly group: number;
  readonly identities: Group['identities'];
  readonly connection: string;
}): Promise<void> {
  const { known, table, signal, group, identities, connection } = options;
  const types = identities.map(({ type }) => type);
  for await (const row of known.get(connection)?.read(types, signal) ?? []) {
    // Nothing has an empty name.
    if (row.values.includes('')) continue;
    const { collection, fields, tells } = row;
    table.addKnown(
      { group, connection, collection, fields },
      { key: comparedKey(identities, row.values), shown: JSON.stringify(row.values), tells },
    );
  }
}
