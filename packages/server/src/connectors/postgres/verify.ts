import type { Residue, Retained } from '../connector.ts';
import { isReadable } from './change-sql.ts';
import { type CompiledCollection, keyColumns, matchesKey } from './compiled.ts';
import { retainedRows, sumRetained } from './retained.ts';
import { inGroups } from './staying-rows.ts';
import { isInSet, type KeySet, pointsAsStored } from './stored-keys.ts';
import type { Transaction } from './transaction.ts';
import type { FoundGroup, Traversal } from './traversal.ts';

/**
 * Counts the rows in which a targeted value can still be read, among those that a fresh search finds and those whose keys were stored.
 * A row that both find counts once.
 */
export async function countResidue(options: {
  readonly transaction: Transaction;
  readonly traversal: Traversal;
  readonly stored: readonly KeySet[];
}): Promise<Residue> {
  const { transaction, traversal, stored } = options;
  const remaining: Record<string, number> = {};
  const retained: Retained[] = [];
  const found = new Set(traversal.found);
  const collections = new Set([...found, ...stored.map((set) => set.collection)]);
  for (const collection of collections) {
    const groups = found.has(collection) ? await traversal.groups(collection) : [];
    const sets = stored.filter((set) => set.collection === collection);
    const selects = [...groups.map((group) => readableFound(collection, group)), ...sets.map(readableStored)];
    const readable = selects.filter((select) => select !== undefined);
    if (readable.length === 0) continue;
    const [row] = await transaction.rows(`select count(*)::text from (${readable.join(' union ')}) readable`);
    remaining[collection.name] = Number(row?.[0] ?? 0);
  }
  for (const { collection, effect, table, condition } of stored) {
    const rows = `from ${collection.table} t where exists (select from ${table} e where ${matchesKey(collection, 't', 'e')} and ${condition})`;
    retained.push(...(await retainedRows({ transaction, collection, effect, rows })));
  }
  return { remaining, retained: sumRetained(retained) };
}

/** A reference by which the row was found just now leads to the person. */
function readableFound(collection: CompiledCollection, group: FoundGroup): string | undefined {
  if (group.effect.name === '') return undefined;
  const readable = isReadable({ effect: group.effect, row: 't', pointsAtPerson: () => 'true' });
  if (readable === 'false') return undefined;
  return `select ${keyColumns(collection, 's')} from ${collection.found} s join ${collection.table} t on ${matchesKey(collection, 't', 's')}
           where ${inGroups('s', [group])} and ${readable}`;
}

function readableStored(set: KeySet): string | undefined {
  const readable = isReadable({
    effect: set.effect,
    row: 't',
    pointsAtPerson: (cut) => pointsAsStored(set.collection, cut, 't'),
  });
  if (readable === 'false') return undefined;
  return `select ${keyColumns(set.collection, 'e')} from ${set.table} e join ${set.collection.table} t on ${isInSet(set, 't')}
           where ${readable}`;
}
