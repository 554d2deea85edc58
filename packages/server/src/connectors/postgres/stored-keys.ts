import { HabeasError } from '../../foundation/index.ts';
import type { KeyBatch } from '../connector.ts';
import { type Compiled, type CompiledCollection, type CompiledCut, matchesKey } from './compiled.ts';
import { type Effect, effectNamed } from './effect.ts';
import { quoteIdentifier } from './quote.ts';
import type { Text, Transaction } from './transaction.ts';

/** Keys that go to the server in one statement. */
const KEYS_PER_STATEMENT = 10_000;

/** Rows of one collection with one effect, among the stored keys. */
export interface KeySet {
  readonly collection: CompiledCollection;
  readonly effect: Effect;
  /** The temporary table with the keys, called `e` in conditions. */
  readonly table: string;
  /** `e.effect = 2`: which of its rows belong to the set. */
  readonly condition: string;
}

/** What a batch of this effect holds: the row's key, then what each reference to empty points at. */
export function batchColumns(collection: CompiledCollection, effect: Effect): readonly string[] {
  return [
    ...collection.key.map((part) => part.name),
    ...effect.cuts.flatMap((cut) => cut.columns.map((column) => column.name)),
  ];
}

/** Whether the row still points where the stored key says; an application may have set another reference since. */
export function pointsAsStored(collection: CompiledCollection, cut: CompiledCut, row: string): string {
  const index = collection.cuts.indexOf(cut);
  const pairs = cut.columns.map(
    (column, position) => `${row}.${quoteIdentifier(column.name)}::text = e.c${index}_${position}`,
  );
  return pairs.length === 0 ? 'true' : `(${pairs.join(' and ')})`;
}

/** `t.id = e.k1`, for the rows of a set. */
export function isInSet(set: KeySet, row: string): string {
  return `${matchesKey(set.collection, row, 'e')} and ${set.condition}`;
}

interface Buffer {
  readonly collection: CompiledCollection;
  readonly effect: Effect;
  readonly number: number;
  /** One list of values for each stored column. */
  columns: Text[][];
}

/**
 * Puts stored keys into temporary tables, a few thousand at a time. A key that was found twice with different treatments is treated as it was
 * found last. Throws SYSTEM_FAILED for keys that the datasets or the schema no longer fit.
 */
