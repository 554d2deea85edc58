import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { newLogKey } from '../../test/log-key.ts';
import { MemorySystem, memorySystems } from '../../test/memory-system.ts';
import { auditMigrations, listAudit } from '../audit/index.ts';
import { createLogger, newSecretKey, systemClock } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { parsePolicy } from '../policy/index.ts';
import { createRequests, requestMigrations } from './index.ts';
import type { Requests } from './requests.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...requestMigrations };
const ada = { organizationId: 'acme', actor: 'key:ada' };
const ben = { organizationId: 'acme', actor: 'key:ben' };
const cy = { organizationId: 'acme', actor: 'key:cy' };

interface World {
  readonly database: TestDatabase;
  readonly requests: Requests;
  readonly shop: MemorySystem;
}

const open: World[] = [];
afterEach(async () => {
  for (const { requests, database } of open.splice(0)) {
    await requests.stop();
    await database.close();
  }
});

/** A shop with three rows of Ada and one of Bob. */
async function startWorld(rules: string): Promise<World> {
  const database = await createTestDatabase(migrations);
  const shop = new MemorySystem('shop', [
    { email: 'ada@example.org', user_id: 'u1', name: 'Ada' },
    { email: 'ada@example.org', user_id: 'u1', name: 'Ada, once more' },
    { email: 'ada@example.org', user_id: 'u1', name: 'Ada, again' },
    { email: 'bob@example.org', user_id: 'u2', name: 'Bob' },
  ]);
  const requests = createRequests({
    db: database.db,
    organizationId: 'acme',
    databaseUrl: database.url,
    systems: memorySystems([shop]),
    policy: parsePolicy(`rules: [${rules}]`, 'policy.yaml'),
    masterKey: newSecretKey(),
    clock: systemClock,
    logger: createLogger({ level: 'fatal' }),
    sign: newLogKey().signReceipt,
    proveEntry: async () => undefined,
    callback: (taskId) => ({ url: `http://127.0.0.1/${taskId}`, secret: 'none' }),
    verifyCallback: () => new Date(),
    retry: { maxFailures: 4, firstDelayMilliseconds: 1, longestDelayMilliseconds: 5 },
    reconcileMilliseconds: 50,
  });
  const world = { database, requests, shop };
  open.push(world);
  await requests.start();
  return world;
}

async function receive({ requests }: World, dryRun = false) {
  const identities = [{ type: 'email', value: 'ada@example.org' }];
  return (await requests.receive(ada, { right: 'erasure', identities, dryRun })).request;
}

async function inState({ requests }: World, id: string, state: string) {
  await eventually(`${id} is ${state}`, async () => (await requests.get(ada, id)).state === state);
  return requests.get(ada, id);
}

const approve = ({ requests }: World, caller: typeof ada, id: string) =>
  requests.command(caller, id, { type: 'approve' });

const ABOVE_TWO = '{when: {right: erasure}, four_eyes_above: 2}';

