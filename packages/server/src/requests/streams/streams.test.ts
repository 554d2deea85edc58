import { AckPolicy, type JsMsg } from '@nats-io/jetstream';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { MemorySystem, memorySystems } from '../../../test/memory-system.ts';
import { type NatsServer, startNats } from '../../../test/nats-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { signStandardWebhook } from '../../access/index.ts';
import { auditMigrations, listAudit } from '../../audit/index.ts';
import { createLogger, newSecretKey, parseConfig, systemClock } from '../../foundation/index.ts';
import { createEventFeed, createNotifications, notifyMigrations } from '../../notify/index.ts';
import { loadPolicy } from '../../policy/index.ts';
import { type Caller, createRequests, createStreams, type Requests, requestMigrations } from '../index.ts';
import { consumerName } from './follow-status.ts';

const program = requireProgram('nats-server', '--version');
const organizationId = 'acme';
const caller: Caller = { organizationId, actor: 'key:key_1' };
const masterKey = newSecretKey();
const silent = createLogger({ level: 'silent' });

const STATUS = [
  {
    name: 'analytics',
    system: 'analytics',
    stream: 'STATUS',
    subject: 'status.analytics',
  },
  {
    name: 'shop',
    system: 'shop',
    stream: 'STATUS',
    subject: 'shop.user.>',
    request_id: 'data.ref',
    status: 'kind',
    completed: ['erased'],
    failed: ['refused'],
    in_progress: ['queued'],
    count: 'data.rows',
    only: { 'data.reason': ['gdpr'] },
  },
];

interface Server {
  readonly requests: Requests;
  readonly log: string[];
  stop(): Promise<void>;
}

interface World {
  readonly nats: NatsServer;
  readonly database: TestDatabase;
  readonly shop: MemorySystem;
  start(options?: { readonly askAfter?: string; readonly take?: Requests['takeReport'] }): Promise<Server>;
}

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function openWorld(): Promise<World> {
  const database = await createTestDatabase({
    ...auditMigrations,
    ...notifyMigrations,
    ...requestMigrations,
  });
  ends.push(() => database.close());
  const nats = await startNats();
  ends.push(async () => nats[Symbol.asyncDispose]());
  await nats.manager.streams.add({ name: 'STATUS', subjects: ['status.>', 'shop.>'] });
  const shop = new MemorySystem('shop', [{ email: 'ada@example.org', user_id: 'u1' }]);
  return {
    nats,
    database,
    shop,
    start: async (options = {}) => {
      const server = await startServer({ nats, database, shop }, options);
      ends.push(server.stop);
      return server;
    },
  };
}

async function startServer(
  { nats, database, shop }: Pick<World, 'nats' | 'database' | 'shop'>,
  options: { readonly askAfter?: string; readonly take?: Requests['takeReport'] },
): Promise<Server> {
  const status = STATUS.map((mapping) => ({ ...mapping, ask_after: options.askAfter ?? '6h' }));
  const config = parseConfig({
    text: JSON.stringify({ streams: { nats: { servers: [nats.url], tasks: {}, status } } }),
    file: 'habeas.yaml',
    environment: {},
  });
  const log: string[] = [];
  const logger = createLogger({
    level: 'warn',
    destination: { write: (line: string) => void log.push(line) },
  });
  const { db, pool, url } = database;
  const requests = createRequests({
    db,
    databaseUrl: url,
    organizationId,
    systems: memorySystems([shop], [{ key: 'analytics', team: 'data' }]),
    policy: loadPolicy(undefined),
    masterKey,
    clock: systemClock,
    logger,
    sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
    proveEntry: async () => undefined,
    callback: (taskId) => ({ url: `http://127.0.0.1/${taskId}`, secret: 'secret' }),
    verifyCallback: () => new Date(),
    patience: (system) => config.streams.nats?.status.find((one) => one.system === system)?.ask_after,
    retry: { maxFailures: 4, firstDelayMilliseconds: 1, longestDelayMilliseconds: 5 },
    reconcileMilliseconds: 50,
  });
  const streams = createStreams({
    config,
    organizationId,
    db,
    logger,
    take: options.take ?? ((report) => requests.takeReport(report)),
  });
  const feed = createEventFeed({ db, pool, logger: silent });
  const notifications = createNotifications({
    db,
    pool,
    organizationId,
    config,
    feed,
    programs: streams.receivers,
    sign: signStandardWebhook,
    clock: systemClock,
    logger,
    retry: { firstMilliseconds: 10, longestMilliseconds: 100 },
    tryMilliseconds: 50,
  });
  await notifications.start();
  streams.start();
  await requests.start();
  let stopped = false;
  return {
    requests,
    log,
    async stop() {
      if (stopped) return;
      stopped = true;
      await notifications.stop();
      await feed.close();
      await requests.stop();
      await streams.stop();
    },
  };
}

