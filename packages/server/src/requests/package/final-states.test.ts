import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { MemorySystem, memorySystems } from '../../../test/memory-system.ts';
import { auditMigrations } from '../../audit/index.ts';
import { createLogger, fixedClock, HabeasError, newSecretKey } from '../../foundation/index.ts';
import { notifyMigrations } from '../../notify/index.ts';
import { parsePolicy } from '../../policy/index.ts';
import { concludeRequests } from '../conclude-requests.ts';
import { createRequests, requestMigrations } from '../index.ts';
import type { Caller, Requests } from '../requests.ts';
import { isEnded } from '../snapshot.ts';
import { sweepWorkingCopies } from '../sweep-working-copies.ts';
import { removeDiscarded, removeUnknown } from './discard-packages.ts';
import type { PackageStorage } from './storage.ts';
import { createDiskStorage } from './storage-disk.ts';

const DAY = 86_400_000;
const caller: Caller = { organizationId: 'acme', actor: 'key:key_1' };
const ada = { type: 'email', value: 'ada@example.org' };
const person = { email: 'ada@example.org', user_id: 'u1', name: 'Ada' };
const migrations = { ...auditMigrations, ...notifyMigrations, ...requestMigrations };
const logger = createLogger({ level: 'silent' });
const policy = parsePolicy('access: {package_expires: 7d}\nforget_after: 30d\n', 'policy.yaml');

interface World extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly requests: Requests;
  readonly clock: ReturnType<typeof fixedClock>;
  readonly shop: MemorySystem;
  readonly storage: PackageStorage;
  /** What the storage does before it acts, and after it acted. */
  readonly hooks: {
    before?: ((act: 'put' | 'remove') => Promise<void> | void) | undefined;
    after?: ((act: 'put' | 'remove') => Promise<void> | void) | undefined;
  };
  /** Personal data that is left anywhere: pieces, parts, keys of packages, files. */
  left(): Promise<Readonly<Record<string, number>>>;
}

