import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { afterEach, expect, it } from 'vitest';
import {
  HOUSE_MIGRATIONS,
  type HouseOptions,
  openConsent,
  openPropagation,
  SECRET,
} from '../../../test/consent/propagation-house.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { MemorySystem } from '../../../test/memory-system.ts';
import { receiveWebhooks } from '../../../test/webhook-receiver.ts';
import { HabeasError, newSecretKey } from '../../foundation/index.ts';
import type { Propagation } from '../index.ts';

const masterKey = newSecretKey();
const caller = { organizationId: 'acme', actor: 'key:back-end' };
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

let said = 0;

async function openHouse() {
  const database = await createTestDatabase(HOUSE_MIGRATIONS);
  const receiver = await receiveWebhooks();
  ends.push(
    () => database.close(),
    async () => receiver[Symbol.asyncDispose](),
  );
  const consent = openConsent({ opened: database, masterKey });
  const say = async (value: string, choices: Record<string, boolean>, type = 'email') => {
    said += 1;
    const at = new Date(Date.parse('2026-01-01T00:00:00Z') + said * 1_000);
    const [outcome] = await consent.record(caller, [
      {
        event_id: `e${said}`,
        identity: { type, value },
        said_at: at.toISOString(),
        choices,
        source: 'api',
      },
    ]);
    expect(outcome?.state).toBe('stored');
    return at;
  };
  async function start(destinations: readonly object[], options: Partial<HouseOptions> = {}) {
    const propagation = openPropagation({ opened: database, masterKey, destinations, ...options });
    await propagation.start();
    let stopped = false;
    const stop = async () => {
      if (!stopped) await propagation.stop();
      stopped = true;
    };
    ends.push(stop);
    return { ...propagation, stop };
  }
  const hook = { key: 'crm', webhook: { url: receiver.url, secret: SECRET } };
  return { database, receiver, say, start, hook };
}

const isDone = (propagation: Pick<Propagation, 'list'>) => async () =>
  (await propagation.list()).every(({ lag_seconds, waiting }) => lag_seconds === 0 && waiting === 0);
const bodiesOf = (messages: readonly { readonly body: string }[]) =>
  messages.map(({ body }) => JSON.parse(body));

/** Rows of deliveries, of which there is one for each person and destination. */
async function deliveries({ db }: TestDatabase) {
  const { rows } = await sql<{ id: string; state: string; tries: number }>`
    select id::text, state, tries from consent_deliveries order by destination, subject`.execute(db);
  return rows;
}

it('posts what a person agrees to, signed, by the names that the destination has, to each destination', async () => {
  const { receiver, say, start, hook } = await openHouse();
  const at = await say('ada@example.org', { analytics: true });
  const ketch = { property: 'shop', jurisdiction: 'eugdpr', regulation: 'gdpr' };
  const propagation = await start([
    { ...hook, purposes: { analytics: 'CRM_STATS', advertising: 'CRM_ADS' } },
    { key: 'ketch', webhook: { ...hook.webhook, ketch }, identities: ['email'] },
  ]);
  await eventually('both were told', isDone(propagation));
  const [own, ofKetch] = receiver.messages.toSorted((a, b) => a.body.localeCompare(b.body)).reverse();
  const id = own?.headers['webhook-id'];
  expect(new Webhook(SECRET).verify(own?.body ?? '', own?.headers as Record<string, string>)).toMatchObject({
    specversion: '1.0',
    id,
    source: '/organizations/acme',
    type: 'consent.changed',
    data: {
      identities: [{ type: 'email', value: 'ada@example.org' }],
      said_at: at.toISOString(),
      purposes: { CRM_STATS: { said: true, allowed: true }, CRM_ADS: { said: null, allowed: true } },
    },
  });
  expect(new Webhook(SECRET).verify(ofKetch?.body ?? '', ofKetch?.headers as Record<string, string>)).toEqual(
    {
      apiVersion: 'consent/v1',
      kind: 'ConsentRequest',
      metadata: { uid: ofKetch?.headers['webhook-id'], tenant: 'acme' },
      request: {
        property: 'shop',
        environment: 'production',
        regulation: 'gdpr',
        jurisdiction: 'eugdpr',
        identities: [{ identitySpace: 'email', identityFormat: 'raw', identityValue: 'ada@example.org' }],
        purposes: { analytics: 'granted', advertising: 'granted', research: 'granted' },
        legalBasis: { analytics: 'consent_optin', advertising: 'consent_optout', research: 'other' },
        collectedAt: Math.floor(at.getTime() / 1_000),
      },
    },
  );
  expect(own?.path).toBe('/hook?tenant=1');
});

