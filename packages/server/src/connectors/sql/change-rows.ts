import { createHmac } from 'node:crypto';
import { untilInWords } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import type { ChangeMode, Evidence, KeyBatch, Replaced, Retained } from '../connector.ts';
import { lockRows } from './change-sql.ts';
import { assignments, type ChangeSql, changeSql } from './column-change-sql.ts';
import type { CollectionChange, ColumnChange } from './column-changes.ts';
import type { Compiled, CompiledCollection } from './compiled.ts';
import { chunksOf, type KeyChunk, useChunks } from './key-chunks.ts';
import { isInSet, type KeySet, setOfChunk } from './key-set.ts';
import { sumRetained } from './retained.ts';
import { constraintOf, isAboutValue } from './sql-error.ts';
import type { SqlTransaction } from './sql-transaction.ts';
import { setNow } from './traversal.ts';

const KEYS_PER_CHUNK = 10_000;
/** Former values of one field that evidence tells apart. One person has a handful. */
const MOST_OLD_VALUES = 50;

export interface ChangeRowsOptions {
  readonly transaction: SqlTransaction;
  readonly compiled: Compiled;
  readonly system: string;
  readonly changes: readonly CollectionChange[];
  /** The stored keys. */
  readonly keys: AsyncIterable<KeyBatch>;
  readonly now: Date;
  readonly evidenceKey: Uint8Array | undefined;
}

/**
 * Changes exactly the stored rows, and of these only what is not yet as it has to be. The caller commits, or, in a dry run, rolls
 * back: the store itself has then tried every type, length and constraint. Throws VALUE_INVALID for a value that does not fit.
 */
export async function changeRows(options: ChangeRowsOptions, mode: ChangeMode): Promise<Evidence> {
  const { dialect } = options.compiled;
  await setNow(options.transaction, dialect, options.now);
  const usable = new Map<string, CollectionChange>();
  for (const { collection, changes } of options.changes)
    usable.set(collection.name, { collection, changes: await usableChanges(options, collection, changes) });
  const counts: Record<string, number> = {};
  const retained: Retained[] = [];
  const replaced: Replaced[] = [];
  let matched = false;
  const chunks = chunksOf({ ...options, keysPerChunk: KEYS_PER_CHUNK });
  await useChunks(chunks, async (chunk) => {
    matched = true;
    const found = usable.get(chunk.collection.name);
    if (found === undefined || found.changes.length === 0) return true;
    const changed = await changeChunk(options, chunk, found.changes);
    counts[chunk.collection.name] = (counts[chunk.collection.name] ?? 0) + changed.rows;
    retained.push(...changed.retained);
    replaced.push(...changed.replaced);
    return true;
  });
  await fitting(options.system, 'a rule of the database', () => options.transaction.script(dialect.checkNow));
  return {
    matched,
    counts,
    retained: sumRetained(retained),
    residuals: [],
    notes: mode === 'dry-run' ? [] : ['in one transaction'],
    ...(replaced.length === 0 ? {} : { replaced: summed(replaced) }),
  };
}

/** Tries each new value in its column's type. A former value that the type does not have is nowhere, so nothing is changed for it. */
async function usableChanges(
  { transaction, system, compiled }: ChangeRowsOptions,
  collection: CompiledCollection,
  changes: readonly ColumnChange[],
): Promise<readonly ColumnChange[]> {
  const { dialect } = compiled;
  const usable: ColumnChange[] = [];
  for (const change of changes) {
    if (change.kind === 'flag') {
      usable.push(change);
      continue;
    }
    const { column, keep } = change;
    const printed = (text: string | null, keeps: 'whole' | 'rounded') =>
      text === null ? null : dialect.canonical(transaction, column, text, keeps);
    const to = await printed(change.to, keep === undefined ? 'whole' : 'rounded');
    if (to === undefined && keep === undefined)
      throw new HabeasError(
        'VALUE_INVALID',
        `A new value does not fit "${collection.name}.${column.name}" of ${system}, which is ${column.type}. Nothing was changed.`,
      );
    const from = change.from === undefined ? 'any' : await printed(change.from, 'rounded');
    if (to === undefined || from === undefined) continue;
    usable.push({ ...change, to, from: change.from === undefined ? undefined : from });
  }
  return usable;
}

interface Changed {
  readonly rows: number;
  readonly retained: readonly Retained[];
  readonly replaced: readonly Replaced[];
}

