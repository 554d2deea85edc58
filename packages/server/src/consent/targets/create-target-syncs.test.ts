import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTargetHouse, type TargetHouse } from '../../../test/consent/target-house.ts';
import { eventually } from '../../../test/eventually.ts';
import { createLogger } from '../../foundation/index.ts';
import { createTargetSyncs } from './create-target-syncs.ts';

const DAY = 86_400_000;

let house: TargetHouse;
beforeAll(async () => {
  house = await openTargetHouse();
  await house.install();
});
afterAll(() => house[Symbol.asyncDispose]());

it('compares everything once a day, mends what somebody else changed, and counts it', async () => {
  await house.say([
    { type: 'user_id', person: 1, choices: { analytics: true } },
    { type: 'user_id', person: 2, choices: { analytics: false } },
  ]);
  const { rows: purposes } = await house.shop.query<{ code: string }>(
    'select code from habeas_consent.purposes order by number',
  );
  expect(purposes.length).toBeGreaterThan(0);
  const state = async () => {
    const { rows } = await house.shop.query(
      'select identity, granted, denied from habeas_consent.signatures_user_id order by identity',
    );
    return rows;
  };
  /** Everybody agreed to everything. */
  const tamper = () =>
    house.shop.query('update habeas_consent.signatures_user_id set granted = 255, denied = 0');
  let now = Date.now();
  const logged: string[] = [];
  const syncs = createTargetSyncs({
    organizationId: house.target.organizationId,
    targets: [
      {
        target: house.target,
        url: house.shopUrl,
        syncEveryMilliseconds: 20,
        reconcileEveryMilliseconds: DAY,
      },
    ],
    pool: house.source,
    openValue: house.openValue,
    clock: { now: () => new Date(now) },
    logger: createLogger({ level: 'warn', destination: { write: (line) => void logged.push(line) } }),
  });
  /** All that was due at this time is done: a turn that began earlier may tell of it, the next one did not. */
  const settled = async () => {
    for (let turn = 0; turn < 2; turn += 1) {
      now += 1;
      await eventually('the target is in step', () => syncs.statuses()[0]?.exactAt?.getTime() === now);
    }
  };
  await syncs.start();
  try {
    await settled();
    const right = await state();
    expect(right).toHaveLength(2);
    await tamper();
    now += DAY - 60_000;
    await settled();
    expect(await state()).not.toEqual(right);
    expect(syncs.statuses()[0]?.drift).toBe(0);
    now += 120_000;
    await settled();
    expect(await state()).toEqual(right);
    const { drift = 0 } = syncs.statuses()[0] ?? {};
    expect(drift).toBeGreaterThan(0);
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ target: house.target.key, drift }),
    ]);
  } finally {
    await syncs.stop();
  }
});