it('tells nothing of other purposes, of the same again, and of people without an identity that it may know', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  const propagation = await start([{ ...hook, identities: ['user_id'], purposes: { analytics: 'stats' } }]);
  await say('u-1', { analytics: true }, 'user_id');
  await eventually('the first was told', async () => receiver.messages.length === 1);
  await say('u-1', { analytics: true }, 'user_id');
  await say('u-1', { advertising: false }, 'user_id');
  await say('u-2', { advertising: false }, 'user_id');
  await say('ada@example.org', { analytics: true });
  const at = await say('u-3', { analytics: false }, 'user_id');
  await eventually('the last was told', async () => receiver.messages.length >= 2);
  await eventually('all is done', isDone(propagation));
  expect(bodiesOf(receiver.messages).map(({ data }) => data.identities[0].value)).toEqual(['u-1', 'u-3']);
  expect(await deliveries(database)).toHaveLength(2);
  await propagation.stop();
  // When they said something about others, it is not told either.
  await say('u-3', { advertising: true }, 'user_id');
  const again = await start([{ ...hook, identities: ['user_id'], purposes: { analytics: 'studies' } }]);
  await eventually('they were told anew', async () => receiver.messages.length === 4);
  await eventually('and have it', isDone(again));
  const last = bodiesOf(receiver.messages.slice(2)).find(({ data }) => data.identities[0].value === 'u-3');
  expect(last.data.said_at).toBe(at.toISOString());
});

it('sends the latest state alone after an outage, and says what it did not take', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  const log: string[] = [];
  receiver.answer = (response) => response.writeHead(503).end('ada@example.org is not known');
  const propagation = await start([hook], { log, with: { schedule: [20, 600_000] } });
  await say('ada@example.org', { analytics: true });
  await eventually('it failed twice', async () => (await deliveries(database))[0]?.tries === 2);
  const [failed] = await propagation.list();
  expect(failed).toMatchObject({ key: 'crm', waiting: 1, sent: 0, given_up: 0 });
  expect(failed?.lag_seconds).toBeGreaterThan(0);
  expect(failed?.error).toMatch(/^SYSTEM_REFUSED: 127\.0\.0\.1:\d+ answered with HTTP 503/);
  const ids = new Set(receiver.messages.map(({ headers }) => headers['webhook-id']));
  expect(ids.size).toBe(1);
  await say('ada@example.org', { analytics: false });
  await say('ada@example.org', { research: false });
  await eventually('a new state is tried', async () => receiver.messages.length > 2);
  receiver.messages.length = 0;
  receiver.answer = (response) => response.writeHead(204).end();
  await propagation.retry(caller, { destination: 'crm', everybody: false });
  await eventually('it took it', isDone(propagation));
  const last = bodiesOf(receiver.messages).at(-1);
  expect(last?.data.purposes).toEqual({
    analytics: { said: false, allowed: false },
    advertising: { said: null, allowed: true },
    research: { said: false, allowed: false },
  });
  expect(ids).not.toContain(last?.id);
  expect(log.join('')).toContain('does not take');
  expect(log.join('')).not.toContain('ada');
});