export async function loadKeys(options: {
  readonly transaction: Transaction;
  readonly compiled: Compiled;
  readonly system: string;
  readonly keys: AsyncIterable<KeyBatch>;
}): Promise<readonly KeySet[]> {
  const { transaction, compiled, system } = options;
  const buffers = new Map<string, Buffer>();
  const prepared = new Set<string>();
  let sequence = 0;

  const flush = async (buffer: Buffer): Promise<void> => {
    if ((buffer.columns[0]?.length ?? 0) === 0) return;
    const { collection } = buffer;
    if (!prepared.has(collection.name)) {
      prepared.add(collection.name);
      await transaction.script([createTable(collection)]);
    }
    sequence += 1;
    const stored = [
      ...collection.key.map((part, index) => ({ column: `k${index + 1}`, type: part.type })),
      ...cutColumns(collection, buffer.effect).map((column) => ({ column, type: 'text' })),
    ];
    const names = stored.map(({ column }) => column).join(', ');
    const parameters = stored.map(({ type }, index) =>
      arrayParameter(type, buffer.columns[index] ?? [], index + 1),
    );
    await transaction.change(
      `insert into ${tableOf(collection)} (${names}, effect, sequence)
       select ${stored.map(({ column }, index) => parameters[index]?.cast(`u.${column}`) ?? '').join(', ')}, ${buffer.number}, ${sequence}
         from unnest(${parameters.map(({ sql }) => sql).join(', ')}) u(${names})`,
      parameters.map(({ value }) => value),
    );
  };
  // One statement is on its way while the next keys are read.
  let sending: Promise<void> = Promise.resolve();
  const send = async (buffer: Buffer): Promise<void> => {
    await sending;
    sending = flush({ ...buffer });
    sending.catch(() => undefined);
    buffer.columns = buffer.columns.map(() => []);
  };

  for await (const batch of options.keys) {
    const name = JSON.stringify([batch.collection, batch.treatment]);
    let buffer = buffers.get(name);
    if (buffer === undefined) {
      const collection = compiled.collections.get(batch.collection);
      const effect = collection === undefined ? undefined : effectNamed(collection, batch.treatment ?? '');
      if (collection === undefined || effect === undefined) throw outdated(system, batch.collection);
      buffer = {
        collection,
        effect,
        number: buffers.size,
        columns: batchColumns(collection, effect).map(() => []),
      };
      buffers.set(name, buffer);
    }
    const expected = batchColumns(buffer.collection, buffer.effect);
    if (
      expected.length !== batch.columns.length ||
      expected.some((column, index) => column !== batch.columns[index])
    ) {
      throw outdated(system, batch.collection);
    }
    for (const tuple of batch.tuples) {
      for (const [index, values] of buffer.columns.entries()) values.push(tuple[index] ?? null);
    }
    if ((buffer.columns[0]?.length ?? 0) >= KEYS_PER_STATEMENT) await send(buffer);
  }
  for (const buffer of buffers.values()) await send(buffer);
  await sending;

  const sets = [...buffers.values()].map(
    ({ collection, effect, number }): KeySet => ({
      collection,
      effect,
      table: tableOf(collection),
      condition: `e.effect = ${number}`,
    }),
  );
  const collections = sets.map((set) => set.collection);
  for (const collection of new Set(
    collections.filter((name, index) => collections.indexOf(name) !== index),
  )) {
    await transaction.change(
      `delete from ${tableOf(collection)} e using ${tableOf(collection)} later
        where ${collection.key.map((_, index) => `e.k${index + 1} = later.k${index + 1}`).join(' and ')}
          and later.sequence > e.sequence and later.effect <> e.effect`,
    );
  }
  return sets;
}

interface ArrayParameter {
  readonly sql: string;
  readonly value: unknown;
  readonly cast: (column: string) => string;
}

const PLAIN: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint', 'uuid']);

/** Values of plain types need no escapes, so that the array is written, sent and read several times as fast. */
function arrayParameter(type: string, values: readonly Text[], position: number): ArrayParameter {
  if (PLAIN.has(type)) {
    const joined = values.join(',');
    if (/^[-0-9a-f,]*$/.test(joined)) {
      return { sql: `$${position}::${type}[]`, value: `{${joined}}`, cast: (column) => column };
    }
  }
  const cast = type === 'text' ? (column: string) => column : (column: string) => `${column}::${type}`;
  return { sql: `$${position}::text[]`, value: values, cast };
}

function createTable(collection: CompiledCollection): string {
  const columns = [
    ...collection.key.map((part, index) => `k${index + 1} ${part.type} not null`),
    ...collection.cuts.flatMap((cut, cutIndex) =>
      cut.columns.map((_, index) => `c${cutIndex}_${index} text`),
    ),
  ];
  return `create temporary table if not exists ${tableOf(collection).replace('pg_temp.', '')}
    (${columns.join(', ')}, effect int not null, sequence int not null) on commit delete rows`;
}

function tableOf(collection: CompiledCollection): string {
  const widths = collection.cuts.map((cut) => cut.columns.length);
  return `${collection.found.replace('habeas_found_', 'habeas_keys_')}_${widths.join('_')}`.slice(
    0,
    'pg_temp.'.length + 63,
  );
}

function cutColumns(collection: CompiledCollection, effect: Effect): readonly string[] {
  return effect.cuts.flatMap((cut) =>
    cut.columns.map((_, index) => `c${collection.cuts.indexOf(cut)}_${index}`),
  );
}

function outdated(system: string, collection: string): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    `The stored keys of ${collection} in ${system} do not fit its dataset or its schema any more. Cancel the request and make it again, so that the keys are located anew.`,
  );
}
