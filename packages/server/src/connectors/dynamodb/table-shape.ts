import type { AttributeMap } from './attribute-values.ts';
import type { ItemCollection } from './compile-dynamodb.ts';
import type { DynamoDb } from './dynamodb-calls.ts';

/** What of a table matters for finding items. */
export interface TableShape {
  /** Names of the attributes of the primary key: one or two. */
  readonly key: readonly string[];
  /** By attribute that a key or an index begins with: the index (undefined: the table itself) and how it writes values. */
  readonly ways: ReadonlyMap<string, { readonly index: string | undefined; readonly type: string }>;
  readonly hasStream: boolean;
}

interface Described {
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: string }[];
  readonly AttributeDefinitions: readonly {
    readonly AttributeName: string;
    readonly AttributeType: string;
  }[];
  readonly GlobalSecondaryIndexes?: readonly {
    readonly IndexName: string;
    readonly IndexStatus?: string;
    readonly KeySchema: Described['KeySchema'];
  }[];
  readonly StreamSpecification?: { readonly StreamEnabled?: boolean };
}

export async function tableShape(client: DynamoDb, table: string, signal: AbortSignal): Promise<TableShape> {
  const { Table } = await client.ask('DescribeTable', { TableName: table }, signal);
  const described = Table as Described;
  const types = new Map(described.AttributeDefinitions.map((one) => [one.AttributeName, one.AttributeType]));
  const ways = new Map<string, { readonly index: string | undefined; readonly type: string }>();
  const add = (keySchema: Described['KeySchema'], index: string | undefined) => {
    const first = keySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
    if (first !== undefined && !ways.has(first)) ways.set(first, { index, type: types.get(first) ?? 'S' });
  };
  add(described.KeySchema, undefined);
  // An index that is being built has not all items yet.
  for (const index of described.GlobalSecondaryIndexes ?? [])
    if ((index.IndexStatus ?? 'ACTIVE') === 'ACTIVE') add(index.KeySchema, index.IndexName);
  return {
    key: described.KeySchema.map(({ AttributeName }) => AttributeName),
    ways,
    hasStream: described.StreamSpecification?.StreamEnabled === true,
  };
}

/** How items of a group are found: by an attribute that a key or an index begins with, or by reading the whole table. */
export type Way = { readonly kind: 'query'; readonly attribute: string } | { readonly kind: 'scan' };

/**
 * The way to the items of a group of fields; in words, what is missing. An index leads to values as they are written only, so that one in any
 * case needs the table, too.
 */
export function wayOf(
  shape: TableShape,
  { name, table, scan }: ItemCollection,
  group: ItemCollection['groups'][number],
): Way | string {
  const field = group.find((one) => one.match === 'exact' && shape.ways.has(one.name));
  if (field !== undefined) return { kind: 'query', attribute: field.name };
  if (scan) return { kind: 'scan' };
  const fields = group.map((field) => `"${field.name}"`).join(', ');
  return `No key and no index of the table ${table} begins with ${fields} of "${name}", or its values are compared in any case, as addresses of mail are: make an index and give the field \`habeas: { match: exact }\`, or let the whole table be read with \`dynamodb: { scan: true }\`.`;
}

/** The primary key of an item, with its attributes always in the same order. */
export function keyOf(item: AttributeMap, { key }: Pick<TableShape, 'key'>): AttributeMap {
  return Object.fromEntries(key.map((name) => [name, item[name] ?? {}]));
}
