import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ServiceName } from '../../../../examples/acme/index.ts';
import { eventually } from '../eventually.ts';
import { type House, openHouse, type Served, shopWith } from './house.ts';
import { type Relay, startRelay } from './relay.ts';
import { readStores } from './stores.ts';
import { answerTicketOf, settled, statesOf } from './team.ts';

let house: House;
let server: Served;
/** The way to the shop's database. */
let relay: Relay;

beforeAll(async () => {
  house = await openHouse({ config: { clients: { timeout: '3s' } } });
  relay = await startRelay(house.shop.url);
  server = await house.serve(house.configure('through-relay.yaml', shopWith({ url: relay.url })));
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await relay.close();
});

const broken = new Set<ServiceName>();

/** Starts a service with faults; after the test it is a good one again, whatever happened. */
async function misbehave(name: ServiceName, ...switches: readonly string[]): Promise<void> {
  broken.add(name);
  onTestFinished(() => mend(name));
  await house.acme.restart(name, switches);
}

async function mend(name: ServiceName): Promise<void> {
  if (broken.delete(name)) await house.acme.restart(name);
}

const emailOf = (n: number) => [{ type: 'email', value: house.acme.subject(n).email }];
const portOf = (name: string) => house.acme.services.find((service) => service.name === name)?.port;

test('before a service was ever there, nothing is destroyed: it may know under which other names a person goes', async () => {
  const { api } = server;
  await misbehave('accounts');
  await house.acme.kill('accounts');
  const person = house.acme.subject(10);
  const [email, , newsEmail] = person.identities;
  if (email === undefined || newsEmail === undefined) throw new Error('The person has no second address.');
  const { id } = await api.ask({ right: 'erasure', identities: [email] });
  const tasks = await settled(api, id);
  expect(tasks.filter(({ state }) => state === 'blocked')).toMatchObject([{ key: 'resolve:accounts' }]);
  expect(statesOf(tasks)).toMatchObject({ 'erase:mailer': 'pending', 'erase:shop': 'pending' });

  await mend('accounts');
  await api.retry(await api.task(id, 'resolve:accounts'));
  await answerTicketOf(house, api, id);
  await api.until(id, 'completed');
  // The mailer knows this person by the address that only accounts could tell.
  expect((await api.task(id, 'erase:mailer')).evidence?.counts).toMatchObject({ recipients: 1 });
  const recipients = (await readStores(house)).get('mailer.recipients') ?? [];
  expect(recipients.filter((row) => row.includes(newsEmail.value))).toEqual([]);
});

test('a service that is not there blocks its own task only, and the request completes once it is back', async () => {
  const { api } = server;
  await misbehave('mailer');
  await house.acme.kill('mailer');
  const { id } = await api.ask({ right: 'erasure', identities: emailOf(1) });
  expect(statesOf(await settled(api, id))).toEqual({
    'resolve:accounts': 'succeeded',
    'resolve:shop': 'succeeded',
    'resolve-again:accounts': 'succeeded',
    'resolve-again:shop': 'succeeded',
    'locate:shop': 'succeeded',
    'erase:accounts': 'succeeded',
    'erase:shop': 'succeeded',
    'erase:mailer': 'blocked',
    'verify:accounts': 'succeeded',
    'verify:shop': 'succeeded',
    'verify:mailer': 'pending',
    'ticket:analytics': 'waiting',
    'confirm:accounts': 'pending',
    'confirm:shop': 'pending',
    'confirm:mailer': 'pending',
  });
  expect(await api.request(id)).toMatchObject({ state: 'blocked', tasks: { blocked: 1 } });
  const blocked = await api.task(id, 'erase:mailer');
  expect(blocked).toMatchObject({ attempts: 2, error: { code: 'SYSTEM_UNREACHABLE' } });
  expect(blocked.error?.message).toBe(
    `mailer (team growth) at 127.0.0.1:${portOf('mailer')} could not be reached, or the connection broke (ECONNREFUSED).`,
  );

  await mend('mailer');
  await api.retry(blocked);
  await answerTicketOf(house, api, id);
  expect(await api.until(id, 'completed')).toMatchObject({ matched: true, tasks: { open: 0, blocked: 0 } });
});

test.each([
  ['accounts', 'resolve:accounts', 'ResolveIdentities'],
  ['mailer', 'collect:mailer', 'Get'],
] as const)('%s takes calls and never answers: %s is given up after its time', async (name, key, rpc) => {
  const { api } = server;
  const pid = house.acme.services.find((service) => service.name === name)?.pid ?? 0;
  onTestFinished(() => {
    process.kill(pid, 'SIGCONT');
  });
  process.kill(pid, 'SIGSTOP');
  const { id } = await api.ask({ right: 'access', identities: emailOf(name === 'accounts' ? 2 : 3) });
  const tasks = await settled(api, id);
  const blocked = await api.task(id, key);
  expect(blocked).toMatchObject({ state: 'blocked', attempts: 2, error: { code: 'SYSTEM_TIMEOUT' } });
  expect(blocked.error?.message).toMatch(
    new RegExp(`^${name} \\(team \\w+\\) .*did not answer.* within 3000 ms\\.$`),
  );
  expect(name === 'mailer' || blocked.error?.message.includes(rpc)).toBe(true);
  // What does not need it goes on.
  expect(statesOf(tasks)).toMatchObject(
    name === 'accounts'
      ? { 'resolve:shop': 'succeeded', 'collect:shop': 'pending' }
      : { 'collect:accounts': 'succeeded', 'collect:shop': 'succeeded', 'ticket:analytics': 'waiting' },
  );

  process.kill(pid, 'SIGCONT');
  await api.retry(blocked);
  await answerTicketOf(house, api, id);
  expect((await api.until(id, 'completed')).package).not.toBeNull();
});

