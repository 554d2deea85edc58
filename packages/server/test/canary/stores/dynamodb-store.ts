import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttributeMap } from '../../../src/connectors/dynamodb/attribute-values.ts';
import { createDynamoDb, type DynamoDb } from '../../../src/connectors/dynamodb/dynamodb-calls.ts';
import { systemClock } from '../../../src/foundation/index.ts';
import type { MotoServer } from '../../moto-server.ts';
import { S3_OPTIONS } from '../../s3-bucket.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import { once } from '../once.ts';
import type { MarkedPerson } from '../people.ts';

const TABLE = 'prod-orders';
const DATASET = `
dataset:
  - fides_key: tables
    collections:
      - name: orders
        habeas: { on_erase: delete, dynamodb: { table: ${TABLE} } }
        fields:
          - { name: customer, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { match: exact } }
`;

const { signal } = new AbortController();
const BATCH = 25;

export async function openDynamoDbStore({
  folder,
  people,
  moto,
}: StoreOptions & { readonly moto: MotoServer }): Promise<CanaryStore> {
  const account = {
    endpoint: moto.url,
    region: S3_OPTIONS.region,
    accessKeyId: 'other',
    secretAccessKey: 'other',
  };
  const client = createDynamoDb({ key: 'test', account, clock: systemClock });
  await fill(client, people);
  const items = async (): Promise<readonly AttributeMap[]> => {
    const all: AttributeMap[] = [];
    let from: unknown;
    do {
      const page: Readonly<Record<string, unknown>> = await client.ask(
        'Scan',
        { TableName: TABLE, ...(from === undefined ? {} : { ExclusiveStartKey: from }) },
        signal,
      );
      all.push(...(page.Items as readonly AttributeMap[]));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return all;
  };
  return {
    key: 'tables',
    connection: { kind: 'dynamodb', url: moto.url, options: S3_OPTIONS },
    dataset: DATASET,
    async contents() {
      return new Map(
        (await items()).map((item) => [JSON.stringify([item.customer, item.at]), JSON.stringify(item)]),
      );
    },
    stop: once(async () => {
      writeFileSync(join(folder, 'items.json'), JSON.stringify(await items()));
      client.close();
      return folder;
    }),
    copies: [],
    [Symbol.asyncDispose]: async () => client.close(),
  };
}

async function fill(client: DynamoDb, people: readonly MarkedPerson[]): Promise<void> {
  const named = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
  const part = (AttributeName: string, KeyType: string) => ({ AttributeName, KeyType });
  await client.ask(
    'CreateTable',
    {
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [part('customer', 'HASH'), part('at', 'RANGE')],
      AttributeDefinitions: ['customer', 'at', 'email'].map(named),
      GlobalSecondaryIndexes: [
        { IndexName: 'by-email', KeySchema: [part('email', 'HASH')], Projection: { ProjectionType: 'ALL' } },
      ],
    },
    signal,
  );
  const items = people.flatMap(({ userId, email, mark, uuid }): AttributeMap[] =>
    ['1', '2'].map((at) => ({
      customer: { S: userId },
      at: { S: `${at}-${mark}` },
      email: { S: email },
      about: { M: { motto: { S: `I am ${mark}` }, liked: { SS: [`${mark} 1`, `${mark} 2`] } } },
      token: { B: Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64') },
    })),
  );
  for (let from = 0; from < items.length; from += BATCH)
    await client.ask(
      'BatchWriteItem',
      {
        RequestItems: { [TABLE]: items.slice(from, from + BATCH).map((Item) => ({ PutRequest: { Item } })) },
      },
      signal,
    );
}
