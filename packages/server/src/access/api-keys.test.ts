import { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { appendAudit, auditMigrations, listAudit } from '../audit/index.ts';
import { fixedClock, openDatabase } from '../foundation/index.ts';
import { createKey, ensureFirstKey } from './api-keys.ts';
import { authenticate, createAuthenticate } from './authenticate.ts';
import { createApiKeys } from './manage-keys.ts';
import { accessMigrations } from './migrations.ts';
import { revokeKey } from './revoke-key.ts';
import type { AccessTables } from './tables.ts';

const clock = fixedClock('2026-11-21T08:00:00Z');
const migrations = { ...auditMigrations, ...accessMigrations };
const organizationId = 'acme';

describe('the first key', () => {
  it('is made once, and not again after a restart or after it was revoked', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, organizationId, clock, audit: appendAudit };
    const first = await ensureFirstKey(context);
    expect(first?.key).toMatch(/^habeas_[0-9a-hjkmnp-tv-z]{52}$/);
    expect(await ensureFirstKey(context)).toBeUndefined();
    await revokeKey({ ...context, id: first?.id ?? '', actor: 'system' });
    expect(await ensureFirstKey(context)).toBeUndefined();
  });

  it('is given to exactly one of many servers that start together', async () => {
    await using database = await createTestDatabase(migrations);
    // The organization is there already, so that making it does not put the servers in a row by itself.
    await database.db
      .withTables<AccessTables>()
      .insertInto('organizations')
      .values({ organization_id: organizationId, created_at: clock.now() })
      .execute();
    const servers = Array.from({ length: 5 }, () => openDatabase({ url: database.url, connections: 2 }));
    try {
      const keys = await Promise.all(
        servers
          .flatMap((server) => [server.db, server.db])
          .map((db) => ensureFirstKey({ db, organizationId, clock, audit: appendAudit })),
      );
      expect(keys.filter((key) => key !== undefined)).toHaveLength(1);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  it('is one for each organization', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, clock, audit: appendAudit };
    const acme = await ensureFirstKey({ ...context, organizationId: 'acme' });
    const other = await ensureFirstKey({ ...context, organizationId: 'other' });
    expect(await authenticate({ db: database.db, clock }, other?.key ?? '')).toEqual({
      organizationId: 'other',
      actor: `key:${other?.id}`,
      scopes: new Set(api.ALL_SCOPES),
      teams: null,
    });
    expect((await authenticate({ db: database.db, clock }, acme?.key ?? ''))?.organizationId).toBe('acme');
  });
});

/** A key that may do everything, made by one. */
const OWNER = {
  scopes: api.ALL_SCOPES,
  teams: null,
  maker: { scopes: new Set(api.ALL_SCOPES), teams: null },
};

