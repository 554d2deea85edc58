import { beforeAll, describe, expect, test } from 'vitest';
import { type Asked, startProxy } from '../../../test/aws-proxy.ts';
import {
  collect,
  erase,
  located,
  scopeOf,
  sum,
  testConnectorContract,
} from '../../../test/connector-contract.ts';
import { type MotoServer, startMoto } from '../../../test/moto-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { type Identity, parseDatasets } from '../../catalog/index.ts';
import { systemClock } from '../../foundation/index.ts';
import type { AttributeMap } from './attribute-values.ts';
import { createDynamoDb, type DynamoDb } from './dynamodb-calls.ts';
import { createDynamoDbConnector } from './index.ts';

const program = requireProgram('moto_server', '--help');
const { signal } = new AbortController();
const OPTIONS = { region: 'us-east-1', access_key_id: 'AKIATEST', secret_access_key: 'secret' };

const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: orders
        habeas: { on_erase: delete }
        fields:
          - { name: customer, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { match: exact } }
      - name: notes
        habeas: { on_erase: delete, dynamodb: { scan: true, together: [[tenant, author.id]] } }
        fields:
          - { name: about, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { match: case-insensitive } }
          - { name: call, data_categories: [user.contact.phone_number], fides_meta: { identity: phone_number } }
          - { name: tenant, data_categories: [user.unique_id], fides_meta: { identity: tenant_id } }
          - { name: author.id, data_categories: [user.unique_id], fides_meta: { identity: author_id } }
          - { name: user, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;

const id = (value: string, type = 'user_id'): readonly Identity[] => [{ type, value }];
const ANN = [...id('7'), ...id('ann@example.com', 'email')];
const BOB = [...id('77'), ...id('bob@example.com', 'email')];

const ITEMS: Readonly<Record<string, readonly AttributeMap[]>> = {
  orders: [
    { customer: { N: '7' }, at: { S: 'a' }, email: { S: 'someone@example.com' } },
    {
      customer: { N: '7' },
      at: { S: 'b' },
      what: { M: { bytes: { B: '/wA=' }, n: { N: '12345678901234567890' } } },
    },
    { customer: { N: '8' }, at: { S: 'a' }, email: { S: 'ann@example.com' }, ends: { N: '1800000000' } },
    { customer: { N: '77' }, at: { S: 'a' }, email: { S: 'bob@example.com' } },
    { customer: { N: '0' }, at: { S: 'a' } },
  ],
  notes: [
    { id: { S: '1' }, about: { SS: ['Ann@Example.com', 'other@example.com'] } },
    { id: { S: '2' }, about: { S: 'joann@example.com' }, user: { S: '77' } },
    { id: { S: '3' }, tenant: { S: 'x' }, author: { M: { id: { N: '5' } } } },
    { id: { S: '4' }, tenant: { S: 'y' }, author: { M: { id: { N: '5' } } } },
    { id: { S: '5' }, user: { S: '' }, call: { SS: ['+44 20 7946', '1'] } },
  ],
};

async function fill(client: DynamoDb): Promise<void> {
  const { TableNames } = await client.ask('ListTables', {}, signal);
  for (const name of TableNames as readonly string[])
    await client.ask('DeleteTable', { TableName: name }, signal);
  const type = (AttributeName: string, AttributeType: string) => ({ AttributeName, AttributeType });
  const part = (AttributeName: string, KeyType: string) => ({ AttributeName, KeyType });
  await client.ask(
    'CreateTable',
    {
      TableName: 'orders',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [part('customer', 'HASH'), part('at', 'RANGE')],
      AttributeDefinitions: [type('customer', 'N'), type('at', 'S'), type('email', 'S')],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-email',
          KeySchema: [part('email', 'HASH')],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'OLD_IMAGE' },
    },
    signal,
  );
  await client.ask(
    'CreateTable',
    {
      TableName: 'notes',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [part('id', 'HASH')],
      AttributeDefinitions: [type('id', 'S')],
    },
    signal,
  );
  for (const [TableName, items] of Object.entries(ITEMS))
    for (const Item of items) await client.ask('PutItem', { TableName, Item }, signal);
}