it('gives up after the last try, says so once, and sends again under the same id when it is asked to', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  receiver.answer = (response) => response.writeHead(400).end();
  const propagation = await start([hook], { with: { schedule: [5] } });
  for (const name of ['ada', 'bob', 'eve']) await say(`${name}@example.org`, { analytics: true });
  await eventually('all were given up', async () => (await propagation.list())[0]?.given_up === 3);
  const messages = await propagation.messages({ destination: 'crm', state: 'given_up', limit: 2 });
  expect(messages).toHaveLength(2);
  expect(messages[0]).toMatchObject({ state: 'given_up', failed_tries: 2, next_at: null });
  expect(JSON.stringify(messages)).not.toContain('example.org');
  const { rows } = await sql`select type, data from outbox_events where type like 'consent.%'`.execute(
    database.db,
  );
  expect(rows).toEqual([
    { type: 'consent.delivery-given-up', data: '{"destination":"crm","error_code":"SYSTEM_REFUSED"}' },
  ]);
  receiver.answer = (response) => response.writeHead(200).end();
  receiver.messages.length = 0;
  const [one] = messages;
  const asked = { destination: 'crm', messages: [one?.id ?? ''], everybody: false };
  expect(await propagation.retry(caller, asked)).toBe(1);
  await eventually('it took that one', async () => (await propagation.list())[0]?.given_up === 2);
  await eventually('it came', async () => receiver.messages.length > 0);
  expect(receiver.messages.map(({ headers }) => headers['webhook-id'])).toEqual([one?.id]);
  await expect(propagation.retry(caller, { ...asked, destination: 'other' })).rejects.toThrow(
    /no destination "other".*There are: crm/,
  );
  await expect(
    propagation.acknowledge({ ...caller, organizationId: 'b' }, { destination: 'crm', messages: [] }),
  ).rejects.toThrow(/no destination.*There are none/);
  await expect(propagation.messages({ destination: 'crm', limit: 1 }, 'b')).rejects.toThrow(/There are none/);
  expect(await propagation.list('b')).toEqual([]);
});

it('waits for a destination to acknowledge by a call, and heeds none about a state that is over', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  const propagation = await start([{ ...hook, acknowledge: 'call' }]);
  await say('ada@example.org', { analytics: true });
  await eventually('it was sent', async () => (await propagation.list())[0]?.sent === 1);
  const [first] = bodiesOf(receiver.messages);
  expect((await propagation.list())[0]?.lag_seconds).toBeGreaterThan(0);
  await say('ada@example.org', { analytics: false });
  await eventually('the next was sent', async () => receiver.messages.length === 2);
  await eventually('that is noted', async () => (await deliveries(database))[0]?.state === 'sent');
  expect(await propagation.acknowledge(caller, { destination: 'crm', messages: [first.id] })).toBe(0);
  const [, second] = bodiesOf(receiver.messages);
  expect(second.data.version).toBeGreaterThan(first.data.version);
  expect(await propagation.acknowledge(caller, { destination: 'crm', messages: [second.id] })).toBe(1);
  expect(await propagation.acknowledge(caller, { destination: 'crm', messages: [second.id] })).toBe(0);
  expect(await propagation.list()).toMatchObject([{ sent: 0, lag_seconds: 0 }]);
});

it('has systems note what is not allowed and take back the rest, and asks again after what they began', async () => {
  const { say, start, database } = await openHouse();
  const crm = new MemorySystem('crm', [{ email: 'ada@example.org', objections: null }]);
  const change = crm.change.bind(crm);
  const calls: string[] = [];
  let began = 0;
  crm.change = async (scope, work, mode) => {
    if (work.kind !== 'object') throw new Error(`asked for ${work.kind}`);
    calls.push(`${work.effect} ${work.purposes.join(' ')} ${scope.operation ?? '-'}`);
    if (work.effect === 'set' && scope.operation === undefined && began === 0) {
      began += 1;
      return { state: 'pending', operation: 'op-7', retryAfterSeconds: 0 };
    }
    return change(scope, work, mode);
  };
  const propagation = await start(
    [{ key: 'crm', system: 'crm', purposes: { analytics: 'stats', advertising: 'ads' } }],
    {
      with: { systems: { connector: async () => crm } },
    },
  );
  await say('ada@example.org', { analytics: true, advertising: false });
  await eventually('it is done', async () => (await deliveries(database))[0]?.state === 'acknowledged');
  expect(await propagation.list()).toMatchObject([{ waiting: 0, lag_seconds: 0 }]);
  expect(calls).toEqual(['lift stats -', 'set ads -', 'lift stats -', 'set ads op-7']);
  expect(crm.rows[0]?.objections).toBe('ads');
  await say('ada@example.org', { advertising: true });
  await eventually('it is taken back', async () => crm.rows[0]?.objections === null);
});

