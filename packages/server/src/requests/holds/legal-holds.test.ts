import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { MemorySystem, memorySystems } from '../../../test/memory-system.ts';
import { stopInside } from '../../../test/stop-inside.ts';
import { auditMigrations, listAudit } from '../../audit/index.ts';
import { createLogger, newSecretKey, systemClock } from '../../foundation/index.ts';
import { notifyMigrations } from '../../notify/index.ts';
import { parsePolicy } from '../../policy/index.ts';
import { type Caller, createRequests, type Requests, requestMigrations } from '../index.ts';

const caller: Caller = { organizationId: 'acme', actor: 'key:officer' };
const ada = { type: 'email', value: 'ada@example.org' };
const masterKey = newSecretKey();
const people = [
  { email: 'ada@example.org', user_id: 'u1', name: 'Ada', note: '' },
  { email: 'bob@example.org', user_id: 'u2', name: 'Bob', note: '' },
];

let database: TestDatabase;
let shop: MemorySystem;
let requests: Requests;
beforeEach(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...requestMigrations });
  shop = new MemorySystem('shop', people);
  requests = server();
});
afterEach(async () => {
  await requests.stop();
  await database.close();
});

function server(policy = ''): Requests {
  return createRequests({
    db: database.db,
    organizationId: caller.organizationId,
    databaseUrl: database.url,
    systems: memorySystems([shop], []),
    policy: parsePolicy(policy, 'policy.yaml'),
    masterKey,
    clock: systemClock,
    logger: createLogger({ level: 'silent' }),
    sign: async () => ({ signature: '', publicKey: {} }),
    proveEntry: async () => undefined,
    callback: () => ({ url: '', secret: '' }),
    verifyCallback: () => new Date(0),
    reconcileMilliseconds: 50,
  });
}

async function ask(identity = ada, right: 'erasure' | 'access' = 'erasure') {
  const { request } = await requests.receive(caller, { right, identities: [identity], dryRun: false });
  return request;
}

const state = async (id: string) => (await requests.get(caller, id)).state;
const becomes = (id: string, wanted: string) =>
  eventually(`${id} to be ${wanted}`, async () => (await state(id)) === wanted);

describe('a legal hold on a person', () => {
  it('holds an erasure that comes later, before anything happens, and says so; released, it goes on', async () => {
    await requests.start();
    const hold = await requests.legalHolds.place(caller, {
      scope: { kind: 'subject', identities: [{ type: 'email', value: ' Ada@Example.org ' }] },
      reason: 'Case 17/2026',
    });
    const held = await ask();
    expect(held).toMatchObject({
      state: 'held',
      legal_holds: [hold.id],
      reason: `Under legal hold ${hold.id}.`,
    });
    const { id: other } = await ask({ type: 'email', value: 'bob@example.org' });
    await becomes(other, 'completed');
    expect(shop.rows.map(({ name }) => name)).toEqual(['Ada']);
    expect((await requests.legalHolds.get(caller, hold.id)).requests).toEqual([held.id]);

    const release = requests.command(caller, held.id, { type: 'release' });
    await expect(release).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(hold.id),
    });
    await requests.legalHolds.release(caller, hold.id, 'Case closed');
    await becomes(held.id, 'completed');
    expect(shop.rows).toEqual([]);
  });

  it('holds an erasure that waits already, and leaves an access alone', async () => {
    requests = server('erasure: {wait: 30d}');
    const { id } = await ask();
    const { id: access } = await ask(ada, 'access');
    const hold = await requests.legalHolds.place(caller, {
      scope: { kind: 'subject', identities: [ada] },
      reason: 'Case 17/2026',
    });
    expect(hold.requests).toEqual([id]);
    expect(await state(access)).toBe('running');
    await requests.legalHolds.release(caller, hold.id, 'Case closed');
    expect(await requests.get(caller, id)).toMatchObject({ state: 'waiting', legal_holds: [], reason: null });
  });

  it('holds a request whose person a system only names later, before anything is destroyed', async () => {
    await requests.start();
    await requests.legalHolds.place(caller, {
      scope: { kind: 'subject', identities: [{ type: 'user_id', value: 'u1' }] },
      reason: 'Case 17/2026',
    });
    const { id } = await ask();
    await becomes(id, 'held');
    await eventually('nothing to run', async () =>
      (await requests.tasks(caller, id)).every((task) => task.state !== 'running'),
    );
    expect(shop.rows.map(({ name }) => name)).toEqual(['Ada', 'Bob']);
    expect(shop.calls).not.toContain('erase');
  });

  it('keeps nobody in clear, and nothing of them once it is released', async () => {
    const hold = await requests.legalHolds.place(caller, {
      scope: { kind: 'subject', identities: [ada] },
      reason: 'Case 17/2026',
    });
    const dump = async () => {
      const tables = ['legal_holds', 'legal_hold_identities', 'audit_entries', 'outbox_events'];
      const texts = await Promise.all(
        tables.map(async (table) => {
          const { rows } = await database.pool.query(`select t::text as row from habeas.${table} t`);
          return rows.map(({ row }: { row: string }) => row).join('\n');
        }),
      );
      return texts.join('\n');
    };
    expect(await dump()).toContain('Case 17/2026');
    expect(await dump()).not.toContain('ada@');
    expect(await dump()).not.toContain(Buffer.from('ada@example.org').toString('hex'));
    await requests.legalHolds.release(caller, hold.id, 'Case closed');
    const { rows } = await database.pool.query('select count(*)::int as n from habeas.legal_hold_identities');
    expect(rows[0].n).toBe(0);
    const actions = (
      await listAudit(database.db, { organizationId: 'acme', subject: hold.id, limit: 10 })
    ).map(({ action, actor }) => `${action} ${actor}`);
    expect(actions.sort()).toEqual(['legal-hold.placed key:officer', 'legal-hold.released key:officer']);
  });
});

