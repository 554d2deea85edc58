import { mostValues } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { compareIdentity, isIdentified, namesTheSame, onlyIdentity, otherForms } from './compare-identity.ts';
import { type CompiledCollection, type CompiledRoot, matchesKey } from './compiled.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/**
 * The values of a field in rows that became the person's after a round, without those that are known. A value that a row of somebody else holds as
 * well, in whatever spelling, is none of them. Throws DATASET_INVALID where there are too many to name a person.
 */
export async function ownValues(
  transaction: SqlTransaction,
  collection: CompiledCollection,
  of: { readonly root: CompiledRoot; readonly after: number; readonly known: ReadonlySet<string> },
): Promise<readonly string[]> {
  const { root, after, known } = of;
  const { type } = root.identity;
  const { dialect, found, table } = collection;
  const most = mostValues(type);
  const rows = await transaction.rows(
    `with seen as (
       select distinct ${onlyIdentity(collection, root, 't')} as v
         from ${found} s ${dialect.joinFromFew} ${table} t on ${matchesKey(collection, 't', 's')}
        where s.tick > ${after} and ${isIdentified(root, 't')})
     select v from seen
      where v is not null and not exists (
        select 1 from ${table} o
         where ${namesTheSame(collection, root, 'seen.v')} and ${isOthers(collection)})
      limit ${most + known.size + 1}`,
  );
  const fresh = rows.flatMap(([value]) => (value == null || known.has(value) ? [] : [value]));
  if (fresh.length > most) {
    throw new HabeasError(
      'DATASET_INVALID',
      `"${collection.name}.${root.column}" gave more than ${most} identities of the type ${type} for one person, so it does not name a person. Add \`habeas: { resolves: false }\` to the field.`,
    );
  }
  const own: string[] = [];
  for (const value of fresh)
    if (value !== '' && !(await isHeldOtherwise(transaction, collection, { root, value }))) own.push(value);
  return own;
}

/** Whether a row of somebody else holds the value with its letters composed in another way, or in another case where that does not matter. */
async function isHeldOtherwise(
  transaction: SqlTransaction,
  collection: CompiledCollection,
  { root, value }: { readonly root: CompiledRoot; readonly value: string },
): Promise<boolean> {
  const { match, spelling } = root.identity;
  const isWrittenOnce = match === 'exact' || spelling !== undefined;
  if (isWrittenOnce && otherForms(value).length === 0) return false;
  const comparison = compareIdentity(collection, root, [value]);
  if (comparison === undefined) return false;
  const rows = await transaction.rows(
    `select '1' from ${collection.table} o where ${comparison.sql('o')} and ${isOthers(collection)} limit 1`,
    comparison.values,
  );
  return rows.length > 0;
}

/** Whether the row `o` is not, or not yet, the person's. */
function isOthers(collection: CompiledCollection): string {
  return `not exists (select 1 from ${collection.found} s where ${matchesKey(collection, 'o', 's')} and s.tick is not null)`;
}