it('says of a system that cannot note objections what to do', async () => {
  const { say, start } = await openHouse();
  const crm = new MemorySystem('crm', []);
  const without = Object.assign(Object.create(crm), { capabilities: new Set(['collect']) });
  const propagation = await start([{ key: 'crm', system: 'crm' }], {
    with: { systems: { connector: async () => without } },
  });
  await say('ada@example.org', { analytics: true });
  await eventually('it was tried', async () => (await propagation.list())[0]?.error !== null);
  expect((await propagation.list())[0]?.error).toMatch(
    /crm cannot note objections. Give its dataset columns/,
  );
});

it('says of a system for which nothing answers what to do', async () => {
  const { say, start } = await openHouse();
  const propagation = await start([{ key: 'crm', system: 'crm' }], {
    with: {
      systems: {
        connector: async () => {
          throw new HabeasError('ADDRESS_NOT_APPROVED', 'Nothing answers. Skip the task with a reason.');
        },
      },
    },
  });
  await say('ada@example.org', { analytics: true });
  await eventually('it was tried', async () => (await propagation.list())[0]?.error !== null);
  expect((await propagation.list())[0]?.error).toMatch(
    /^ADDRESS_NOT_APPROVED: Nothing approved answers for crm\. Approve its client.*consent\.destinations/,
  );
});

it('sends again under the same id what a killed process had sent and not written down', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  await say('ada@example.org', { analytics: true });
  const script = fileURLToPath(new URL('../../../test/consent/propagation-process.ts', import.meta.url));
  const args = [script, database.url, Buffer.from(masterKey).toString('hex'), JSON.stringify([hook])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const gone = once(child, 'exit');
  receiver.answer = () => void child.kill('SIGKILL');
  await gone;
  expect(receiver.messages).toHaveLength(1);
  expect(await deliveries(database)).toMatchObject([{ state: 'waiting', tries: 0 }]);
  receiver.answer = (response) => response.writeHead(204).end();
  const propagation = await start([hook]);
  await eventually('it was sent again', async () => receiver.messages.length === 2);
  await eventually('it is acknowledged', isDone(propagation));
  const [first, again] = receiver.messages;
  expect(again?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(again?.body).toBe(first?.body);
});

it('forgets destinations that the configuration does not have, and tells everybody to one that comes back', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  await say('ada@example.org', { analytics: true });
  const first = await start([hook]);
  await eventually('it was told', isDone(first));
  await first.stop();
  const without = await start([{ ...hook, key: 'other' }]);
  await eventually('the other was told', isDone(without));
  expect(await deliveries(database)).toHaveLength(1);
  await without.stop();
  receiver.messages.length = 0;
  const back = await start([hook]);
  await eventually('it was told again', async () => receiver.messages.length === 1);
  await eventually('and has it', isDone(back));
});

it('forgets also what was written down for such a destination by a process that ended later', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  const before = await start([{ ...hook, key: 'old' }, hook]);
  await say('ada@example.org', { analytics: true });
  await eventually('both were told', isDone(before));
  const after = await start([hook]);
  await say('bob@example.org', { analytics: true });
  await eventually('the former process told both', async () => receiver.messages.length >= 5);
  await before.stop();
  await say('eve@example.org', { analytics: true });
  await eventually('the other one went on', async () => (await deliveries(database)).length === 3);
  await eventually('all is done', isDone(after));
  const { rows } = await sql`select target from consent_targets`.execute(database.db);
  expect(rows).toEqual([{ target: 'destination:crm' }]);
});

it('holds up nobody because of one person whose state is refused', async () => {
  const { receiver, say, start, hook } = await openHouse();
  receiver.answer = (response, { body }) => response.writeHead(body.includes('bad@') ? 422 : 204).end();
  await say('bad@example.org', { analytics: true });
  for (let person = 0; person < 30; person += 1) await say(`p${person}@example.org`, { analytics: true });
  const propagation = await start([hook], { with: { schedule: [5, 600_000] } });
  await eventually('all others were told', async () => (await propagation.list())[0]?.waiting === 1);
  const people = new Set(bodiesOf(receiver.messages).map(({ data }) => data.identities[0].value));
  expect(people.size).toBe(31);
});

