import type { CollectSources, CollectStep, Evidence } from '../connector.ts';
import type { CompiledCollection } from './compiled.ts';
import { hiddenColumns } from './effect.ts';
import { foundRows } from './found-rows.ts';
import { quoteIdentifier } from './quote.ts';
import type { FoundGroup } from './search.ts';
import type { SqlTransaction, Text, TextRow } from './sql-transaction.ts';
import type { Traversal } from './traversal.ts';
import { unreadableRows } from './unreadable-rows.ts';

/**
 * Streams the person's rows in batches as they come from the store, so that a row costs no waiting: parents before children, each value as the store prints it. Of a row that another person reaches
 * too, columns about others are left out. Rows that merely point at the person are not theirs and stay out.
 */
export async function* collectedRows(
  traversal: Traversal,
  sources: CollectSources,
): AsyncGenerator<readonly CollectStep[]> {
  const counts: Record<string, number> = {};
  const notes = new Set<string>();
  for (const collection of traversal.found.toReversed()) {
    const groups = (await traversal.groups(collection)).filter((group) => group.isOwn || group.isShared);
    for (const part of partsOf(collection, groups)) {
      const left = leftOut(collection, sources);
      const columns = collection.columns.filter((column) => !part.hidden.has(column) && !left.has(column));
      if (columns.length === 0) continue;
      for (const [column, source] of left)
        notes.add(`Of ${collection.name} ${column} is left out: ${REASONS[source]}.`);
      const select = selectRows(collection, columns, part.groups);
      const reading = { collection: collection.name, columns, select };
      for await (const { steps, count } of readSteps(traversal.transaction, reading)) {
        yield steps;
        counts[collection.name] = (counts[collection.name] ?? 0) + count;
      }
      if (part.hidden.size > 0) {
        notes.add(
          `Rows of ${collection.name} that another person reaches too are there without ${[...part.hidden].join(', ')}.`,
        );
      }
    }
  }
  for (const collection of traversal.found) {
    if (counts[collection.name] === undefined) continue;
    for (const remark of [collection.remarks.unnamedColumns, collection.remarks.keyless]) {
      if (remark !== undefined) notes.add(remark);
    }
  }
  for (const sentence of await unreadableRows(traversal.transaction, traversal.compiled)) notes.add(sentence);
  const evidence: Evidence = {
    matched: Object.keys(counts).length > 0,
    counts,
    retained: [],
    residuals: [],
    notes: [...notes],
  };
  yield [{ state: 'done', evidence }];
}

/** The rows of a statement, as bytes where the store gives them so. */
async function* readSteps(
  transaction: SqlTransaction,
  {
    collection,
    columns,
    select,
  }: { readonly collection: string; readonly columns: readonly string[]; readonly select: string },
): AsyncGenerator<{ readonly steps: readonly CollectStep[]; readonly count: number }> {
  if (transaction.texts !== undefined) {
    for await (const { bytes, count } of transaction.texts(select))
      yield { steps: [{ state: 'texts', texts: { collection, columns, bytes, count } }], count };
    return;
  }
  for await (const rows of transaction.stream(select)) {
    const steps = rows.map(
      (values): CollectStep => ({ state: 'item', item: { collection, row: rowOf(columns, values) } }),
    );
    yield { steps, count: rows.length };
  }
}

/** A million times: objects that are made alike are made fast. */
function rowOf(columns: readonly string[], values: TextRow): Readonly<Record<string, Text>> {
  const row: Record<string, Text> = {};
  for (let at = 0; at < columns.length; at += 1) {
    const name = columns[at] as string;
    const value = values[at] ?? null;
    if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true });
    else row[name] = value;
  }
  return row;
}

const REASONS = { derived: 'it was derived from other data', observed: 'it was observed, not provided' };

/** Columns whose values are from where the right to portability does not reach (GDPR article 20, WP242), or the policy does not. */
function leftOut(
  collection: CompiledCollection,
  sources: CollectSources,
): ReadonlyMap<string, keyof typeof REASONS> {
  const { fields } = collection.planned.node.collection;
  return new Map(
    fields.flatMap(({ name, source }) => {
      const isLeft =
        source === 'derived' ? sources !== 'all' : source === 'observed' && sources === 'provided';
      return isLeft && source !== 'provided' ? [[name, source] as const] : [];
    }),
  );
}

interface Part {
  readonly hidden: ReadonlySet<string>;
  readonly groups: readonly FoundGroup[];
}

/** Groups that show the same columns are read together, in the order of their keys. */
function partsOf(collection: CompiledCollection, groups: readonly FoundGroup[]): readonly Part[] {
  const parts = new Map<string, { hidden: ReadonlySet<string>; groups: FoundGroup[] }>();
  for (const group of groups) {
    const hidden = group.isShared ? hiddenColumns(collection, group.bits) : new Set<string>();
    const name = JSON.stringify([...hidden]);
    const part = parts.get(name);
    if (part === undefined) parts.set(name, { hidden, groups: [group] });
    else part.groups.push(group);
  }
  return [...parts.values()];
}

function selectRows(
  collection: CompiledCollection,
  columns: readonly string[],
  groups: readonly FoundGroup[],
): string {
  const values = columns.map((name) => {
    const column = collection.live.columns.get(name);
    const at = `t.${quoteIdentifier(name)}`;
    return column === undefined ? collection.dialect.text(at) : collection.dialect.print(column, at);
  });
  const found = foundRows(collection, 't');
  return `select ${values.length === 0 ? 'null' : values.join(', ')}
            from ${found.from} where ${found.isIn(groups)} order by ${found.key.join(', ')}`;
}