describe('four eyes above a row count', () => {
  it('stops before the first destructive task until two different people approve', async () => {
    const world = await startWorld(ABOVE_TWO);
    const { id } = await receive(world);
    const stopped = await inState(world, id, 'approving');
    expect(stopped.approval).toEqual({ needed: 2, given: [] });
    const tasks = await world.requests.tasks(ada, id);
    const approval = tasks.find(({ kind }) => kind === 'approval');
    expect(approval).toMatchObject({ state: 'waiting', evidence: { counts: { 'shop.rows': 3 } } });
    await expect(
      world.requests.commandTask(ada, id, approval?.id ?? '', { type: 'skip', reason: 'in a hurry' }),
    ).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('two people') });

    expect((await approve(world, ada, id)).approval).toEqual({ needed: 2, given: ['key:ada'] });
    await expect(approve(world, ada, id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('another person'),
    });
    expect(await world.requests.get(ada, id)).toMatchObject({ state: 'approving' });
    expect(world.shop.rows).toHaveLength(4);
    expect(world.shop.calls).not.toContain('erase');

    await approve(world, ben, id);
    const completed = await inState(world, id, 'completed');
    expect(completed.approval).toEqual({ needed: 2, given: ['key:ada', 'key:ben'] });
    expect(world.shop.rows.map(({ name }) => name)).toEqual(['Bob']);
    const entries = await listAudit(world.database.db, { organizationId: 'acme', limit: 100 });
    const told = entries
      .filter(({ action }) => /approv/.test(action))
      .map(({ action, actor, details }) => [action, actor, details]);
    expect(told.reverse()).toEqual([
      ['request.approval-asked', 'system', { above: 2, needed: 2, request: id, rows: 3 }],
      ['request.approved', 'key:ada', { approvals: 1, needed: 2, request: id }],
      ['request.approved', 'key:ben', { approvals: 2, needed: 2, request: id }],
    ]);
  });

  it('asks nobody for as much as one person may have destroyed, nor for a dry run', async () => {
    const world = await startWorld('{when: {right: erasure}, four_eyes_above: 3}');
    const { id } = await receive(world, true);
    expect((await world.requests.plan(ada, id)).tasks.map(({ kind }) => kind)).not.toContain('approval');
    await inState(world, id, 'completed');
    const real = await receive(world);
    expect(await inState(world, real.id, 'completed')).toMatchObject({ approval: null });
    expect(world.shop.rows).toHaveLength(1);
  });

  it('ends without a trace in the systems when one of them rejects it', async () => {
    const world = await startWorld(ABOVE_TWO);
    const { id } = await receive(world);
    await inState(world, id, 'approving');
    await approve(world, ada, id);
    await world.requests.command(ben, id, { type: 'reject', reason: 'too much for one person' });
    expect(await world.requests.get(ada, id)).toMatchObject({
      state: 'rejected',
      reason: 'too much for one person',
      tasks: { open: 0 },
    });
    await expect(approve(world, cy, id)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(world.shop.rows).toHaveLength(4);
    // The keys that were found lie nowhere any more.
    const { rows } = await world.database.pool.query('select blob from habeas.request_blobs');
    expect(rows).toEqual([]);
  });

  it('asks anew who approved it before the number was known, and waits through a hold', async () => {
    const world = await startWorld('{when: {right: erasure}, approval: required, four_eyes_above: 2}');
    const { id } = await receive(world);
    expect((await world.requests.get(ada, id)).approval).toEqual({ needed: 1, given: [] });
    await approve(world, ada, id);
    await eventually(
      'two people are asked',
      async () => (await world.requests.get(ada, id)).approval?.needed === 2,
    );
    expect((await world.requests.get(ada, id)).approval?.given).toEqual([]);
    await world.requests.command(ada, id, { type: 'hold', reason: 'first a question' });
    await expect(approve(world, ada, id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await world.requests.command(ada, id, { type: 'release' });
    await approve(world, ben, id);
    await approve(world, ada, id);
    await inState(world, id, 'completed');
  });

  it('lets nobody approve whom the policy does not name', async () => {
    const world = await startWorld(
      "{when: {right: erasure}, approvers: ['key:ada', 'key:ben'], four_eyes_above: 2}",
    );
    const { id } = await receive(world);
    await inState(world, id, 'approving');
    await expect(approve(world, cy, id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await Promise.all([approve(world, ada, id), approve(world, ben, id)]);
    await inState(world, id, 'completed');
  });
});

describe('who approves', () => {
  it('is asked before anything is looked for, and only who is named may say yes', async () => {
    const world = await startWorld("{when: {right: erasure}, approval: required, approvers: ['key:ben']}");
    const { id, state } = await receive(world);
    expect(state).toBe('approving');
    await expect(approve(world, ada, id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(world.shop.calls).toEqual([]);
    await approve(world, ben, id);
    expect(await inState(world, id, 'completed')).toMatchObject({
      approval: { needed: 1, given: ['key:ben'] },
    });
  });
});