async function snapshot(client: DynamoDb): Promise<Readonly<Record<string, readonly string[]>>> {
  const found: Record<string, readonly string[]> = {};
  for (const TableName of Object.keys(ITEMS)) {
    const { Items } = await client.ask('Scan', { TableName }, signal);
    found[TableName] = (Items as readonly AttributeMap[]).map(sorted).sort();
  }
  return found;
}

const sorted = (item: AttributeMap): string =>
  JSON.stringify(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)));

const without = (...gone: readonly (readonly [table: string, index: number])[]) =>
  Object.fromEntries(
    Object.entries(ITEMS).map(([table, items]) => [
      table,
      items
        .filter((_, at) => !gone.some(([name, index]) => name === table && index === at))
        .map(sorted)
        .sort(),
    ]),
  );

const connect = (url: string, dataset = DATASET) =>
  createDynamoDbConnector({
    key: 'shop',
    url,
    folder: '/',
    options: OPTIONS,
    datasets: parseDatasets(dataset, 'shop.yml'),
    keepRules: [],
    clock: systemClock,
    connections: 4,
  });

describe.skipIf(program === undefined)('DynamoDB', () => {
  let moto: MotoServer;
  let client: DynamoDb;
  beforeAll(async () => {
    moto = await startMoto();
    const account = {
      endpoint: moto.url,
      region: 'us-east-1',
      accessKeyId: 'AKIATEST',
      secretAccessKey: 'secret',
    };
    client = createDynamoDb({ key: 'test', account, clock: systemClock });
    return async () => {
      client.close();
      await moto[Symbol.asyncDispose]();
    };
  });

  testConnectorContract(
    'DynamoDB',
    async () => {
      await fill(client);
      const connector = connect(moto.url);
      return {
        connector,
        person: ANN,
        other: BOB,
        falsy: [id('0'), id('')],
        snapshot: () => snapshot(client),
        close: () => connector.close(),
      };
    },
    { skipped: { discover: /discovery/, sample: /samples/, resolve: /no identities/ } },
  );

  test('items are found by key, by index and by reading the table, and exactly these go', async () => {
    await fill(client);
    const connector = connect(moto.url);
    const scope = await located({ connector }, ANN);
    const { counts, residuals } = await erase({ connector }, scope);
    expect(counts).toEqual({ orders: 3, notes: 1 });
    expect(residuals.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^The stream of the table orders/),
    ]);
    expect(await snapshot(client)).toEqual(
      without(['orders', 0], ['orders', 1], ['orders', 2], ['notes', 0]),
    );
    expect((await connector.verify(scope)).remaining).toEqual({ orders: 0, notes: 0 });
    await connector.close();
  });

  test('identities that name a person only together have to stand in one item', async () => {
    await fill(client);
    const connector = connect(moto.url);
    await expect(located({ connector }, id('5', 'author_id'))).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
    await erase(
      { connector },
      await located({ connector }, [...id('5', 'author_id'), ...id('x', 'tenant_id')]),
    );
    expect(await snapshot(client)).toEqual(without(['notes', 2]));
    await connector.close();
  });

  test('what is given has every type, and says when items end', async () => {
    await fill(client);
    await client.ask(
      'UpdateTimeToLive',
      { TableName: 'orders', TimeToLiveSpecification: { Enabled: true, AttributeName: 'ends' } },
      signal,
    );
    const connector = connect(moto.url);
    const { items, evidence } = await collect({ connector }, ANN);
    expect(items.filter(({ collection }) => collection === 'orders').map(({ row }) => row)).toEqual([
      { customer: 7, at: 'a', email: 'someone@example.com' },
      { customer: 7, at: 'b', what: { bytes: { base64: '/wA=' }, n: '12345678901234567890' } },
      {
        customer: 8,
        at: 'a',
        email: 'ann@example.com',
        ends: 1_800_000_000,
        expires_at: '2027-01-15T08:00:00.000Z',
      },
    ]);
    expect(evidence.notes).toEqual([
      expect.stringMatching(/^2 items of orders have no time to live/),
      expect.stringMatching(/^1 items of notes/),
    ]);
    await connector.close();
  });

  test('all pages are read and everything is deleted, also what the service does not come to at once', async () => {
    await fill(client);
    const text = { S: 'x'.repeat(20_000) };
    for (let at = 0; at < 120; at += 1)
      await client.ask(
        'PutItem',
        { TableName: 'orders', Item: { customer: { N: '7' }, at: { S: `${at}` }, text } },
        signal,
      );
    let writes = 0;
    let queries = 0;
    await using between = await startProxy(moto.url, ({ headers }: Asked) => {
      const operation = String(headers['x-amz-target']).split('.').at(-1);
      if (operation === 'Query') queries += 1;
      if (operation !== 'BatchWriteItem') return undefined;
      writes += 1;
      return writes % 2 === 1
        ? { status: 400, body: '{"__type":"com.amazonaws#ThrottlingException"}' }
        : undefined;
    });
    const connector = connect(between.url);
    const scope = await located({ connector }, id('7'));
    // A page has at most a mebibyte.
    expect(queries).toBeGreaterThan(2);
    expect((await erase({ connector }, scope)).counts).toEqual({ orders: 122 });
    expect(await snapshot(client)).toEqual(without(['orders', 0], ['orders', 1]));
    await connector.close();
  });

  test('what the service left undone of a batch, read or deleted, is asked again until nothing is left', async () => {
    await fill(client);
    for (let at = 0; at < 30; at += 1)
      await client.ask(
        'PutItem',
        { TableName: 'orders', Item: { customer: { N: '7' }, at: { S: `${at}` } } },
        signal,
      );
    const half = <One>(all: readonly One[]) =>
      [all.slice(0, all.length >> 1), all.slice(all.length >> 1)] as const;
    const undone = { BatchGetItem: 0, BatchWriteItem: 0 };
    await using between = await startProxy(moto.url, ({ headers }: Asked) => {
      const operation = String(headers['x-amz-target']).split('.').at(-1);
      if (operation === 'BatchGetItem')
        return {
          async bodyFor(asked) {
            const { Keys, ...rest } = JSON.parse(asked).RequestItems.orders;
            const [done, left] = Keys.length > 1 ? half(Keys) : [Keys, []];
            undone.BatchGetItem += left.length;
            const read = { RequestItems: { orders: { ...rest, Keys: done } } };
            const { Responses } = await client.ask('BatchGetItem', read, signal);
            const UnprocessedKeys = left.length === 0 ? {} : { orders: { ...rest, Keys: left } };
            return JSON.stringify({ Responses, UnprocessedKeys });
          },
        };
      if (operation !== 'BatchWriteItem') return undefined;
      return {
        async bodyFor(asked) {
          const { orders } = JSON.parse(asked).RequestItems;
          const [done, left] = orders.length > 1 ? half(orders) : [orders, []];
          undone.BatchWriteItem += left.length;
          await client.ask('BatchWriteItem', { RequestItems: { orders: done } }, signal);
          return JSON.stringify({ UnprocessedItems: left.length === 0 ? {} : { orders: left } });
        },
      };
    });
    const connector = connect(between.url);
    const scope = await located({ connector }, id('7'));
    expect((await erase({ connector }, scope)).counts).toEqual({ orders: 32 });
    expect(undone.BatchGetItem).toBeGreaterThan(30);
    expect(undone.BatchWriteItem).toBeGreaterThan(30);
    expect(await snapshot(client)).toEqual(without(['orders', 0], ['orders', 1]));
    await connector.close();
  });

  test('a service that is gone in the middle of an erasure is tried again, and a retry ends in the same state', async () => {
    await fill(client);
    for (let at = 0; at < 60; at += 1)
      await client.ask(
        'PutItem',
        { TableName: 'orders', Item: { customer: { N: '7' }, at: { S: `${at}` } } },
        signal,
      );
    let isGone = false;
    let writes = 0;
    await using between = await startProxy(moto.url, ({ headers }: Asked) => {
      if (String(headers['x-amz-target']).endsWith('.BatchWriteItem')) {
        writes += 1;
        if (writes === 2) isGone = true;
      }
      return isGone ? 'cut' : undefined;
    });
    const connector = connect(between.url);
    const scope = await located({ connector }, id('7'));
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
    expect((await connector.check()).ok).toBe(false);
    isGone = false;
    const again = await connector.erase({ ...scope, unanswered: true }, 'erase');
    expect(again).toMatchObject({ state: 'done', evidence: { counts: { orders: 62 } } });
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
    expect(await snapshot(client)).toEqual(without(['orders', 0], ['orders', 1]));
    await connector.close();
  });

  test('a telephone number is found however it is written, where the whole table is read', async () => {
    await fill(client);
    const connector = connect(moto.url);
    const nobody = await located({ connector }, id('020 7946', 'phone_number'));
    expect((await erase({ connector }, nobody)).counts).toEqual({});
    const scope = await located({ connector }, id('0044 (0)20-7946', 'phone_number'));
    expect((await erase({ connector }, scope)).counts).toEqual({ notes: 1 });
    expect(await snapshot(client)).toEqual(without(['notes', 4]));
    await connector.close();
  });

  test('an item that became somebody else’s since it was found stays', async () => {
    await fill(client);
    const connector = connect(moto.url);
    const scope = await located({ connector }, id('ann@example.com', 'email'));
    const Item = { customer: { N: '8' }, at: { S: 'a' }, email: { S: 'eve@example.com' } };
    await client.ask('PutItem', { TableName: 'orders', Item }, signal);
    expect((await erase({ connector }, scope)).counts).toEqual({ notes: 1 });
    expect((await snapshot(client)).orders).toContain(sorted(Item));
    await connector.close();
  });

  test('a field without a way to it stops the search, and the check says so', async () => {
    await fill(client);
    const connector = connect(moto.url, DATASET.replace('scan: true, ', ''));
    expect(await connector.check()).toMatchObject({
      ok: false,
      problems: [
        expect.stringMatching(/"tenant", "author.id" of "notes"/),
        expect.stringMatching(/"about" of "notes"/),
        expect.stringMatching(/"call" of "notes"/),
        expect.stringMatching(/"user" of "notes"/),
      ],
    });
    await expect(located({ connector }, id('7'))).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    await connector.close();
  });

  test('a service that does not let us in says which operation it refused', async () => {
    await fill(client);
    let refused = '';
    await using between = await startProxy(moto.url, ({ headers }: Asked) =>
      String(headers['x-amz-target']).endsWith(`.${refused}`)
        ? { status: 400, body: '{"__type":"com.amazon.coral.service#AccessDeniedException"}' }
        : undefined,
    );
    const connector = connect(between.url);
    const scope = await located({ connector }, ANN);
    refused = 'BatchWriteItem';
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_REFUSED',
      message: expect.stringMatching(/BatchWriteItem answers AccessDeniedException/),
    });
    refused = 'DescribeContinuousBackups';
    const { residuals } = await erase({ connector }, scope);
    expect(residuals).toContainEqual({
      what: expect.stringMatching(/may not read about/),
      until: null,
      copy: 'backups',
    });
    await connector.close();
  });

  test('without a table nothing is done', async () => {
    await fill(client);
    await client.ask('DeleteTable', { TableName: 'notes' }, signal);
    const connector = connect(moto.url);
    await expect(connector.erase(scopeOf(ANN, []), 'erase')).resolves.toMatchObject({ state: 'done' });
    await expect(located({ connector }, ANN)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    expect(await connector.check()).toMatchObject({ ok: false });
    await connector.close();
  });
});