it('tells no more than one process at once', async () => {
  const { receiver, say, start, hook } = await openHouse();
  const first = await start([hook]);
  const second = await start([hook]);
  for (let person = 0; person < 20; person += 1) await say(`p${person}@example.org`, { analytics: true });
  await eventually('all were told', async () => receiver.messages.length >= 20);
  await eventually('all is done', isDone(first));
  await first.stop();
  await say('late@example.org', { analytics: true });
  await eventually('the other one went on', isDone(second));
  expect(receiver.messages).toHaveLength(21);
});

it('refuses a configuration that cannot be meant', () => {
  const open = (destination: object) => () =>
    openPropagation({
      opened: {} as never,
      masterKey,
      destinations: [destination],
    });
  const webhook = { url: 'https://crm.example/consent', secret: SECRET };
  for (const [destination, message] of [
    [{ key: 'a', webhook, system: 'crm' }, /one of `webhook`, `system` and `stream`/],
    [{ key: 'a', webhook, identities: [] }, /identities/],
    [
      { key: 'a', webhook, purposes: { selling: 'x' } },
      /consent.destinations a: there is no purpose selling/,
    ],
    [{ key: 'a', system: 'crm', acknowledge: 'call' }, /acknowledges by its answer/],
    [
      { key: 'a', webhook, purposes: { analytics: 'x', research: 'x' } },
      /consent.destinations a: two purposes have the name x/,
    ],
  ] as const)
    expect(open(destination)).toThrow(message);
  expect(open({ key: 'a', webhook, system: 'crm' })).toThrow(HabeasError);
});

const purposesOf = (message: { readonly body: string } | undefined) =>
  message === undefined ? undefined : JSON.parse(message.body).data.purposes;

it('tells everybody anew, under new ids, when it is told about other purposes or by other names', async () => {
  const { receiver, say, start, hook } = await openHouse();
  await say('ada@example.org', { analytics: true, advertising: false });
  await say('bob@example.org', { advertising: false });
  const first = await start([{ ...hook, purposes: { analytics: 'STATS' } }]);
  await eventually('it was told of one purpose', isDone(first));
  expect(receiver.messages).toHaveLength(1);
  const [before] = bodiesOf(receiver.messages);
  await first.stop();
  receiver.messages.length = 0;

  const more = await start([{ ...hook, purposes: { analytics: 'STATS', advertising: 'ADS' } }]);
  await eventually('it was told of both', async () => receiver.messages.length === 2);
  await eventually('and has it', isDone(more));
  const refused = { said: false, allowed: false };
  const told = new Map(
    bodiesOf(receiver.messages).map(({ data }) => [data.identities[0].value, data.purposes]),
  );
  expect(told.get('ada@example.org')).toEqual({ STATS: { said: true, allowed: true }, ADS: refused });
  expect(told.get('bob@example.org')).toEqual({ STATS: { said: null, allowed: false }, ADS: refused });
  expect(bodiesOf(receiver.messages).map(({ id }) => id)).not.toContain(before.id);
  await more.retry(caller, { destination: 'crm', everybody: true });
  await eventually('it was told again', async () => receiver.messages.length === 4);
  await eventually('and has it again', isDone(more));
  await more.stop();
  const ids = new Set(receiver.messages.map(({ headers }) => headers['webhook-id']));
  expect(ids.size).toBe(2);
  receiver.messages.length = 0;

  const renamed = await start([{ ...hook, purposes: { analytics: 'STATS', advertising: 'SELLING' } }]);
  await eventually('it was told by the new name', async () => receiver.messages.length === 2);
  await eventually('and has that', isDone(renamed));
  expect(purposesOf(receiver.messages[0])).toMatchObject({ SELLING: refused });
  for (const { headers } of receiver.messages) expect(ids).not.toContain(headers['webhook-id']);
  await renamed.stop();
  receiver.messages.length = 0;
  const same = await start([{ ...hook, purposes: { advertising: 'SELLING', analytics: 'STATS' } }]);
  await say('eve@example.org', { analytics: true });
  await eventually('only what is new was told', async () => receiver.messages.length > 0);
  await eventually('all is done', isDone(same));
  expect(bodiesOf(receiver.messages).map(({ data }) => data.identities[0].value)).toEqual([
    'eve@example.org',
  ]);
});

