import type { Health } from '../connector.ts';
import type { Compiled } from './compiled.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** What a store says of itself. */
export interface StoreState {
  /** Its name and version. */
  readonly version: string;
  /** What it keeps from working at all, such as that it is a replica. */
  readonly problems: readonly string[];
}

/** Everything that stands in the way of a request, before any runs: what does not fit, what may not be done, what cannot be masked so. */
export async function checkSchema(
  transaction: SqlTransaction,
  compiled: Compiled,
  state: StoreState,
): Promise<Health> {
  const problems = [
    ...compiled.readProblems,
    ...compiled.eraseProblems,
    ...state.problems,
    ...(await badLiterals(transaction, compiled)),
  ];
  const tables = compiled.collections.size;
  return {
    ok: problems.length === 0,
    message:
      problems.length === 0
        ? `${state.version} has all ${tables} collections of the datasets.`
        : `${state.version} is reached, but ${problems.length} ${problems.length === 1 ? 'thing does' : 'things do'} not fit the datasets.`,
    problems,
  };
}

/** Values of `fixed` masks that are none of the column's type. */
async function badLiterals(transaction: SqlTransaction, compiled: Compiled): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const collection of compiled.collections.values()) {
    const masks = [
      ...collection.actions.flatMap((action) => ('masks' in action ? action.masks : [])),
      ...collection.cuts.flatMap((cut) => cut.masks),
    ];
    for (const { column, literal } of masks) {
      if (literal === undefined) continue;
      const printed = await compiled.dialect.canonical(transaction, column, literal, 'rounded');
      if (printed === undefined)
        problems.push(
          `The fixed value that masks "${collection.name}.${column.name}" is not of its type ${column.type}.`,
        );
    }
  }
  return [...new Set(problems)];
}
