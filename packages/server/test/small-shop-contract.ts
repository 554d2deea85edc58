import { expect } from 'vitest';
import type { Connector, ContractSubject, LocatedScope } from '../src/connectors/index.ts';
import { arrayOf, located, scopeOf } from './connector-contract.ts';
import { SMALL_SHOP, SMALL_SHOP_DATASET, SMALL_SHOP_TABLES } from './small-shop.ts';

export const ANN = [{ type: 'email', value: 'ann@example.com' }];
export const BOB = [{ type: 'email', value: 'bob@example.com' }];

/** The small shop with a person whose whole id is `0`, and one whose id is an empty text. */
export const FALSY_SHOP = `${SMALL_SHOP}
  insert into customers values (0, 'zero@example.com', 'Zero', null, '1970-01-01');
  create table badges (code text primary key, label text);
  insert into badges values ('', 'of nobody in particular'), ('7', 'of Cid');`;

export const FALSY_SHOP_TABLES = [...SMALL_SHOP_TABLES, 'badges'];

export const FALSY_SHOP_DATASET = `${SMALL_SHOP_DATASET.trimEnd()}
      - name: badges
        habeas: { on_erase: delete }
        fields:
          - { name: code, data_categories: [user.unique_id], fides_meta: { primary_key: true, identity: badge } }
          - { name: label, data_categories: [user.name] }`;

/** That shop as the rules of every connector ask for it. */
export function shopSubject(connector: Connector, snapshot: () => Promise<unknown>): ContractSubject {
  return {
    connector,
    person: ANN,
    // Bob loses what he answered when Ann is erased; Cid has nothing to do with her.
    other: [
      { type: 'email', value: 'cid@example.com' },
      { type: 'badge', value: '7' },
    ],
    falsy: [[{ type: 'customer_id', value: '0' }], [{ type: 'badge', value: '' }]],
    snapshot,
    close: async () => undefined,
  };
}

/** Expects an erasure of Ann that is aborted when all keys were read to fail, and to leave everything as it was. */
export async function expectAbortedErasure(
  connector: Connector,
  snapshot: () => Promise<unknown>,
): Promise<void> {
  const before = await snapshot();
  const keys = await arrayOf((await located({ connector }, ANN)).keys());
  const controller = new AbortController();
  const scope: LocatedScope = {
    ...scopeOf(ANN, keys),
    signal: controller.signal,
    async *keys() {
      yield* keys;
      controller.abort();
    },
  };
  await expect(connector.erase(scope, 'erase')).rejects.toThrow();
  expect(await snapshot()).toEqual(before);
}

/** A dataset of one table with these fields. */
export const people = (fields: string): string => `
dataset:
  - fides_key: shop
    collections:
      - name: people
        habeas: { on_erase: delete }
        fields:${fields}`;
