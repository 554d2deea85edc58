import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { auditMigrations } from '../audit/index.ts';
import { fixedClock, newSecretKey } from '../foundation/index.ts';
import { createConsent } from './create-consent.ts';
import { consentMigrations } from './index.ts';
import { parsePurposeFile, parsePurposes } from './purposes/index.ts';

const clock = fixedClock('2026-06-01T12:00:00Z');
const caller = { organizationId: 'acme', actor: 'key:back-end' };
const PURPOSES = `
purposes:
  - { code: analytics, name: { en: Analytics }, legal_basis: consent }
  - { code: advertising, name: { en: Advertising }, legal_basis: opt_out, gpc: true }
`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
});
afterAll(() => database?.close());

const masterKey = newSecretKey();
const open = (purposes = PURPOSES) =>
  createConsent({
    db: database.db,
    organizationId: 'acme',
    file: parsePurposeFile(purposes, 'purposes.yaml'),
    masterKey,
    clock,
  });

const signal = (eventId: string, value: string, choices: Record<string, boolean>) => ({
  event_id: eventId,
  identity: { type: 'email', value },
  said_at: '2026-05-01T10:00:00+02:00',
  choices,
  source: 'api' as const,
});
const ada = { type: 'email', value: 'ada@x.org' };

it('allows what was said, and else what the legal basis allows', async () => {
  const consent = open();
  expect((await consent.read('acme', ada)).purposes).toEqual([
    { code: 'analytics', said: null, allowed: false },
    { code: 'advertising', said: null, allowed: true },
  ]);
  const outcomes = await consent.record(caller, [
    signal('1', ' Ada@X.org', { analytics: true, advertising: false }),
    signal('2', 'ada@x.org', { selling: true }),
  ]);
  expect(outcomes).toMatchObject([
    { event_id: '1', state: 'stored', code: null },
    { event_id: '2', state: 'refused', code: 'unknown-purpose' },
  ]);
  expect((await consent.read('acme', ada)).purposes).toEqual([
    { code: 'analytics', said: true, allowed: true },
    { code: 'advertising', said: false, allowed: false },
  ]);
  const before = await consent.read('acme', ada, new Date('2026-05-01T07:59:59Z'));
  expect(before).toMatchObject({
    as_of: '2026-05-01T07:59:59.000Z',
    purposes: [{ said: null }, { said: null }],
  });
});

it('writes one entry of the audit log for all that was stored, and none for what was there', async () => {
  const consent = open();
  const signals = ['a', 'b', 'c'].map((id) => signal(id, `${id}@x.org`, { analytics: true }));
  await consent.record(caller, signals);
  await consent.record(caller, signals);
  const { rows } = await database.pool.query(
    `select action, actor, details from audit_entries where details::text like '%"signals":3%'`,
  );
  expect(rows).toMatchObject([{ action: 'consent.recorded', actor: 'key:back-end' }]);
  expect(JSON.stringify(rows)).not.toContain('x.org');
});

it('stores calls that come at once together, and gives each its own outcomes', async () => {
  const consent = open();
  const crowd = { organizationId: 'acme', actor: 'key:crowd' };
  const calls = Array.from({ length: 40 }, (_, index) =>
    consent.record(crowd, [
      signal(`crowd-${index % 20}`, `crowd${index}@x.org`, {
        [index % 7 === 0 ? 'selling' : 'analytics']: true,
      }),
    ]),
  );
  const outcomes = (await Promise.all(calls)).map(([one]) => one?.code ?? one?.state);
  expect(outcomes.filter((one) => one === 'unknown-purpose')).toHaveLength(6);
  expect(outcomes.filter((one) => one === 'stored')).toHaveLength(20);
  expect(outcomes.filter((one) => one === 'event-id-reused')).toHaveLength(14);
  const { rows } = await database.pool.query(`select details from audit_entries where actor = 'key:crowd'`);
  expect(rows.reduce((sum, { details }) => sum + JSON.parse(details).signals, 0)).toBe(20);
  expect(rows.length).toBeLessThan(10);
});

it('refuses blank addresses, which would all be one person, and repeats nothing that is no code', async () => {
  const consent = open();
  const blank = signal('blank', ' \t', { analytics: true });
  expect(
    await consent.record(caller, [blank, signal('not blank', 'blank@x.org', { analytics: true })]),
  ).toMatchObject([{ state: 'refused', code: 'blank-identity' }, { state: 'stored' }]);
  const text = [
    { ...blank, choices: { analytics: true } },
    { ...blank, identity: ada, choices: { 'ada@example.org': true } },
    { ...blank, identity: ada, choices: { selling: true } },
  ].map(({ identity, said_at, choices }) => JSON.stringify({ identity, said_at, choices }));
  for (const dry_run of ['true', 'false'] as const) {
    const list = { format: 'json-lines', name: 'blank', dry_run, text: text.join('\n') } as const;
    const { refused } = await consent.importRows(caller, list);
    expect(refused.map(({ code }) => code)).toEqual(['blank-identity', 'unknown-purpose', 'unknown-purpose']);
    expect(JSON.stringify(refused)).toContain('selling');
    expect(JSON.stringify(refused)).not.toContain('ada@');
  }
});

it('keeps what was said about a purpose that is gone, and gives its place to no other', async () => {
  await open().record(caller, [signal('gone', 'bob@x.org', { advertising: false })]);
  const bob = { type: 'email', value: 'bob@x.org' };
  const other = PURPOSES.replace('code: advertising', 'code: profiling');
  expect((await open(other).read('acme', bob)).purposes).toEqual([
    { code: 'analytics', said: null, allowed: false },
    { code: 'profiling', said: null, allowed: true },
  ]);
  // Signals for it may still be on the way.
  expect(
    await open(other).record(caller, [signal('late', 'bob@x.org', { advertising: false })]),
  ).toMatchObject([{ state: 'stored' }]);
  expect((await open().read('acme', bob)).purposes).toMatchObject([{}, { said: false, allowed: false }]);
});

it('shows another organization nothing of it', async () => {
  const consent = open();
  expect(await consent.read('other', ada)).toMatchObject({ purposes: [] });
  expect(
    await consent.record({ ...caller, organizationId: 'other' }, [
      signal('x', 'ada@x.org', { analytics: false }),
    ]),
  ).toMatchObject([{ code: 'unknown-purpose' }]);
});

it.each([
  ['', 'purposes'],
  ['purposes: []', 'purposes'],
  ['purposes: [{ code: A, name: { en: x }, legal_basis: consent }]', 'purposes.yaml:1'],
  ['purposes: [{ code: a, name: { en: x }, legal_basis: hope }]', 'purposes.yaml:1'],
  ['purposes: [{ code: a, name: { en: x }, legal_basis: consent, defualt: granted }]', 'defualt'],
  ['purposes:\n- &p { code: a, name: { en: x }, legal_basis: consent }\n- *p', 'two purposes a'],
])('says what is wrong in a file: %s', (text, words) => {
  expect(() => parsePurposes(text, 'purposes.yaml')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
  );
});