describe('a legal hold', () => {
  it.each([
    [{ kind: 'system', system: 'shop' } as const, 'held'],
    [{ kind: 'system', system: 'elsewhere' } as const, 'waiting'],
    [{ kind: 'category', category: 'user.financial' } as const, 'held'],
    [{ kind: 'organization' } as const, 'held'],
  ])('on %o finds requests that came before and after: %s', async (scope, wanted) => {
    requests = server('erasure: {wait: 30d}');
    const { id: before } = await ask();
    await requests.legalHolds.place(caller, { scope, reason: 'Case 17/2026' });
    const { id: after } = await ask({ type: 'email', value: 'bob@example.org' });
    expect([await state(before), await state(after)]).toEqual([wanted, wanted]);
  });

  it('of two, both must be released; and a person who held the request as well must too', async () => {
    requests = server('erasure: {wait: 30d}');
    const { id } = await ask();
    await requests.command(caller, id, { type: 'hold', reason: 'a question' });
    const place = () =>
      requests.legalHolds.place(caller, { scope: { kind: 'organization' }, reason: 'Case 17/2026' });
    const [first, second] = [await place(), await place()];
    await requests.legalHolds.release(caller, first.id, 'Closed');
    expect(await requests.get(caller, id)).toMatchObject({ state: 'held', legal_holds: [second.id] });
    await requests.legalHolds.release(caller, second.id, 'Closed');
    expect(await requests.get(caller, id)).toMatchObject({ state: 'held', legal_holds: [] });
    expect(await requests.command(caller, id, { type: 'release' })).toMatchObject({ state: 'waiting' });
  });

  it('that a process stored and did not live to apply is applied by the next one', async () => {
    requests = server('erasure: {wait: 30d}');
    const { id } = await ask();
    await database.pool.query(
      `insert into habeas.legal_holds (organization_id, id, scope, identity_types, reason, placed_by, placed_at)
       values ('acme', 'lho_1', 'organization', '{}', 'Case 17/2026', 'key:officer', now())`,
    );
    await requests.start();
    await becomes(id, 'held');
  });

  it('never misses a request that comes at the same moment', async () => {
    requests = server('erasure: {wait: 30d}');
    for (let round = 0; round < 8; round += 1) {
      const [asked, hold] = await Promise.all([
        Promise.all([ask(), ask(), ask()]),
        requests.legalHolds.place(caller, {
          scope: { kind: 'subject', identities: [ada] },
          reason: 'Case 17/2026',
        }),
      ]);
      const states = await Promise.all(asked.map(({ id }) => state(id)));
      expect(states).toEqual(['held', 'held', 'held']);
      await requests.legalHolds.release(caller, hold.id, 'Closed');
    }
  });

  it('covers a request whose receipt looked for holds before it and is stored after it', async () => {
    requests = server('erasure: {wait: 30d}');
    // After it has looked for holds, when its first state is written.
    await using stop = await stopInside(database.pool, {
      table: 'requests',
      write: 'update',
      when: 'old.state is distinct from new.state',
    });
    const asked = ask();
    await stop.reached();
    const placed = requests.legalHolds.place(caller, {
      scope: { kind: 'subject', identities: [ada] },
      reason: 'Case 17/2026',
    });
    const waitsForIt = eventually('the hold waits for the receipt', async () => {
      const { rows } = await database.pool.query(
        `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted`,
      );
      return rows[0].n >= 2;
    });
    // Broken, it would not wait, and find nothing.
    await Promise.race([placed, waitsForIt]);
    await stop.letOn();
    const { id } = await asked;
    await placed;
    expect(await state(id)).toBe('held');
  });

  it('of another organization does not exist', async () => {
    const hold = await requests.legalHolds.place(caller, { scope: { kind: 'organization' }, reason: 'Case' });
    const stranger = { organizationId: 'other', actor: 'key:x' };
    await expect(requests.legalHolds.get(stranger, hold.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(requests.legalHolds.release(stranger, hold.id, 'x')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await requests.legalHolds.get(caller, hold.id)).released_at).toBeNull();
  });
});

it('approves a request only for those whom the policy names', async () => {
  requests = server('rules: [{when: {right: erasure}, approval: required, approvers: ["key:officer"]}]');
  const { id } = await ask();
  const stranger = { organizationId: 'acme', actor: 'key:clerk' };
  await expect(requests.command(stranger, id, { type: 'approve' })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  expect(await requests.command(caller, id, { type: 'approve' })).toMatchObject({ state: 'running' });
});
