import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Identity, parseDatasets } from '../src/catalog/index.ts';
import type { Connector } from '../src/connectors/index.ts';
import type { ObjectStore } from '../src/connectors/objects/object-store.ts';
import { createObjectsConnector } from '../src/connectors/objects/objects-connector.ts';
import { fixedClock, systemClock } from '../src/foundation/index.ts';
import { erase, located, testConnectorContract } from './connector-contract.ts';

/** A dataset of a lake: whole objects, lines and tables. */
export const LAKE = `
dataset:
  - fides_key: lake
    collections:
      - name: avatars
        habeas: { on_erase: delete, objects: { key: "avatars/{user_id}.*" } }
        fields: &id
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
      - name: events
        habeas: { on_erase: delete, objects: { key: "events/date=*/**", format: json-lines } }
        fields: &person
          - { name: user.id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { match: case-insensitive } }
      - name: orders
        habeas: { on_erase: delete, objects: { key: "orders/*.csv", format: csv } }
        fields: *id
`;

export const id = (value: string, type = 'user_id'): readonly Identity[] => [{ type, value }];
export const ANN = [...id('7'), ...id('ann@example.com', 'email')];
export const BOB = [...id('77'), ...id('bob@example.com', 'email')];

const EVENTS = [
  '{"user":{"id":7},"what":"login"}\n',
  '{"user":{"id":77},"what":"login"}\r\n',
  '{"user":{"id":"0"}}\n',
  '{"user":{"id":""}}\n',
  '{"email":"Ann@Example.com","n":1}\n',
  '{"email":"joann@example.com","n":2}',
];
const PACKED = 'events/date=2026-01-02/hour=3/c.jsonl.gz';

/** A store of objects of a test's own, and what people other than Habeas do with it. */
export interface LakeStore {
  /** As a connection has it. */
  readonly url: string;
  put(key: string, body: string | Buffer): Promise<void>;
  /** Every version with its content, by key; marks that say that it was deleted as null. */
  versions(): Promise<Readonly<Record<string, readonly (string | null)[]>>>;
  store(): ObjectStore;
}

/** Ann's and Bob's objects, and some that only look as if they were theirs. */
export async function fillLake(store: Pick<LakeStore, 'put'>): Promise<void> {
  await store.put('avatars/7.png', 'ann old');
  await store.put('avatars/7.png', Buffer.from([0xff, 0x00]));
  await store.put('avatars/77.png', 'bob');
  await store.put('avatars/gone/7.png', 'another folder');
  await store.put('events/date=2026-01-01/a+b & ü.jsonl', EVENTS.join(''));
  await store.put('events/date=2026-01-02/b.jsonl', '{"user":{"id":77}}\n');
  await store.put(PACKED, gzipSync(Buffer.from(EVENTS.slice(0, 2).join(''))));
  await store.put('other/7.jsonl', EVENTS.join(''));
  await store.put('orders/1.csv', 'user_id,what\r\n7,"a\nb"\r\n77,c\r\n');
}

export interface LakeOptions {
  /** (Default: that of the lake) */
  readonly dataset?: string;
  /** (Default: the time that it is) */
  readonly now?: string;
  /** Of the connection. (Default: those by which everything may be done) */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Ways to connect a lake. */
export function connectLakes<Store extends LakeStore>(
  optionsOf: (store: Store) => Readonly<Record<string, unknown>>,
) {
  const settings = (store: Store, { dataset, now, options }: LakeOptions = {}) => ({
    key: 'lake',
    url: store.url,
    folder: '/',
    options: options ?? optionsOf(store),
    datasets: parseDatasets(dataset ?? LAKE, 'lake.yml'),
    keepRules: [],
    clock: now === undefined ? systemClock : fixedClock(now),
    connections: 4,
  });
  return {
    settings,
    /** A connector on a store of which some methods are others. */
    connectWith(made: Store, change: (store: ObjectStore) => Partial<ObjectStore>): Connector {
      const store = made.store();
      return createObjectsConnector(settings(made), { ...store, ...change(store) });
    },
  };
}

/** What holds of a lake wherever it lies. */
export function testLake(
  name: string,
  open: () => Promise<{ readonly store: LakeStore; readonly connector: Connector }>,
): void {
  testConnectorContract(
    name,
    async () => {
      const { store, connector } = await open();
      return {
        connector,
        person: ANN,
        other: BOB,
        falsy: [id('0'), id('')],
        snapshot: () => store.versions(),
        close: () => connector.close(),
      };
    },
    { skipped: { discover: /discovery/, sample: /samples/, resolve: /no identities/ } },
  );
}

/** Exactly the person's rows and objects go, from a store that has one version of each now. */
export function testExactErasure(
  name: string,
  open: () => Promise<{ readonly store: LakeStore; readonly connector: Connector }>,
): void {
  test(`exactly the person’s rows and objects go: ${name}`, async () => {
    const { store, connector } = await open();
    const before = await store.versions();
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).counts).toEqual({ avatars: 1, events: 3, orders: 1 });
    const after = await store.versions();
    const packed = after[PACKED];
    expect(packed?.map((text) => gunzipSync(Buffer.from(text ?? '', 'latin1')).toString())).toEqual([
      EVENTS[1],
    ]);
    const { 'avatars/7.png': _, ...rest } = before;
    expect(after).toEqual({
      ...rest,
      'events/date=2026-01-01/a+b & ü.jsonl': [[EVENTS[1], EVENTS[2], EVENTS[3], EVENTS[5]].join('')],
      [PACKED]: packed,
      'orders/1.csv': ['user_id,what\r\n77,c\r\n'],
    });
    await connector.close();
  });
}