it('tells whom it may know now that it may know them by more', async () => {
  const { receiver, say, start, hook } = await openHouse();
  await say('ada@example.org', { analytics: true });
  await say('u-1', { analytics: true }, 'user_id');
  const first = await start([{ ...hook, identities: ['email'] }]);
  await eventually('one was told', isDone(first));
  await first.stop();
  const more = await start([{ ...hook, identities: ['email', 'user_id'] }]);
  await eventually('the other, too', async () => receiver.messages.length === 2);
  await eventually('and no more', isDone(more));
  expect(bodiesOf(receiver.messages).map(({ data }) => data.identities[0].value)).toEqual([
    'ada@example.org',
    'u-1',
  ]);
});

it('tells others of other people while one cannot be read and one destination breaks', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  await say('ada@example.org', { analytics: true });
  await sql`update consent_identities set sealed_value = 'damaged'`.execute(database.db);
  for (const name of ['bob', 'eve']) await say(`${name}@example.org`, { analytics: true });
  const crm = new MemorySystem('broken', []);
  crm.change = async () => ({ state: 'pending', operation: 'op\0', retryAfterSeconds: 0 });
  const propagation = await start([{ key: 'broken', system: 'broken' }, hook], {
    with: { systems: { connector: async () => crm } },
  });
  await eventually('others were told', async () => receiver.messages.length === 2);
  const told = bodiesOf(receiver.messages).map(({ data }) => data.identities[0].value);
  expect(told.toSorted()).toEqual(['bob@example.org', 'eve@example.org']);
  await eventually('all were tried', async () =>
    (await propagation.list()).every(({ error }) => error !== null),
  );
  const [broken, well] = await propagation.list();
  expect(well?.error).toMatch(/^MASTER_KEY_INVALID/);
  expect(broken?.error).toMatch(/^(SYSTEM_GARBAGE|MASTER_KEY_INVALID)/);
});

it('goes on with other destinations where the work for one breaks', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  await sql
    .raw(`create function break_one() returns trigger language plpgsql as $$
      begin if new.destination = 'broken' then raise 'ada@example.org is in the way'; end if; return new; end $$`)
    .execute(database.db);
  await sql
    .raw(
      'create trigger break_one before insert on consent_deliveries for each row execute function break_one()',
    )
    .execute(database.db);
  const log: string[] = [];
  const propagation = await start([{ ...hook, key: 'broken' }, hook], { log });
  await say('ada@example.org', { analytics: true });
  await eventually('the other was told', async () => receiver.messages.length === 1);
  await say('ada@example.org', { analytics: false });
  await eventually('and again', async () => receiver.messages.length === 2);
  await eventually('that is noted', async () => (await propagation.list())[1]?.lag_seconds === 0);
  expect(log.join('')).toContain('"destination":"broken"');
  expect(log.join('')).not.toContain('ada');
});

it('takes no objection back that a person has at a system and said nothing about', async () => {
  const { say, start, database } = await openHouse();
  const crm = new MemorySystem('crm', [{ email: 'ada@example.org', objections: null }]);
  const change = crm.change.bind(crm);
  const calls: string[] = [];
  crm.change = (scope, work, mode) => {
    if (work.kind === 'object') calls.push(`${work.effect} ${work.purposes.join(' ')}`);
    return change(scope, work, mode);
  };
  const purposes = { analytics: 'stats', advertising: 'ads', research: 'studies' };
  const propagation = await start([{ key: 'crm', system: 'crm', purposes }], {
    with: { systems: { connector: async () => crm } },
  });
  const told = async (count: number) => {
    await eventually('it is told', async () => calls.length >= count);
    await eventually('it has it', isDone(propagation));
    return calls.splice(0);
  };
  await say('ada@example.org', { analytics: true });
  expect(await told(1)).toEqual(['lift stats']);
  await say('ada@example.org', { advertising: false });
  expect(await told(2)).toEqual(['lift stats', 'set ads']);
  await say('ada@example.org', { advertising: true, analytics: false });
  expect(await told(2)).toEqual(['lift ads', 'set stats']);
  // What Habeas had noted was taken back. When the agreement expires, an objection at the system is the person's own.
  await sql`
    update consent_signatures as s set known = s.known & ~(1 << p.bit), granted = s.granted & ~(1 << p.bit)
    from consent_purposes as p where p.organization_id = s.organization_id and p.code = 'advertising'`.execute(
    database.db,
  );
  expect(await told(1)).toEqual(['set stats']);
});