async function startWorld(): Promise<World> {
  const database = await createTestDatabase(migrations);
  const folder = mkdtempSync(join(tmpdir(), 'habeas-final-'));
  const clock = fixedClock('2026-03-02T12:00:00Z');
  const shop = new MemorySystem('shop', [person]);
  const mail = new MemorySystem('mail', [person]);
  const disk = createDiskStorage(folder);
  const hooks: World['hooks'] = {};
  const storage: PackageStorage = {
    ...disk,
    async put(...put) {
      await hooks.before?.('put');
      await disk.put(...put);
      await hooks.after?.('put');
    },
    async remove(...remove) {
      await hooks.before?.('remove');
      await disk.remove(...remove);
      await hooks.after?.('remove');
    },
  };
  const requests = createRequests({
    db: database.db,
    organizationId: caller.organizationId,
    databaseUrl: database.url,
    systems: memorySystems([shop, mail], []),
    policy,
    masterKey: newSecretKey(),
    clock,
    logger,
    sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
    proveEntry: async () => {
      throw new HabeasError('UNAVAILABLE', 'Nobody asks for a receipt in this test.');
    },
    callback: (taskId) => ({ url: `http://127.0.0.1/callbacks/${taskId}`, secret: 'secret' }),
    verifyCallback: () => clock.now(),
    storages: { current: storage, all: [storage] },
    retry: { maxFailures: 2, firstDelayMilliseconds: 0, longestDelayMilliseconds: 1 },
    reconcileMilliseconds: 20,
  });
  await requests.start();
  const count = async (what: string): Promise<number> => {
    const { rows } = await database.pool.query(`select count(*)::int as n from habeas.${what}`);
    return rows[0].n;
  };
  return {
    database,
    requests,
    clock,
    shop,
    storage,
    hooks,
    left: async () => ({
      pieces: await count('request_blobs'),
      parts: await count('package_parts'),
      keys: await count('packages where sealed_key is not null'),
      files: readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
        .length,
    }),
    async [Symbol.asyncDispose]() {
      await requests.stop();
      await database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const NOTHING = { pieces: 0, parts: 0, keys: 0, files: 0 };

async function access(world: World): Promise<string> {
  const { request } = await world.requests.receive(caller, {
    right: 'access',
    identities: [ada],
    dryRun: false,
  });
  return request.id;
}

const isIn = (world: World, id: string, state: api.RequestState) =>
  eventually(`${id} is ${state}`, async () => (await world.requests.get(caller, id)).state === state);

const isGone = async (world: World): Promise<void> => {
  await eventually('nothing is left, and that is written down', async () => {
    // Pauses after a failure of the storage are over.
    world.clock.advance(60_000);
    const { rows } = await world.database.pool.query(
      'select count(*)::int as n from habeas.packages where removed_at is null',
    );
    return rows[0].n === 0 && Object.values(await world.left()).every((count) => count === 0);
  });
  expect(await world.left()).toEqual(NOTHING);
};

/** Every way in which a request ends, each brought about as people and time bring it about. */
const ENDS: Readonly<Record<string, (world: World) => Promise<void>>> = {
  'completed, and its package expired': async (world) => {
    const id = await access(world);
    await isIn(world, id, 'completed');
    expect(await world.left()).toEqual({ pieces: 0, parts: 1, keys: 1, files: 1 });
    world.clock.advance(7 * DAY - 1_000);
    expect((await world.requests.openPackage(caller, id, 'zip')).bytes).toBeGreaterThan(0);
    world.clock.advance(1_000);
    await expect(world.requests.openPackage(caller, id, 'zip')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  },
  'cancelled while its package was being stored': async (world) => {
    let reached: () => void = () => undefined;
    const building = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let goOn: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { before } = world.hooks;
    world.hooks.before = async (act) => {
      if (act === 'put') {
        reached();
        await gate;
      } else await before?.(act);
    };
    const id = await access(world);
    await building;
    await world.requests.command(caller, id, { type: 'cancel', reason: 'changed my mind' });
    // The bytes were removed before they came: the row stays until they are removed once more.
    await eventually('it was removed', async () => {
      world.clock.advance(60_000);
      const { rows } = await world.database.pool.query(
        'select count(*)::int as n from habeas.packages where removed_at is not null',
      );
      return rows[0].n === 1;
    });
    goOn();
    await eventually('the late bytes came', async () => (await world.left()).files === 1);
    world.clock.advance(DAY);
  },
  'cancelled while a system did not answer': async (world) => {
    world.shop.before = () => {
      throw new HabeasError('SYSTEM_REFUSED', 'shop refuses');
    };
    const id = await access(world);
    await isIn(world, id, 'blocked');
    await world.requests.command(caller, id, { type: 'cancel', reason: 'changed my mind' });
  },
  'blocked for good': async (world) => {
    world.shop.before = (method) => {
      if (method === 'collect') throw new HabeasError('SYSTEM_REFUSED', 'shop refuses');
    };
    const id = await access(world);
    await isIn(world, id, 'blocked');
    // As JSON and as CSV.
    await eventually('the other system was collected', async () => (await world.left()).pieces === 2);
    const { due_at: due } = await world.requests.get(caller, id);
    world.clock.advance(Date.parse(due) - world.clock.now().getTime() + 89 * DAY);
    expect((await world.requests.get(caller, id)).state).toBe('blocked');
    // Times are stored to the microsecond, clocks here count milliseconds.
    world.clock.advance(DAY + 1);
    await isIn(world, id, 'cancelled');
    expect((await world.requests.get(caller, id)).reason).toContain('nobody acted');
  },
  'completed, and forgotten before its package expired': async (world) => {
    const id = await access(world);
    await isIn(world, id, 'completed');
    await world.database.pool.query(`update habeas.packages set expires_at = '2027-01-01'`);
    world.clock.advance(31 * DAY);
    await eventually('it is forgotten', async () => {
      const { rows } = await world.database.pool.query('select count(*)::int as n from habeas.request_keys');
      return rows[0].n === 0;
    });
  },
};

/** How the storage fails when it is to remove something. */
const FAULTS = {
  never: [],
  'is down at first': ['before', 'before'],
  'removes, and the server dies before it is written down': ['after', 'after'],
  'is down, and then the server dies': ['before', 'after'],
} as const;

describe('personal data that Habeas holds', () => {
  const cases = Object.keys(ENDS).flatMap((end) =>
    (Object.keys(FAULTS) as (keyof typeof FAULTS)[]).map((fault) => [end, fault] as const),
  );
  it.each(cases)('is gone after a request is %s, where the storage %s', async (end, fault) => {
    await using world = await startWorld();
    const faults: ('before' | 'after')[] = [...FAULTS[fault]];
    const failing = (when: 'before' | 'after') => (act: 'put' | 'remove') => {
      if (act !== 'remove' || faults[0] !== when) return;
      faults.shift();
      throw new HabeasError('STORAGE_UNREACHABLE', 'the disk is away', { retryable: true });
    };
    world.hooks.before = failing('before');
    world.hooks.after = failing('after');
    await ENDS[end]?.(world);
    await isGone(world);
    if (end !== 'blocked for good' && end !== 'cancelled while a system did not answer')
      expect(faults).toEqual([]);
  });
});

describe('the end of a request', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(migrations);
  });
  afterAll(() => database.close());

  const insert = async (state: api.RequestState) => {
    const id = `req_${state}`;
    await database.pool.query(
      `insert into habeas.requests (organization_id, id, right_kind, state, dry_run, identity_types, received_at, due_at, received_by, completed_at)
       values ('acme', $1, 'access', $2, false, '{}', now(), now(), 'key', $3)`,
      [id, state, isEnded(state) ? new Date() : null],
    );
    for (const [name, packageState] of [
      ['ready', 'ready'],
      ['building', 'building'],
    ]) {
      await database.pool.query(
        `insert into habeas.packages (organization_id, id, request_id, task_id, attempt, state, storage, sealed_key, header, contents_digest, built_at)
         values ('acme', $1, $2, $1, 1, $3, 'disk', 'key', '', '', now())`,
        [`pkg_${state}_${name}`, id, packageState],
      );
    }
    await database.pool.query(
      `insert into habeas.request_blobs values ('acme', $1, 'items/tsk_1/1', 'rows', 0, 'sealed')`,
      [id],
    );
    return { organizationId: 'acme', requestId: id };
  };

  it.each(api.requestStateSchema.options.filter(isEnded))(
    'in the state %s leaves no key of a package, but the one that a completed request hands over',
    async (state) => {
      const ref = await insert(state);
      await database.db
        .transaction()
        .execute((transaction) => concludeRequests(transaction, [ref], new Date()));
      const { rows } = await database.pool.query(
        `select id from habeas.packages where request_id = $1 and (sealed_key is not null or state <> 'discarded')`,
        [ref.requestId],
      );
      expect(rows.map(({ id }) => id)).toEqual(state === 'completed' ? ['pkg_completed_ready'] : []);
      const { rows: blobs } = await database.pool.query(
        'select blob from habeas.request_blobs where request_id = $1',
        [ref.requestId],
      );
      expect(blobs).toEqual([]);
    },
  );

  it('lets what a hung server stored afterwards be swept, and nothing that is needed', async () => {
    await database.pool.query('delete from habeas.request_blobs');
    await database.pool.query('delete from habeas.requests');
    await database.pool.query('delete from habeas.packages');
    for (const state of api.requestStateSchema.options) await insert(state);
    await database.pool.query(
      `insert into habeas.tasks (organization_id, id, request_id, key, position, kind, state, remaining, attempt, blob)
       values ('acme', 'tsk_a', 'req_running', 'a', 0, 'collect', 'running', 0, 3, null),
              ('acme', 'tsk_b', 'req_running', 'b', 1, 'locate', 'succeeded', 0, 2, 'keys/tsk_b/1 keys/tsk_b/2')`,
    );
    const stored = ['items/tsk_a/2', 'items/tsk_a/3', 'keys/tsk_b/1', 'keys/tsk_b/2', 'keys/tsk_b/0'];
    for (const blob of stored) {
      await database.pool.query(
        `insert into habeas.request_blobs values ('acme', 'req_running', $1, 'rows', 0, 'sealed'), ('acme', 'req_running', $1, 'rows', 1, 'sealed')`,
        [blob],
      );
    }
    await sweepWorkingCopies(database.db, 'acme');
    const { rows } = await database.pool.query(
      'select distinct request_id, blob from habeas.request_blobs order by 1, 2',
    );
    const kept = rows.filter(({ blob }) => blob !== 'items/tsk_1/1').map(({ blob }) => blob);
    expect(kept).toEqual(['items/tsk_a/3', 'keys/tsk_b/1', 'keys/tsk_b/2']);
    const holders = rows.filter(({ blob }) => blob === 'items/tsk_1/1').map(({ request_id: id }) => id);
    expect(holders).toEqual(
      api.requestStateSchema.options
        .filter((state) => !isEnded(state))
        .map((state) => `req_${state}`)
        .sort(),
    );
  });
});

describe('a package that nobody knows', () => {
  it('is removed when it is older than a package may get, and no earlier', async () => {
    await using world = await startWorld();
    const unknown = { organizationId: 'acme', packageId: 'pkg_unknown' };
    await world.storage.put(unknown, 0, Buffer.from('sealed'), new AbortController().signal);
    const options = {
      db: world.database.db,
      storages: { current: world.storage, all: [world.storage] },
      organizationId: 'acme',
      logger,
      signal: new AbortController().signal,
      oldestMilliseconds: 7 * DAY,
    };
    const at = (days: number) => ({ now: () => new Date(Date.now() + days * DAY) });
    await removeUnknown({ ...options, clock: at(7.5) });
    await removeDiscarded({ ...options, clock: at(7.5) });
    expect((await world.left()).files).toBe(1);
    await removeUnknown({ ...options, clock: at(8.5) });
    expect((await world.left()).files).toBe(0);
  });
});
