import type { KyselyPlugin } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { MemorySystem, memorySystems } from '../../test/memory-system.ts';
import { auditMigrations, listAudit } from '../audit/index.ts';
import { createLogger, HabeasError, newSecretKey, systemClock } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { loadPolicy } from '../policy/index.ts';
import { type Caller, createPauses, createRequests, type Requests, requestMigrations } from './index.ts';

const caller: Caller = { organizationId: 'acme', actor: 'key:key_1' };
const other: Caller = { organizationId: 'beta', actor: 'key:key_2' };
const why = { actor: caller.actor, reason: 'shop is being restored' };
const masterKey = newSecretKey();

interface Server {
  readonly requests: Requests;
  readonly shop: MemorySystem;
  readonly mail: MemorySystem;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function openDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase({
    ...auditMigrations,
    ...notifyMigrations,
    ...requestMigrations,
  });
  ends.push(() => database.close());
  return database;
}

/** One server process of an organization. What it looks for by itself comes seldom, so that what is seen came by notice. */
async function startServer(
  database: Pick<TestDatabase, 'db' | 'url'>,
  options: {
    readonly organizationId?: string;
    readonly reconcileMilliseconds?: number;
    /** Another process of the same organization: it acts on the same systems. */
    readonly beside?: Server;
  } = {},
): Promise<Server> {
  const rows = [{ email: 'ada@example.org', user_id: 'u1' }];
  const { shop, mail } = options.beside ?? {
    shop: new MemorySystem('shop', rows),
    mail: new MemorySystem('mail', rows),
  };
  const requests = createRequests({
    db: database.db,
    databaseUrl: database.url,
    organizationId: options.organizationId ?? 'acme',
    systems: memorySystems([shop, mail], []),
    policy: loadPolicy(undefined),
    masterKey,
    clock: systemClock,
    logger: createLogger({ level: 'silent' }),
    sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
    proveEntry: async () => undefined,
    callback: (taskId) => ({ url: `http://127.0.0.1/${taskId}`, secret: 'secret' }),
    verifyCallback: () => new Date(),
    reconcileMilliseconds: options.reconcileMilliseconds ?? 60_000,
  });
  await requests.start();
  ends.push(() => requests.stop());
  return { requests, shop, mail };
}

async function erase({ requests }: Server, as = caller): Promise<string> {
  const { request } = await requests.receive(as, {
    right: 'erasure',
    identities: [{ type: 'email', value: 'ada@example.org' }],
    dryRun: false,
  });
  return request.id;
}

const isCompleted = async ({ requests }: Server, id: string, as = caller) =>
  (await requests.get(as, id)).state === 'completed';