/** Uses a key again and again while it is revoked, and once more when it is. */
async function usedUntilRevoked(
  ways: readonly ReturnType<typeof createAuthenticate>[],
  key: string,
  revoke: () => Promise<unknown>,
) {
  let accepted = 0;
  let isRevoked = false;
  const using = ways.map(async (way) => {
    while (!isRevoked) {
      if ((await way(key)) !== undefined) accepted += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  while (accepted < ways.length) await new Promise((resolve) => setImmediate(resolve));
  await revoke();
  isRevoked = true;
  const afterwards = await Promise.all(ways.map((way) => way(key)));
  await Promise.all(using);
  return { accepted, acceptedAfterwards: afterwards.filter((principal) => principal !== undefined).length };
}

describe('authenticate', () => {
  it('knows a key that was created until it is revoked, and nothing near it', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, organizationId, clock, audit: appendAudit };
    const made = await createKey({ ...context, name: 'automation', actor: 'key:key_1' });
    expect(await authenticate({ db: database.db, clock }, made.key)).toEqual({
      organizationId,
      actor: `key:${made.id}`,
      scopes: new Set(api.ALL_SCOPES),
      teams: null,
    });
    for (const wrong of [
      '',
      'habeas_',
      made.id,
      `${made.key} `,
      made.key.toUpperCase(),
      made.key.slice(0, -1),
    ]) {
      expect(await authenticate({ db: database.db, clock }, wrong)).toBeUndefined();
    }
    const other = await createKey({ ...context, name: 'other', actor: 'key:key_1' });
    await revokeKey({ ...context, id: made.id, actor: 'key:key_1' });
    await revokeKey({ ...context, id: made.id, actor: 'key:key_1' });
    expect(await authenticate({ db: database.db, clock }, other.key)).toBeDefined();
    expect(await authenticate({ db: database.db, clock }, made.key)).toBeUndefined();
    const together = createAuthenticate({ db: database.db, clock });
    const presented = [made.key, other.key, 'habeas_', other.key, ...Array(600).fill(other.key)];
    const known = await Promise.all(presented.map((key) => together(key)));
    expect(known.map((principal) => principal?.actor)).toEqual(
      presented.map((key) => (key === other.key ? `key:${other.id}` : undefined)),
    );
    const entries = await listAudit(database.db, { organizationId, subject: made.id });
    expect(entries.map((entry) => [entry.action, entry.actor])).toEqual([
      ['key.revoked', 'key:key_1'],
      ['key.created', 'key:key_1'],
    ]);
  });

  it('asks the database once for many calls with a key', async () => {
    await using database = await createTestDatabase(migrations);
    let asked = 0;
    const counted: typeof database.db = Object.assign(Object.create(database.db), {
      withTables: () => {
        asked += 1;
        return database.db.withTables();
      },
    });
    const way = createAuthenticate({ db: counted, clock });
    const made = await createKey({
      db: database.db,
      organizationId,
      clock,
      audit: appendAudit,
      name: 'many',
      actor: 'key:key_1',
    });
    const start = performance.now();
    let calls = 0;
    for (; calls < 1_000; calls += 1) expect(await way(made.key)).toBeDefined();
    // Four times a second, whatever the machine has to do beside.
    expect(asked).toBeLessThanOrEqual(2 + (performance.now() - start) / 200);
    expect(asked).toBeLessThan(calls / 4);
  });

  it('accepts a key nowhere once somebody is told that it is revoked, or when it has expired', async () => {
    await using database = await createTestDatabase(migrations);
    let now = clock.now();
    const context = { db: database.db, organizationId, clock: { now: () => now }, audit: appendAudit };
    const [first, second] = [createAuthenticate(context), createAuthenticate(context)];
    const made = await createKey({ ...context, name: 'automation', actor: 'key:key_1' });
    await createKey({ ...context, name: 'another', actor: 'key:key_1' });
    const expiresAt = new Date(now.getTime() + 60_000);
    const short = await createKey({ ...context, name: 'for a minute', actor: 'key:key_1', expiresAt });
    expect(await first(short.key)).toBeDefined();
    now = expiresAt;
    expect(await first(short.key)).toBeUndefined();
    const used = await usedUntilRevoked([first, second], made.key, () =>
      revokeKey({ ...context, id: made.id, actor: 'key:key_1' }),
    );
    expect(used.accepted).toBeGreaterThan(1);
    expect(used.acceptedAfterwards).toBe(0);
  });

  it('finds the key nowhere in the database', async () => {
    await using database = await createTestDatabase(migrations);
    const made = await ensureFirstKey({ db: database.db, organizationId, clock, audit: appendAudit });
    const secret = made?.key.replace('habeas_', '') ?? '';
    const keys = await database.db.withTables<AccessTables>().selectFrom('api_keys').selectAll().execute();
    const stored = JSON.stringify([keys, await listAudit(database.db, { organizationId })]);
    expect(keys).toHaveLength(1);
    expect(stored).not.toContain(secret);
  });

  it('keeps one organization from revoking the key of another', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, clock, audit: appendAudit };
    const made = await ensureFirstKey({ ...context, organizationId: 'acme' });
    await expect(
      revokeKey({ ...context, organizationId: 'other', id: made?.id ?? '', actor: 'key:key_2' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await authenticate({ db: database.db, clock }, made?.key ?? '')).toBeDefined();
  });
});

describe('a key', () => {
  it('is not made when its audit entry cannot be written', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, organizationId, clock };
    const audit = () => Promise.reject(new Error('the log is full'));
    await expect(ensureFirstKey({ ...context, audit })).rejects.toThrow('the log is full');
    expect(await ensureFirstKey({ ...context, audit: appendAudit })).toBeDefined();
  });

  it('is refused from the moment on in which it expires', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, organizationId, clock, audit: appendAudit };
    const keys = createApiKeys(context);
    const expiresAt = new Date('2026-11-21T09:00:00Z');
    const made = await keys.create({ ...OWNER, name: 'for an hour', actor: 'key:key_1', expiresAt });
    const at = (time: string) => authenticate({ db: database.db, clock: fixedClock(time) }, made.key);
    expect(await at('2026-11-21T08:59:59.999Z')).toMatchObject({ actor: `key:${made.id}` });
    expect(await at('2026-11-21T09:00:00Z')).toBeUndefined();
    const over = { ...OWNER, name: 'late', actor: 'key:key_1', expiresAt: clock.now() };
    await expect(keys.create(over)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect((await listAudit(database.db, { organizationId, subject: made.id }))[0]?.details).toEqual({
      scopes: 'all',
      expires_at: '2026-11-21T09:00:00.000Z',
    });
  });

  it('cannot revoke the last one that works, also when two revoke each other at once', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, organizationId, clock, audit: appendAudit };
    const keys = createApiKeys(context);
    const make = (name: string, expiresAt: Date | null = null) =>
      keys.create({ ...OWNER, name, actor: 'system', expiresAt });
    const [first, second] = [await make('a'), await make('b')];
    // One that has expired when they do is no other key.
    const soon = await make('c', new Date('2026-11-21T08:00:01Z'));
    const later = createApiKeys({ ...context, clock: fixedClock('2026-11-21T08:00:02Z') });
    const outcomes = await Promise.allSettled([
      later.revoke({ id: second.id, actor: `key:${first.id}` }),
      later.revoke({ id: first.id, actor: `key:${second.id}` }),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const listed = await keys.list();
    expect(listed).toHaveLength(3);
    const [left] = listed.filter(({ id, revoked_at }) => id !== soon.id && revoked_at === null);
    const itself = { id: left?.id ?? '', actor: `key:${left?.id}` };
    await expect(later.revoke(itself)).rejects.toMatchObject({ code: 'CONFLICT' });
    // Whoever has the machine may: the next start with --new-key makes another one.
    expect(await later.revoke({ ...itself, actor: 'system' })).toMatchObject({
      revoked_at: expect.any(String),
    });
    expect(JSON.stringify(listed)).not.toContain(first.key);
  });

  it('gives away what its maker has, and nothing more', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, organizationId, clock, audit: appendAudit };
    const keys = createApiKeys(context);
    const maker = {
      scopes: new Set<api.Scope>(['keys:write', 'map:read', 'tickets:read']),
      teams: ['shop', 'web'],
    };
    const asked = { name: 'dashboard', actor: 'key:key_1', expiresAt: null, maker };
    const made = await keys.create({ ...asked, scopes: ['map:read', 'map:read'], teams: ['web'] });
    expect(await authenticate({ db: database.db, clock }, made.key)).toEqual({
      organizationId,
      actor: `key:${made.id}`,
      scopes: new Set(['map:read']),
      teams: ['web'],
    });
    expect(made).toMatchObject({ scopes: ['map:read'], teams: ['web'] });
    const details = (await listAudit(database.db, { organizationId, subject: made.id }))[0]?.details;
    expect(details).toEqual({ scopes: 'map:read', teams: 'web' });
    for (const more of [
      { scopes: ['map:write'] as const, teams: ['web'] },
      { scopes: api.ALL_SCOPES, teams: ['web'] },
      { scopes: ['map:read'] as const, teams: ['web', 'lake'] },
      { scopes: ['map:read'] as const, teams: null },
    ]) {
      await expect(keys.create({ ...asked, ...more })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(await keys.list()).toHaveLength(1);
  });

  it('cannot be the last one that can make others, also where lesser ones are left', async () => {
    await using database = await createTestDatabase(migrations);
    const context = { db: database.db, organizationId, clock, audit: appendAudit };
    const keys = createApiKeys(context);
    const first = await keys.create({ ...OWNER, name: 'all', actor: 'system', expiresAt: null });
    const lesser = {
      ...OWNER,
      scopes: ['map:read'] as const,
      name: 'map',
      actor: `key:${first.id}`,
      expiresAt: null,
    };
    const map = await keys.create(lesser);
    const actor = `key:${first.id}`;
    await expect(keys.revoke({ id: first.id, actor })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await keys.revoke({ id: map.id, actor })).toMatchObject({ revoked_at: expect.any(String) });
  });
});
