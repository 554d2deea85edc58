import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { createRowSearch, type RowSearch, type SoughtRow } from '../objects/row-search.ts';
import { soughtRows } from '../objects/sought-rows.ts';
import { type AttributeMap, textsAt } from './attribute-values.ts';
import type { ItemCollection } from './compile-dynamodb.ts';
import { type DynamoDb, pauseAfter } from './dynamodb-calls.ts';
import { keyOf, type TableShape, wayOf } from './table-shape.ts';

export interface FindItems {
  readonly client: DynamoDb;
  readonly shape: TableShape;
  readonly collection: ItemCollection;
  readonly identities: readonly Identity[];
  readonly signal: AbortSignal;
}

const KEYS_AT_ONCE = 100;

/**
 * The person's items, each once: their keys come from queries of the table or an index, all pages of them, and then each is read from the
 * table itself, consistently, and compared. What an index still has and the table has not is no item.
 */
export async function* findItems(options: FindItems): AsyncGenerator<AttributeMap> {
  const { client, collection, identities, signal } = options;
  const sought = soughtRows(collection, identities, 0);
  if (sought.length === 0) return;
  const search = createRowSearch(sought);
  const seen = new Set<string>();
  let keys: AttributeMap[] = [];
  for await (const key of candidates(sought, options)) {
    const name = JSON.stringify(key);
    if (seen.has(name)) continue;
    seen.add(name);
    keys.push(key);
    if (keys.length < KEYS_AT_ONCE) continue;
    yield* theirs(await readItems(client, { table: collection.table, keys, signal }), search);
    keys = [];
  }
  if (keys.length > 0)
    yield* theirs(await readItems(client, { table: collection.table, keys, signal }), search);
}

/** Whether an item is theirs now. */
export function isTheirs(item: AttributeMap, search: RowSearch): boolean {
  const row = search.columns.map(({ path }, column) =>
    [...textsAt({ M: item }, path)].flatMap((value) => search.textOf(column, value) ?? []),
  );
  return search.whose(row).size > 0;
}

function theirs(items: readonly AttributeMap[], search: RowSearch): readonly AttributeMap[] {
  return items.filter((item) => isTheirs(item, search));
}

async function* candidates(sought: readonly SoughtRow[], options: FindItems): AsyncGenerator<AttributeMap> {
  const { shape, collection } = options;
  const scanned: SoughtRow[] = [];
  for (const group of collection.groups) {
    const rows = sought.filter(({ all }) =>
      all.every((one, at) => one.column.path.join('.') === group[at]?.name),
    );
    if (rows.length === 0) continue;
    const way = wayOf(shape, collection, group);
    if (typeof way === 'string') throw new HabeasError('SCHEMA_MISMATCH', `${way} Nothing was changed.`);
    if (way.kind === 'scan') {
      scanned.push(...rows);
      continue;
    }
    const values = rows.flatMap(({ all }) =>
      all.filter(({ column }) => column.path.join('.') === way.attribute),
    );
    for (const value of new Set(values.flatMap((one) => writtenAs(one.value))))
      yield* queried(way.attribute, value, options);
  }
  if (scanned.length === 0) return;
  const search = createRowSearch(scanned);
  for await (const item of pages('Scan', { TableName: collection.table, ConsistentRead: true }, options))
    if (isTheirs(item, search)) yield keyOf(item, shape);
}

async function* queried(name: string, value: string, options: FindItems): AsyncGenerator<AttributeMap> {
  const { shape, collection } = options;
  const way = shape.ways.get(name);
  // No key is empty, and none that is a number has letters.
  if (way === undefined || value === '' || (way.type === 'N' && !/^-?\d+(\.\d+)?$/.test(value))) return;
  const input = {
    TableName: collection.table,
    ...(way.index === undefined ? { ConsistentRead: true } : { IndexName: way.index }),
    KeyConditionExpression: '#name = :value',
    ExpressionAttributeNames: { '#name': name },
    ExpressionAttributeValues: {
      ':value': { [way.type]: way.type === 'B' ? Buffer.from(value).toString('base64') : value },
    },
  };
  for await (const item of pages('Query', input, options)) yield keyOf(item, shape);
}

function writtenAs(value: string): readonly string[] {
  return [...new Set([value, value.normalize('NFC'), value.normalize('NFD')])];
}

async function* pages(
  operation: 'Query' | 'Scan',
  input: object,
  { client, signal }: Pick<FindItems, 'client' | 'signal'>,
): AsyncGenerator<AttributeMap> {
  let from: object = {};
  for (;;) {
    const { Items, LastEvaluatedKey } = await client.ask(operation, { ...input, ...from }, signal);
    if (Array.isArray(Items)) yield* Items as readonly AttributeMap[];
    if (LastEvaluatedKey === undefined || LastEvaluatedKey === null) return;
    from = { ExclusiveStartKey: LastEvaluatedKey };
  }
}

/** Items by their keys, as they are in the table now; those that are gone are left out. At most 100 keys. */
export async function readItems(
  client: DynamoDb,
  {
    table,
    keys,
    signal,
  }: { readonly table: string; readonly keys: readonly AttributeMap[]; readonly signal: AbortSignal },
): Promise<readonly AttributeMap[]> {
  const items: AttributeMap[] = [];
  let left: unknown = { [table]: { Keys: keys, ConsistentRead: true } };
  for (let turn = 1; ; turn += 1) {
    const reply = await client.ask('BatchGetItem', { RequestItems: left }, signal);
    const found = (reply.Responses as Readonly<Record<string, readonly AttributeMap[]>> | undefined)?.[table];
    items.push(...(found ?? []));
    left = reply.UnprocessedKeys;
    if (isNothing(left)) return items;
    await sleep(pauseAfter(turn), undefined, { signal });
  }
}

const DELETES_AT_ONCE = 25;

/** Deletes items by their keys; what the service did not come to is asked again. */
export async function deleteItems(
  client: DynamoDb,
  {
    table,
    keys,
    signal,
  }: { readonly table: string; readonly keys: readonly AttributeMap[]; readonly signal: AbortSignal },
): Promise<void> {
  for (let at = 0; at < keys.length; at += DELETES_AT_ONCE) {
    const requests = keys.slice(at, at + DELETES_AT_ONCE).map((Key) => ({ DeleteRequest: { Key } }));
    let left: unknown = { [table]: requests };
    for (let turn = 1; !isNothing(left); turn += 1) {
      left = (await client.ask('BatchWriteItem', { RequestItems: left }, signal)).UnprocessedItems;
      if (!isNothing(left)) await sleep(pauseAfter(turn), undefined, { signal });
    }
  }
}

function isNothing(left: unknown): boolean {
  return typeof left !== 'object' || left === null || Object.keys(left).length === 0;
}