async function changeChunk(
  options: ChangeRowsOptions,
  chunk: KeyChunk,
  changes: readonly ColumnChange[],
): Promise<Changed> {
  const { transaction, system } = options;
  const set = setOfChunk(chunk);
  await lockRows(transaction, set);
  const counts = await countEach(options, set, changes);
  const replaced: Replaced[] = [];
  const retained: Retained[] = [];
  for (const [index, change] of changes.entries()) {
    const count = counts[index] ?? 0;
    if (change.kind === 'flag' || count === 0) continue;
    const collection = set.collection.name;
    if (change.keep !== undefined)
      retained.push({
        collection,
        count,
        reason: change.keep.reason,
        until: untilInWords(change.keep.until),
      });
    else
      replaced.push({
        collection,
        field: change.column.name,
        count,
        old: await oldValues(options, set, change),
      });
  }
  const changing = changes.filter((change) => change.kind === 'flag' || change.keep === undefined);
  if (changing.length === 0) return { rows: 0, retained, replaced };
  const { parts, values } = sqlOf(options, set, changing);
  const update = options.compiled.dialect.update({
    table: set.collection.table,
    alias: 't',
    set: assignments(parts),
    from: `${set.source} e`,
    where: `${isInSet(set, 't')} and (${parts.map(({ condition }) => condition).join(' or ')})`,
  });
  const rows = await fitting(system, `"${set.collection.name}"`, () => transaction.change(update, values));
  return { rows, retained, replaced };
}

/** Each statement has the parameters that it uses and no other: PostgreSQL could not tell the type of one that is not used. */
function sqlOf(
  { compiled }: ChangeRowsOptions,
  set: KeySet,
  changes: readonly ColumnChange[],
): { readonly parts: readonly ChangeSql[]; readonly values: readonly unknown[] } {
  const { parts, values } = changeSql(changes, {
    before: set.values.length,
    dialect: compiled.dialect,
  });
  return { parts, values: [...set.values, ...values] };
}

/** How many rows each change is still to be made in. */
async function countEach(
  options: ChangeRowsOptions,
  set: KeySet,
  changes: readonly ColumnChange[],
): Promise<readonly number[]> {
  // Marks have no former value and no duty to keep; the update itself counts them.
  if (changes.every(({ kind }) => kind === 'flag')) return [];
  const { parts, values } = sqlOf(options, set, changes);
  const sums = parts.map(({ condition }) =>
    options.compiled.dialect.text(`count(case when ${condition} then 1 end)`),
  );
  const [row] = await options.transaction.rows(
    `select ${sums.join(', ')} from ${set.collection.table} t join ${set.source} e on ${isInSet(set, 't')}`,
    values,
  );
  return changes.map((_, index) => Number(row?.[index] ?? 0));
}

/** The values that are about to be replaced, as keyed hashes: who knows one can show that it was there, and nobody can read it. */
async function oldValues(
  options: ChangeRowsOptions,
  set: KeySet,
  change: ColumnChange,
): Promise<readonly string[]> {
  const { transaction, evidenceKey } = options;
  if (evidenceKey === undefined) return [];
  const { parts, values } = sqlOf(options, set, [change]);
  const [part] = parts;
  if (part === undefined) return [];
  const rows = await transaction.rows(
    `select distinct ${options.compiled.dialect.print(change.column, `t.${part.column}`)}
       from ${set.collection.table} t join ${set.source} e on ${isInSet(set, 't')}
      where ${part.condition} and t.${part.column} is not null order by 1 limit ${MOST_OLD_VALUES}`,
    values,
  );
  return rows.map(([value]) =>
    createHmac('sha256', evidenceKey)
      .update(value ?? '')
      .digest('base64url'),
  );
}

function summed(replaced: readonly Replaced[]): readonly Replaced[] {
  const byField = Map.groupBy(replaced, ({ collection, field }) => JSON.stringify([collection, field]));
  return [...byField.values()].map((parts) => ({
    collection: parts[0]?.collection ?? '',
    field: parts[0]?.field ?? '',
    count: parts.reduce((sum, { count }) => sum + count, 0),
    old: [...new Set(parts.flatMap(({ old }) => old))].sort().slice(0, MOST_OLD_VALUES),
  }));
}

async function fitting<Result>(system: string, where: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!isAboutValue(error)) throw error;
    const constraint = constraintOf(error);
    const rule = constraint === undefined ? '' : ` (constraint ${constraint})`;
    throw new HabeasError(
      'VALUE_INVALID',
      `A new value breaks ${where} of ${system}${rule}. Nothing was changed.`,
      { cause: error },
    );
  }
}
