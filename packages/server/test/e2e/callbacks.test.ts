import { randomBytes } from 'node:crypto';
import type { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callbackSecret, signStandardWebhook } from '../../src/access/index.ts';
import { loadMasterKey } from '../../src/foundation/index.ts';
import { eventually } from '../eventually.ts';
import type { Answer } from './api.ts';
import { type House, openHouse, type Served } from './house.ts';
import { readStores } from './stores.ts';

let house: House;
let server: Served;
/** Two requests whose mailer takes the work and does not end it. */
let waiting: api.TaskView;
let other: api.TaskView;

beforeAll(async () => {
  house = await openHouse({ people: 40, switches: { mailer: ['--delay=3600000'] } });
  server = await house.serve();
  waiting = await waitingTask(1);
  other = await waitingTask(2);
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

async function waitingTask(n: number): Promise<api.TaskView> {
  const identities = [{ type: 'email', value: house.acme.subject(n).email }];
  const { id } = await server.api.ask({ right: 'erasure', identities });
  await eventually('only the mailer and the team are waited for', async () => {
    const states = (await server.api.tasks(id)).map(({ state }) => state);
    const others = states.filter((state) => !['succeeded', 'pending', 'waiting'].includes(state));
    return states.filter((state) => state === 'waiting').length === 2 && others.length === 0;
  });
  return server.api.task(id, 'erase:mailer');
}

/** The secret that the service got with the call. */
const secretOf = ({ id }: { readonly id: string }) =>
  callbackSecret(loadMasterKey({ dataDir: house.dataDir, environment: {} }), id);
const now = () => Math.floor(Date.now() / 1_000);

interface Message {
  readonly id: string;
  /** Unix time in seconds. */
  readonly at: number;
  readonly body: string;
  readonly signature: string;
}

function signed(secret: string, changes: Partial<Message> = {}): Message {
  const body = JSON.stringify({ operation: { state: 'SUCCEEDED', counts: { recipients: 99 } } });
  const message = { id: `msg_${randomBytes(8).toString('hex')}`, at: now(), body, ...changes };
  const timestamp = String(message.at);
  return { ...message, signature: signStandardWebhook({ secret, ...message, timestamp }) };
}

function send(
  taskId: string,
  message: Message,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return server.api.call('POST', `/api/v1/callbacks/${taskId}`, {
    raw: message.body,
    headers: {
      authorization: '',
      'content-type': 'application/json',
      'webhook-id': message.id,
      'webhook-timestamp': String(message.at),
      'webhook-signature': message.signature,
      ...headers,
    },
  });
}

/** Everything that Habeas keeps about requests, and everything that the company keeps. */
async function everything(): Promise<unknown> {
  const tables = ['requests', 'tasks', 'task_dependencies', 'request_identities', 'request_blobs'];
  const logs = ['audit_entries', 'outbox_events'];
  const rows = await Promise.all(
    [...tables, ...logs].map(async (table) => {
      const found = await house.database.pool.query<{ row: string }>(
        `select t::text as row from habeas.${table} t order by 1`,
      );
      return [table, found.rows.map(({ row }) => row)] as const;
    }),
  );
  return [Object.fromEntries(rows), await readStores(house)];
}

describe('a callback', () => {
  const forged: Readonly<
    Record<string, () => readonly [taskId: string, Message, Readonly<Record<string, string>>?]>
  > = {
    'without a signature': () => [waiting.id, { ...signed(secretOf(waiting)), signature: '' }],
    'with a made-up signature': () => [waiting.id, { ...signed(secretOf(waiting)), signature: 'v1,AAAA' }],
    'signed with a made-up secret': () => [waiting.id, signed(`whsec_${randomBytes(32).toString('base64')}`)],
    'signed with the API key': () => [waiting.id, signed(Buffer.from(house.key).toString('base64'))],
    'signed for another task': () => [waiting.id, signed(secretOf(other))],
    'of another task, sent here': () => [other.id, signed(secretOf(waiting))],
    'whose body was changed': () => [waiting.id, { ...signed(secretOf(waiting)), body: '{"operation":{}}' }],
    'whose time was changed': () => [waiting.id, { ...signed(secretOf(waiting)), at: now() + 1 }],
    'whose id was changed': () => [waiting.id, { ...signed(secretOf(waiting)), id: 'msg_other' }],
    'from six minutes ago': () => [waiting.id, signed(secretOf(waiting), { at: now() - 360 })],
    'from six minutes ahead': () => [waiting.id, signed(secretOf(waiting), { at: now() + 360 })],
    'from no time at all': () => [
      waiting.id,
      signed(secretOf(waiting)),
      { 'webhook-timestamp': 'yesterday' },
    ],
    'with the API key and no signature': () => [
      waiting.id,
      { ...signed(secretOf(waiting)), signature: '' },
      { authorization: `Bearer ${house.key}` },
    ],
  };

  test.each(Object.keys(forged))('%s is refused and changes nothing', async (name) => {
    const [taskId, message, headers] = forged[name]?.() ?? [];
    if (taskId === undefined || message === undefined) throw new Error('There is no such callback.');
    const before = await everything();
    const answer = await send(taskId, message, headers);
    expect([answer.status, answer.json<api.Problem>().code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(await everything()).toEqual(before);
  });

  test('about a task that there is not is NOT_FOUND, and one that is too large is not read', async () => {
    const before = await everything();
    const unknown = await send('tsk_unknown', signed(secretOf({ id: 'tsk_unknown' })));
    expect([unknown.status, unknown.json<api.Problem>().code]).toEqual([404, 'NOT_FOUND']);
    const large = await send(waiting.id, signed(secretOf(waiting), { body: 'x'.repeat(300_000) }));
    expect([large.status, large.json<api.Problem>().code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(await everything()).toEqual(before);
  });

  test('that is right makes Habeas ask the service itself, whatever it says; a second time it changes nothing', async () => {
    const message = signed(secretOf(waiting));
    expect((await send(waiting.id, message)).status).toBe(204);
    await eventually('the service was asked', async () => {
      const { state, attempts } = await server.api.task(waiting.request_id, waiting.key);
      return state === 'waiting' && attempts === waiting.attempts + 1;
    });
    // The mailer says that it still works on it.
    expect(await server.api.request(waiting.request_id)).toMatchObject({
      state: 'running',
      completed_at: null,
    });
    const { items } = await server.api.get<{ items: api.AuditEntryView[] }>(
      `/api/v1/audit?subject=${waiting.id}`,
    );
    expect(items.filter(({ actor }) => actor === 'service:mailer').map(({ action }) => action)).toEqual([
      'task.due',
    ]);

    const before = await everything();
    for (let again = 0; again < 3; again += 1) expect((await send(waiting.id, message)).status).toBe(204);
    const older = signed(secretOf(waiting), { at: message.at - 30 });
    expect((await send(waiting.id, older)).status).toBe(204);
    expect(await everything()).toEqual(before);
  });

  test('that comes after the task has ended changes nothing', async () => {
    const task = await server.api.task(other.request_id, 'erase:accounts');
    const before = await everything();
    expect((await send(task.id, signed(secretOf(task)))).status).toBe(204);
    expect(await everything()).toEqual(before);
  });
});
