import type { api } from '@habeas/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { type House, openHouse, type Served } from './house.ts';
import { differences, readStores, type Stores } from './stores.ts';
import { answerTicketOf } from './team.ts';

/** Who is erased, and who asks for access. */
const ERASED = Array.from({ length: 14 }, (_, index) => index + 1);
const ASKING = Array.from({ length: 10 }, (_, index) => index + 20);

let house: House;
let first: Served;
let second: Served;
/** The name under which the first server's worker stands in the rows that it holds. */
let firstWorker: string;
let before: Stores;

beforeAll(async () => {
  house = await openHouse({
    people: 60,
    // Slow enough that every moment has tasks under way.
    switches: { accounts: ['--latency=240'], mailer: ['--latency=60', '--delay=50-150'] },
    config: { clients: { concurrency: 2 } },
  });
  before = await readStores(house);
  first = await house.serve();
  firstWorker = (await livingWorkers())[0] ?? '';
  second = await house.serve();
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

/** Workers hold an advisory lock of this class as long as they live. */
async function livingWorkers(): Promise<readonly string[]> {
  const { rows } = await house.database.pool.query<{ worker: string }>(
    `select objid::text as worker from pg_locks
     where locktype = 'advisory' and classid = ${0x4841_4257} and objsubid = 2
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.map(({ worker }) => worker);
}

async function underWay(): Promise<readonly { readonly id: string; readonly worker: string }[]> {
  const { rows } = await house.database.pool.query<{ id: string; worker: string }>(
    `select id, worker from habeas.tasks where state = 'running' and worker is not null`,
  );
  return rows;
}

test('two servers share the work, and when one is killed in the middle the other ends every request, each effect once', async () => {
  expect(await livingWorkers()).toHaveLength(2);
  const ask = (right: api.Right, n: number) =>
    first.api.ask({ right, identities: [{ type: 'email', value: house.acme.subject(n).email }] });
  const made = await Promise.all([
    ...ERASED.map((n) => ask('erasure', n)),
    ...ASKING.map((n) => ask('access', n)),
  ]);

  const working = new Set<string>();
  await eventually('both servers work', async () => {
    for (const { worker } of await underWay()) working.add(worker);
    return working.size === 2;
  });
  // The worst moment: the service has done the work, and its answer is still on the way.
  await eventually('an effect is there whose task the first server still has in hand', async () => {
    const own = (await underWay()).filter(({ worker }) => worker === firstWorker);
    const done = house.acme.effectsOf('accounts').map(({ idempotencyKey }) => idempotencyKey);
    return own.some(({ id }) => done.some((key) => key.startsWith(id)));
  });
  await first.end('SIGKILL');
  const ended = await house.database.pool.query(`select from habeas.requests where state = 'completed'`);
  expect(ended.rows.length).toBeLessThan(made.length);
  const lost = (await underWay()).filter(({ worker }) => worker === firstWorker);
  expect(lost.length).toBeGreaterThan(0);

  for (const { id } of made) await answerTicketOf(house, second.api, id);
  for (const { id } of made) {
    expect(await second.api.until(id, 'completed', 60)).toMatchObject({ matched: true });
  }
  expect(await underWay()).toEqual([]);

  const { rows } = await house.database.pool.query(
    `select from habeas.audit_entries where action = 'task.lost'`,
  );
  expect(rows.length).toBeGreaterThanOrEqual(1);
});

test('every effect is there once: by the journals of the services, and by the rows that are gone', async () => {
  for (const name of ['accounts', 'mailer'] as const) {
    const effects = house.acme.effectsOf(name);
    expect(new Set(effects.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(effects.length);
    expect(effects.map(({ count }) => count > 0)).toEqual(ERASED.map(() => true));
  }
  const gone = differences(before, await readStores(house));
  const users = ERASED.map((n) => house.acme.subject(n).userId).sort();
  const erased = (place: string) =>
    (gone[place]?.gone ?? []).flatMap((row) => /usr_\d+/.exec(row)?.[0] ?? []).sort();
  expect(erased('accounts.accounts')).toEqual(users);
  expect(erased('shop.customers')).toEqual(users);
  expect(gone['mailer.recipients']?.gone).toHaveLength(ERASED.length);
  // What is kept is masked, and what is gone stays gone: nothing else was written anywhere.
  const added = Object.entries(gone).flatMap(([place, rows]) => (rows.added.length > 0 ? [place] : []));
  expect(added.filter((place) => !['shop.order_audit', 'shop.support_messages'].includes(place))).toEqual([]);
  expect(gone['shop.order_audit']?.added).toHaveLength(gone['shop.order_audit']?.gone.length ?? -1);
});

test('no request was ended twice and no task succeeded twice', async () => {
  const { rows } = await house.database.pool.query<{ action: string; subject: string; times: string }>(
    `select action, subject, count(*) as times from habeas.audit_entries
     where action in ('request.completed', 'task.succeeded', 'ticket.opened') group by 1, 2 having count(*) > 1`,
  );
  expect(rows).toEqual([]);
});

test('a server that comes back shares the work again', async () => {
  const third = await house.serve();
  const made = await Promise.all(
    [41, 42, 43, 44, 45, 46].map((n) =>
      third.api.ask({ right: 'access', identities: [{ type: 'email', value: house.acme.subject(n).email }] }),
    ),
  );
  const working = new Set<string>();
  await eventually('both servers work', async () => {
    for (const { worker } of await underWay()) working.add(worker);
    return working.size === 2;
  });
  expect([...working]).not.toContain(firstWorker);
  for (const { id } of made) {
    await answerTicketOf(house, second.api, id);
    await third.api.until(id, 'completed');
  }
  expect(await third.end('SIGTERM')).toBe(0);
  expect(await second.end('SIGTERM')).toBe(0);
});
