import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  identityOf,
  openTargetHouse,
  PEOPLE,
  PURPOSES,
  type Said,
  type TargetHouse,
} from '../../../test/consent/target-house.ts';
import { onServer } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';

let house: TargetHouse;
beforeAll(async () => {
  house = await openTargetHouse();
  await house.install();
});
afterAll(() => house[Symbol.asyncDispose]());

const ROUNDS = 30;

/** Who said something, as the target has it. */
async function inTarget(): Promise<ReadonlyMap<string, string>> {
  const { rows } = await house.shop.query<{ identity: string; said: string }>(
    `select s.identity, string_agg(concat(p.code, '=', (s.granted >> p.number) & 1, (s.denied >> p.number) & 1), ' ' order by p.code) as said
     from habeas_consent.signatures_user_id s, habeas_consent.purposes p group by 1`,
  );
  return new Map(rows.map(({ identity, said }) => [identity, said]));
}

/** What it had to be: the signals that were committed when the watermark was taken, and no other. */
async function atWatermark(snapshot: string): Promise<ReadonlyMap<string, string>> {
  const places = new Set(await house.committedIn(snapshot));
  const found = new Map<string, Readonly<Record<string, boolean>>>();
  for (const [index, { person, choices }] of said.entries())
    if (places.has(index))
      found.set(identityOf('user_id', person), { ...found.get(identityOf('user_id', person)), ...choices });
  const codes = PURPOSES.map(({ code }) => code).toSorted();
  return new Map(
    [...found].map(([identity, choices]) => [
      identity,
      codes
        .map((code) => `${code}=${Number(choices[code] === true)}${Number(choices[code] === false)}`)
        .join(' '),
    ]),
  );
}

async function snapshotNow(): Promise<string> {
  const { rows } = await house.source.query<{ now: string }>('select pg_current_snapshot()::text as now');
  return rows[0]?.now ?? '';
}

const said: Said[] = [];

it('has exactly the state that its watermark names, while people go on talking', async () => {
  let number = 0;
  let isOver = false;
  const talk = async () => {
    while (!isOver) {
      number += 1;
      const one: Said = {
        type: 'user_id',
        person: (number * 7) % PEOPLE,
        choices: { [PURPOSES[number % 3]?.code ?? '']: number % 5 < 3, fraud: number % 2 === 0 },
      };
      said.push(one);
      await house.say([one]);
    }
  };
  const talking = Promise.all([talk(), talk(), talk()]);
  let changed = 0;
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = (await house.committedIn(await snapshotNow())).length;
      await eventually(
        'somebody else said something',
        async () => (await house.committedIn(await snapshotNow())).length > before,
      );
      const result = await house.sync(round % 7 === 6);
      expect(result.drift ?? 0).toBe(0);
      changed += result.changed;
      expect([...(await inTarget())].sort()).toEqual(
        [...(await atWatermark(result.watermark.snapshot))].sort(),
      );
    }
  } finally {
    isOver = true;
    await talking;
  }
  expect(changed).toBeGreaterThan(0);
});

it('brings over what is committed after a later change was, which a sync has seen', async () => {
  await house.sync();
  const before = (await inTarget()).get('u-6');
  await house.say(
    [{ type: 'user_id', person: 6, choices: { advertising: before?.includes('advertising=01') === true } }],
    async () => {
      await house.source.query('select pg_current_xact_id()');
      await house.sync();
      expect((await inTarget()).get('u-6')).toBe(before);
    },
  );
  expect((await house.sync()).changed).toBe(1);
  expect((await inTarget()).get('u-6')).not.toBe(before);
});