/** What is told on the stream of tasks, as a service reads it. */
async function tasksOn(nats: NatsServer, count: number): Promise<readonly JsMsg[]> {
  await eventually(`${count} tasks on the stream`, async () => {
    const info = await nats.manager.streams.info('HABEAS_TASKS').catch(() => undefined);
    return (info?.state.messages ?? 0) >= count;
  });
  const name = 'service';
  await nats.manager.consumers.add('HABEAS_TASKS', { durable_name: name, ack_policy: AckPolicy.Explicit });
  const consumer = await nats.stream.consumers.get('HABEAS_TASKS', name);
  const messages: JsMsg[] = [];
  for await (const message of await consumer.fetch({ max_messages: count, expires: 1_000 }))
    messages.push(message);
  await consumer.delete();
  return messages;
}

async function erase({ requests }: Server): Promise<string> {
  const { request } = await requests.receive(caller, {
    right: 'erasure',
    identities: [{ type: 'email', value: 'ada@example.org' }],
    dryRun: false,
  });
  return request.id;
}

const stateOf = async ({ requests }: Server, id: string) => (await requests.get(caller, id)).state;
const taskOf = async ({ requests }: Server, id: string, key: string) => {
  const found = (await requests.tasks(caller, id)).find((task) => task.key === key);
  if (found === undefined) throw new Error(`There is no ${key}.`);
  return found;
};
const isWaiting = async (server: Server, id: string) =>
  (await taskOf(server, id, 'erase:shop')).state === 'waiting' &&
  (await taskOf(server, id, 'ticket:analytics')).state === 'waiting';
const say = (nats: NatsServer, subject: string, body: unknown, messageId?: string) =>
  nats.stream.publish(subject, typeof body === 'string' ? body : JSON.stringify(body), {
    ...(messageId === undefined ? {} : { msgID: messageId }),
  });
const erased = (id: string, more: object = {}) => ({
  kind: 'erased',
  data: { ref: id, reason: 'gdpr', rows: 1, ...more },
});
const done = (id: string) => ({ request_id: id, status: 'completed', at: new Date().toISOString() });