it('sends nothing more to an address that is gone, until a person has it tried again or it is another one', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  receiver.answer = (response) => response.writeHead(410).end();
  const propagation = await start([hook]);
  for (const name of ['ada', 'bob', 'eve']) {
    await say(`${name}@example.org`, { analytics: true });
    await eventually('it is known', async () => (await deliveries(database)).length > 0);
    await eventually('it is gone', async () => /410/.test((await propagation.list())[0]?.error ?? ''));
  }
  await eventually('all wait', async () => (await propagation.list())[0]?.waiting === 3);
  expect(receiver.messages).toHaveLength(1);
  expect(await deliveries(database)).toMatchObject([{ tries: 0 }, { tries: 0 }, { tries: 0 }]);
  const { rows } = await sql`select data from outbox_events where type = 'consent.delivery-given-up'`.execute(
    database.db,
  );
  expect(rows).toHaveLength(1);
  receiver.answer = (response) => response.writeHead(204).end();
  // Nobody's message has this id; that it is tried again is noted all the same.
  const messages = ['6c1f6f5e-5d0a-4d59-93c2-0a8d2f6e8a55'];
  expect(await propagation.retry(caller, { destination: 'crm', messages, everybody: false })).toBe(0);
  const { rows: noted } = await sql`
    select actor from audit_entries where action = 'consent.propagation-retried'`.execute(database.db);
  expect(noted).toEqual([{ actor: caller.actor }]);
  await eventually('all were told', isDone(propagation));
  expect((await propagation.list())[0]?.error).toBe(null);

  receiver.answer = (response) => response.writeHead(410).end();
  await say('ada@example.org', { analytics: false });
  await eventually('it is gone again', async () => /410/.test((await propagation.list())[0]?.error ?? ''));
  await propagation.stop();
  receiver.answer = (response) => response.writeHead(204).end();
  const moved = await start([{ ...hook, webhook: { ...hook.webhook, url: `${receiver.url}&moved=1` } }]);
  await eventually('it is told at its new address', isDone(moved));
});

it('leaves a destination alone for as long as it asks to be', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  receiver.answer = (response) => response.writeHead(429, { 'retry-after': '600' }).end();
  const propagation = await start([hook]);
  const before = Date.now();
  await say('ada@example.org', { analytics: true });
  await eventually('it was refused', async () => (await deliveries(database))[0]?.tries === 1);
  const [message] = await propagation.messages({ destination: 'crm', limit: 1 });
  expect(Date.parse(message?.next_at ?? '')).toBeGreaterThanOrEqual(before + 600_000);
});

it('ends its calls when it leads no more, so that nothing older comes after what the next one tells', async () => {
  const { receiver, say, start, hook, database } = await openHouse();
  const held: { readonly destroyed: boolean }[] = [];
  receiver.answer = (response) => void held.push(response);
  const propagation = await start([hook]);
  await say('ada@example.org', { analytics: true });
  await eventually('it is being told', async () => held.length === 1);
  receiver.answer = (response) => response.writeHead(204).end();
  await sql`
    select pg_terminate_backend(l.pid) from pg_locks as l join pg_database as d on d.oid = l.database
    where l.locktype = 'advisory' and l.classid = ${0x4841_4251} and d.datname = current_database()`.execute(
    database.db,
  );
  await eventually('it was told again', isDone(propagation), 10);
  expect(held[0]?.destroyed).toBe(true);
  expect(receiver.messages).toHaveLength(2);
});
