import type { Health } from '../connector.ts';
import type { Compiled } from './compiled.ts';
import type { Transaction } from './transaction.ts';

/** Everything that stands in the way of a request, before any runs: what does not fit, what may not be done, what cannot be masked so. */
export async function checkSchema(transaction: Transaction, compiled: Compiled): Promise<Health> {
  const [row] = await transaction.rows(
    `select current_setting('server_version'), has_database_privilege(current_database(), 'temporary')::text, pg_is_in_recovery()::text`,
  );
  const [version = '', mayCreate, isReplica] = row ?? [];
  const problems = [...compiled.readProblems, ...compiled.eraseProblems];
  if (mayCreate !== 'true')
    problems.push('This user may not create temporary tables: grant it TEMPORARY on the database.');
  if (isReplica === 'true')
    problems.push(
      'This server is a replica, which takes no changes and no temporary tables: connect to the primary.',
    );
  problems.push(...(await badLiterals(transaction, compiled)));
  const tables = compiled.collections.size;
  return {
    ok: problems.length === 0,
    message:
      problems.length === 0
        ? `PostgreSQL ${version} has all ${tables} collections of the datasets.`
        : `PostgreSQL ${version} is reached, but ${problems.length} ${problems.length === 1 ? 'thing does' : 'things do'} not fit the datasets.`,
    problems,
  };
}

/** Values of `fixed` masks that are none of the column's type. Each is tried in a savepoint, because a failure ends a transaction. */
async function badLiterals(transaction: Transaction, compiled: Compiled): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const collection of compiled.collections.values()) {
    const masks = [
      ...collection.actions.flatMap((action) => ('masks' in action ? action.masks : [])),
      ...collection.cuts.flatMap((cut) => cut.masks),
    ];
    for (const { column, literal } of masks) {
      if (literal === undefined) continue;
      await transaction.script(['savepoint literal']);
      try {
        await transaction.rows(`select $1::text::${literal.type}`, [literal.text]);
        await transaction.script(['release savepoint literal']);
      } catch {
        await transaction.script(['rollback to savepoint literal']);
        problems.push(
          `The fixed value that masks "${collection.name}.${column.name}" is not of its type ${column.type}.`,
        );
      }
    }
  }
  return [...new Set(problems)];
}