test('a service whose work never ends holds up its own task only, which a person can leave out', async () => {
  const { api } = server;
  await misbehave('mailer', '--hang');
  const { id } = await api.ask({ right: 'access', identities: emailOf(7) });
  await answerTicketOf(house, api, id);
  await eventually('only the mailer is waited for', async () => {
    const open = (await api.tasks(id)).filter(({ state }) => state !== 'succeeded');
    return (
      open.map(({ key, state }) => `${key} ${state}`).join() === 'collect:mailer waiting,package pending'
    );
  });
  const waiting = await api.task(id, 'collect:mailer');
  await api.post(`/api/v1/requests/${id}/tasks/${waiting.id}:skip`, { reason: 'The mailer is broken.' });
  expect(await api.until(id, 'completed')).toMatchObject({ tasks: { open: 0, blocked: 0 } });
});

test.each([
  ['accounts', 'the gRPC that it is declared with'],
  ['mailer', 'JSON'],
] as const)('garbage of %s is not tried again, and nothing is destroyed by it', async (name, what) => {
  const { api } = server;
  const n = name === 'accounts' ? 4 : 5;
  await misbehave(name, '--garbage');
  const { id } = await api.ask({ right: 'erasure', identities: emailOf(n) });
  await settled(api, id);
  const tasks = await api.tasks(id);
  const blocked = tasks.find(({ state }) => state === 'blocked');
  expect(blocked).toMatchObject({
    key: name === 'accounts' ? 'resolve:accounts' : 'erase:mailer',
    attempts: 1,
    error: { code: 'SYSTEM_GARBAGE' },
  });
  expect(blocked?.error?.message).toContain(`${name} (team `);
  expect(blocked?.error?.message).toContain(what);
  // Without identities nothing may be destroyed; a garbled erasure holds up nobody else's.
  expect((await api.task(id, 'erase:shop')).state).toBe(name === 'accounts' ? 'pending' : 'succeeded');

  await mend(name);
  if (blocked !== undefined) await api.retry(blocked);
  await answerTicketOf(house, api, id);
  await api.until(id, 'completed');
});

test.each(['accounts', 'mailer'] as const)(
  '%s says that it erased and keeps the data: the request is blocked until it really did',
  async (name) => {
    const { api } = server;
    const n = name === 'accounts' ? 6 : 8;
    await misbehave(name, '--keep-data');
    const { id } = await api.ask({ right: 'erasure', identities: emailOf(n) });
    await answerTicketOf(house, api, id);
    const states = statesOf(await settled(api, id));
    expect(Object.entries(states).filter(([, state]) => state !== 'succeeded')).toEqual([
      [`verify:${name}`, 'blocked'],
      [`confirm:${name}`, 'pending'],
    ]);
    const blocked = await api.task(id, `verify:${name}`);
    expect(blocked.error?.code).toBe('STILL_READABLE');
    expect(blocked.error?.message).toMatch(
      new RegExp(
        `^${name} still holds data that had to be erased: \\d+ in \\w+.*Ask team \\w+ why, then retry`,
      ),
    );
    expect(await api.request(id)).toMatchObject({ state: 'blocked', completed_at: null });
    const receipt = await api.call('GET', `/api/v1/requests/${id}/receipt`);
    expect([receipt.status, receipt.json<{ code: string }>().code]).toEqual([409, 'CONFLICT']);

    await mend(name);
    await api.retry(blocked);
    await api.until(id, 'completed');
    const kept = house.acme.effectsOf(name).filter(({ count }) => count > 0);
    // Once more by itself, and once more for the person who retried.
    expect(kept.at(-1)?.idempotencyKey).toMatch(/\.3$/);
  },
);

test('a service that refuses our token is named with what to check', async () => {
  const { api } = server;
  await misbehave('mailer', '--refuse');
  const { id } = await api.ask({ right: 'access', identities: emailOf(9) });
  await settled(api, id);
  const blocked = await api.task(id, 'collect:mailer');
  expect(blocked).toMatchObject({ state: 'blocked', attempts: 1, error: { code: 'SYSTEM_REFUSED' } });
  expect(blocked.error?.message).toContain('Check that it knows the public key of this server');
});

test('a database that cannot be reached is tried again and then waits for a person, before anything was destroyed', async () => {
  const { api } = server;
  await relay.close();
  const { id } = await api.ask({ right: 'erasure', identities: emailOf(11) });
  const tasks = await settled(api, id);
  const [blocked, ...more] = tasks.filter(({ state }) => state === 'blocked');
  expect(more).toEqual([]);
  expect(blocked).toMatchObject({
    key: 'resolve:shop',
    attempts: 2,
    error: {
      code: 'SYSTEM_UNREACHABLE',
      message: 'PostgreSQL of shop cannot be reached. Is it running, and is its address right?',
    },
  });
  expect(statesOf(tasks)).toMatchObject({ 'resolve:accounts': 'succeeded', 'erase:accounts': 'pending' });

  await relay.open();
  if (blocked !== undefined) await api.retry(blocked);
  await answerTicketOf(house, api, id);
  await api.until(id, 'completed');
});