it('brings over what changed and nothing else, and keeps no changes that every target has, also while a transaction elsewhere on the server stays open', async () => {
  await house.sync();
  await onServer(async (elsewhere) => {
    await elsewhere.query('begin');
    await elsewhere.query('select pg_current_xact_id()');
    for (const analytics of [true, false]) {
      await house.say([{ type: 'email', person: 1, choices: { analytics } }]);
      const { rows } = await house.source.query('select from consent_changes');
      expect(rows.length).toBeGreaterThan(0);
      expect((await house.sync()).changed).toBe(1);
      expect((await house.sync()).changed).toBe(0);
      expect((await house.source.query('select from consent_changes')).rows).toEqual([]);
    }
    await elsewhere.query('rollback');
  });
});

it('keeps changes that another target does not have yet', async () => {
  await house.sync();
  const { rows } = await house.source.query(
    `insert into consent_targets (organization_id, target, snapshot) select organization_id, 'another', snapshot from consent_targets returning organization_id`,
  );
  try {
    await house.say([{ type: 'email', person: 1, choices: { analytics: true } }]);
    expect((await house.sync()).changed).toBe(1);
    expect((await house.source.query('select from consent_changes')).rows).not.toEqual([]);
  } finally {
    await house.source.query(`delete from consent_targets where target = 'another'`);
  }
  expect(rows).toHaveLength(1);
  await house.sync();
  expect((await house.source.query('select from consent_changes')).rows).toEqual([]);
});

it.each([
  [
    'a signature',
    `update habeas_consent.signatures_user_id set granted = 0, denied = 0 where identity = 'u-1'`,
  ],
  [
    'a bit',
    `update habeas_consent.bitmaps set bits = set_bit(bits, 7, 1 - get_bit(bits, 7)) where type = 'user_id' and purpose = 0`,
  ],
  [
    'somebody who said nothing',
    `insert into habeas_consent.signatures_user_id (identity, granted, denied) values ('stranger', 1, 0)`,
  ],
])('finds and mends %s that somebody changed in the target', async (_, change) => {
  await house.say([{ type: 'user_id', person: 1, choices: { analytics: true } }]);
  await house.sync();
  await house.shop.query(change);
  expect((await house.sync()).drift).toBeUndefined();
  expect((await house.sync(true)).drift).toBeGreaterThan(0);
  expect((await house.sync(true)).drift).toBe(0);
  const { rows } = await house.shop.query(
    `select from habeas_consent.signatures_user_id where identity = 'stranger'`,
  );
  expect(rows).toEqual([]);
});

it('compares everything when Habeas itself was put on another server, whose transactions have smaller numbers', async () => {
  await house.sync();
  const ahead = `pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000000`;
  const { rows } = await house.source.query<{ ahead: string }>(
    `select concat(${ahead}, ':', ${ahead}, ':') as ahead`,
  );
  await house.source.query('update consent_targets set snapshot = $1', [rows[0]?.ahead]);
  await house.shop.query('update habeas_consent.installed set snapshot = $1', [rows[0]?.ahead]);
  await house.say([{ type: 'user_id', person: 5, choices: { analytics: true } }]);
  await house.say([{ type: 'user_id', person: 5, choices: { analytics: false } }]);
  await house.sync();
  expect((await inTarget()).get('u-5')).toContain('analytics=01');
});

it('compares everything when the target was put back to an older state', async () => {
  await house.say([{ type: 'user_id', person: 2, choices: { analytics: true } }]);
  await house.sync();
  const before = await house.shop.query('select snapshot, as_of from habeas_consent.installed');
  await house.say([{ type: 'user_id', person: 2, choices: { analytics: false } }]);
  await house.sync();
  await house.shop.query(
    `update habeas_consent.installed set snapshot = '${before.rows[0].snapshot}';
     update habeas_consent.signatures_user_id set granted = granted | 1, denied = denied & ~1 where identity = 'u-2'`,
  );
  expect((await house.sync()).changed).toBe(1);
  const { rows } = await house.shop.query(
    `select granted & 1 as granted from habeas_consent.signatures_user_id where identity = 'u-2'`,
  );
  expect(rows).toEqual([{ granted: 0 }]);
});