describe('a pause', () => {
  it('of a system starts nothing more there, on any server, and lets all other work go on', async () => {
    const database = await openDatabase();
    const first = await startServer(database);
    const second = await startServer(database, { beside: first });
    await first.requests.pauses.pause({ scope: 'system', system: 'shop' }, why);
    await eventually(
      'both heed it',
      () => first.requests.pauses.stops('shop') && second.requests.pauses.stops('shop'),
      1,
    );
    expect(second.requests.pauses.stops('mail')).toBe(false);
    const id = await erase(second);
    await eventually('mail was asked', () => second.mail.calls.length > 0);
    expect(first.shop.calls).toEqual([]);
    expect(await isCompleted(first, id)).toBe(false);
    await second.requests.pauses.resume({ scope: 'system', system: 'shop' }, why);
    await eventually('it goes on', () => isCompleted(first, id));
    expect(first.shop.calls.length).toBeGreaterThan(0);
  });

  it('of the organization stops packages too, is found by a server without any notice, and stops no other organization', async () => {
    const database = await openDatabase();
    const acme = await startServer(database, { reconcileMilliseconds: 20 });
    const beta = await startServer(database, { organizationId: 'beta' });
    // As if the notice was lost: a row, and nothing else.
    await database.pool.query(`insert into habeas.pauses values ('acme', '', 'by hand', 'system', now())`);
    await eventually('acme heeds it', () => acme.requests.pauses.stops(null));
    expect(beta.requests.pauses.stops('shop')).toBe(false);
    const id = await erase(acme);
    const others = await erase(beta, other);
    await eventually('the other organization is done', () => isCompleted(beta, others, other));
    expect([acme.shop.calls, acme.mail.calls]).toEqual([[], []]);
    await acme.requests.pauses.resume({ scope: 'organization' }, why);
    await eventually('it goes on', () => isCompleted(acme, id));
  });

  it('of the installation stops every organization, and survives a restart', async () => {
    const database = await openDatabase();
    const direct = createPauses({
      db: database.db,
      organizationId: 'acme',
      clock: systemClock,
      knownSystems: async () => [],
    });
    await direct.pause({ scope: 'installation' }, why);
    const acme = await startServer(database);
    const beta = await startServer(database, { organizationId: 'beta' });
    const ids = [await erase(acme), await erase(beta, other)];
    const restarted = await startServer(database, { beside: acme });
    expect([acme, beta, restarted].map(({ requests }) => requests.pauses.stops('mail'))).toEqual([
      true,
      true,
      true,
    ]);
    expect([acme, beta, restarted].flatMap(({ shop, mail }) => [...shop.calls, ...mail.calls])).toEqual([]);
    await direct.resume({ scope: 'installation' }, why);
    await eventually(
      'all go on',
      async () => (await isCompleted(acme, ids[0] ?? '')) && isCompleted(beta, ids[1] ?? '', other),
    );
  });

  it('is made and ended once, with an audit entry each, and refuses a name that nothing has', async () => {
    const database = await openDatabase();
    const { requests } = await startServer(database);
    const { pauses } = requests;
    await expect(pauses.pause({ scope: 'system', system: 'shopp' }, why)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('shop'),
    });
    await Promise.all([1, 2].map(() => pauses.pause({ scope: 'system', system: 'shop' }, why)));
    expect(await pauses.list()).toMatchObject([
      { scope: 'system', system: 'shop', reason: why.reason, paused_by: caller.actor },
    ]);
    await Promise.all([1, 2].map(() => pauses.resume({ scope: 'system', system: 'shop' }, why)));
    expect(await pauses.list()).toEqual([]);
    const entries = await listAudit(database.db, { organizationId: 'acme' });
    expect(
      entries
        .filter(({ action }) => action.startsWith('work.'))
        .map(({ action, actor, details }) => [action, actor, details]),
    ).toEqual([
      ['work.resumed', caller.actor, { scope: 'system', system: 'shop' }],
      ['work.paused', caller.actor, { scope: 'system', system: 'shop' }],
    ]);
  });

  it('costs a task nothing: no claim asks the database what is paused', async () => {
    const database = await openDatabase();
    let asked = 0;
    let asksOther = 0;
    const counting: KyselyPlugin = {
      transformQuery: ({ node }) => {
        if (JSON.stringify(node).includes('"pauses"')) asked += 1;
        else asksOther += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    };
    const server = await startServer({ ...database, db: database.db.withPlugin(counting) });
    const before = asked;
    const id = await erase(server);
    await eventually('it is done', () => isCompleted(server, id));
    expect([before, asked - before]).toEqual([2, 0]);
    expect(asksOther).toBeGreaterThan(20);
  });
});

describe('a system that fails', () => {
  it('is told of with what waits for it, to its own organization, until it does its work again', async () => {
    const database = await openDatabase();
    const acme = await startServer(database);
    const beta = await startServer(database, { organizationId: 'beta' });
    acme.shop.before = () => {
      throw new HabeasError('SYSTEM_UNREACHABLE', 'shop does not answer', { retryable: true });
    };
    const id = await erase(acme);
    await eventually('shop is told of', async () => (await acme.requests.failingSystems(caller)).length > 0);
    expect(await acme.requests.failingSystems(caller)).toEqual([
      {
        system: 'shop',
        tasks: expect.any(Number),
        blocked: 0,
        requests: 1,
        error: { code: 'SYSTEM_UNREACHABLE', message: 'shop does not answer' },
        next_attempt_at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await beta.requests.failingSystems(other)).toEqual([]);
    acme.shop.before = () => undefined;
    // On a busy machine it has failed often by now, and the next attempt is far away.
    await eventually('the request is done', () => isCompleted(acme, id), 60);
    expect(await acme.requests.failingSystems(caller)).toEqual([]);
  });
});