describe.skipIf(program === undefined)('completion by events on a real NATS JetStream server', () => {
  it('tells systems of their tasks without personal data, and ends tasks by what they say, without asking anybody', async () => {
    const { nats, shop, start, database } = await openWorld();
    shop.pendingAnswers = 1;
    const server = await start();
    const id = await erase(server);
    const told = await tasksOn(nats, 2);
    expect(told.map(({ subject }) => subject).sort()).toEqual([
      'habeas.tasks.acme.analytics.ticket',
      'habeas.tasks.acme.shop.erase',
    ]);
    const bodies = told.map((message) => message.json<{ data: Record<string, unknown>; id: string }>());
    const ticket = bodies.find(({ data }) => data.kind === 'ticket');
    const task = await taskOf(server, id, 'ticket:analytics');
    expect(ticket).toMatchObject({
      specversion: '1.0',
      type: 'task.opened',
      subject: id,
      data: {
        request_id: id,
        task: task.id,
        idempotency_key: `${task.id}.1`,
        right: 'erasure',
        team: 'data',
        dry_run: false,
      },
    });
    expect(told.map(({ headers }) => headers?.get('Nats-Msg-Id'))).toEqual(bodies.map((body) => body.id));
    expect(JSON.stringify(bodies)).not.toMatch(/ada@|example\.org|"u1"/);

    await eventually('both wait', () => isWaiting(server, id));
    shop.rows = [];
    await say(nats, 'shop.user.erased', erased(id));
    await say(nats, 'status.analytics', { ...done(id), task: ticket?.data.idempotency_key });
    await eventually('the request is completed', async () => (await stateOf(server, id)) === 'completed');
    expect(shop.calls.filter((call) => call === 'erase')).toHaveLength(1);
    const { evidence } = await taskOf(server, id, 'erase:shop');
    expect(evidence).toMatchObject({
      matched: true,
      counts: { shop: 1 },
      notes: [expect.stringContaining('reported as done')],
    });
    const actors = (await listAudit(database.db, { organizationId, request: id })).filter(
      ({ actor, action }) => action === 'task.succeeded' && actor.startsWith('service:'),
    );
    expect(actors.map(({ actor }) => actor).sort()).toEqual(['service:analytics', 'service:shop']);
  });

  it('takes duplicates, other orders, other reasons, other systems and nonsense for what they are', async () => {
    const { nats, shop, start, database } = await openWorld();
    shop.pendingAnswers = 1;
    const server = await start();
    const id = await erase(server);
    await eventually('both wait', () => isWaiting(server, id));
    const ticket = await taskOf(server, id, 'ticket:analytics');
    const shopTask = await taskOf(server, id, 'erase:shop');
    for (const [subject, body] of [
      ['shop.user.erased', erased(id, { reason: 'inactive' })],
      ['shop.user.erased', erased(id, { ref: 'req_00000000000000000000000000' })],
      ['shop.user.erased', '{'],
      ['shop.user.erased', { ...erased(id), kind: 'ada@example.org' }],
      ['status.analytics', { ...done(id), task: shopTask.id }],
      ['status.analytics', { ...done(id), task: `${ticket.id}.7` }],
      ['status.analytics', { ...done(id), status: 'in-progress' }],
      ['status.analytics', []],
    ] as const)
      await say(nats, subject, body);
    // Behind all of them, so that they were read when this is.
    await say(nats, 'status.analytics', { ...done(id), status: 'failed' });
    await say(nats, 'shop.user.erased', { ...erased(id), kind: 'refused' });
    await eventually(
      'both are blocked',
      async () =>
        (await server.requests.tasks(caller, id)).filter(({ state }) => state === 'blocked').length === 2,
    );
    expect(server.log.join('')).toContain('kind has no value that the mapping names');
    expect(server.log.join('')).not.toContain('ada@example.org');
    shop.rows = [];
    for (let time = 0; time < 3; time += 1) {
      await say(nats, 'shop.user.erased', erased(id));
      await say(nats, 'shop.user.erased', { ...erased(id), kind: 'refused' });
      await say(nats, 'status.analytics', done(id));
      await say(nats, 'status.analytics', { ...done(id), status: 'failed' });
    }
    await eventually('the request is completed', async () => (await stateOf(server, id)) === 'completed');
    await eventually('all messages are acknowledged', async () => {
      const infos = await Promise.all(
        STATUS.map((mapping) => nats.manager.consumers.info('STATUS', consumerName(organizationId, mapping))),
      );
      return infos.every(({ num_pending, num_ack_pending }) => num_pending + num_ack_pending === 0);
    });
    const ended = (await listAudit(database.db, { organizationId, request: id, limit: 500 })).filter(
      ({ action, subject }) => action === 'task.succeeded' && [ticket.id, shopTask.id].includes(subject),
    );
    expect(ended).toHaveLength(2);
    expect(await stateOf(server, id)).toBe('completed');
  });

  it('loses nothing when both sides are killed, and tells nothing twice', async () => {
    const { nats, shop, start } = await openWorld();
    shop.pendingAnswers = 1;
    const first = await start();
    const id = await erase(first);
    await eventually('both wait', () => isWaiting(first, id));
    await tasksOn(nats, 2);
    await first.stop();
    // Said while no server of Habeas runs, on a server that is killed then.
    await say(nats, 'shop.user.erased', erased(id), 'shop-1');
    await nats.kill();
    shop.rows = [];
    const second = await start();
    expect(await stateOf(second, id)).toBe('running');
    await nats.start();
    await eventually(
      'shop ended by event',
      async () => (await taskOf(second, id, 'erase:shop')).state === 'succeeded',
      60,
    );
    await nats.kill();
    await nats.start();
    await say(nats, 'status.analytics', done(id));
    await eventually('the request is completed', async () => (await stateOf(second, id)) === 'completed');
    expect((await nats.manager.streams.info('HABEAS_TASKS')).state.messages).toBe(2);
    expect(shop.calls.filter((call) => call === 'erase')).toHaveLength(1);
  });

  it('tells of tasks that were opened while the stream was away', async () => {
    const { nats, start } = await openWorld();
    const server = await start();
    await nats.kill();
    const id = await erase(server);
    await eventually(
      'the ticket is open',
      async () => (await taskOf(server, id, 'ticket:analytics')).state === 'waiting',
    );
    await nats.start();
    const told = await tasksOn(nats, 1);
    expect(told.some(({ subject }) => subject.endsWith('.ticket'))).toBe(true);
  });

  it('asks the system when an event was lost', async () => {
    const { shop, start } = await openWorld();
    shop.pendingAnswers = 2;
    const server = await start({ askAfter: '100ms' });
    const id = await erase(server);
    await eventually(
      'it was asked',
      async () => (await taskOf(server, id, 'erase:shop')).state === 'succeeded',
    );
    expect(shop.calls.filter((call) => call === 'erase')).toHaveLength(3);
  });

  it('keeps what a system says before its own answer came', async () => {
    const { nats, shop, start, database } = await openWorld();
    shop.pendingAnswers = 1;
    const server = await start();
    shop.before = async (method) => {
      if (method !== 'erase') return;
      const { rows } = await database.pool.query(
        "select request_id from habeas.tasks where key = 'erase:shop'",
      );
      await say(nats, 'shop.user.erased', erased(rows[0].request_id));
      shop.rows = [];
      await eventually('it was stored', async () => {
        const stored = await database.pool.query('select settled_at from habeas.task_reports');
        return stored.rows.length === 1 && stored.rows[0].settled_at === null;
      });
    };
    const id = await erase(server);
    await eventually(
      'shop ended by event',
      async () => (await taskOf(server, id, 'erase:shop')).state === 'succeeded',
    );
    expect(shop.calls.filter((call) => call === 'erase')).toHaveLength(1);
  });

  it('acknowledges a message only when it is stored', async () => {
    const { nats, start } = await openWorld();
    const stored = Promise.withResolvers<void>();
    const taken: string[] = [];
    await start({
      take: async ({ messageId }) => {
        taken.push(messageId);
        if (taken.length === 1) throw new Error('the database is away');
        await stored.promise;
      },
    });
    const mapping = { name: 'analytics' };
    const info = () => nats.manager.consumers.info('STATUS', consumerName(organizationId, mapping));
    await eventually('it is followed', async () => (await info().catch(() => undefined)) !== undefined);
    await say(nats, 'status.analytics', done('req_00000000000000000000000000'), 'said-once');
    await eventually('it came again', () => taken.length === 2);
    expect(taken).toEqual(['said-once', 'said-once']);
    expect((await info()).ack_floor.stream_seq).toBe(0);
    stored.resolve();
    await eventually('it is acknowledged', async () => (await info()).num_ack_pending === 0);
  });

  it('makes the stream of tasks once, and leaves one that is there as it is', async () => {
    const { nats, shop, start } = await openWorld();
    // Nobody is told of a task that is done before its event is delivered.
    shop.pendingAnswers = 1;
    await nats.manager.streams.add({ name: 'HABEAS_TASKS', subjects: ['habeas.tasks.>'], max_msgs: 7 });
    const server = await start();
    await erase(server);
    await tasksOn(nats, 2);
    expect((await nats.manager.streams.info('HABEAS_TASKS')).config.max_msgs).toBe(7);
  });
});
