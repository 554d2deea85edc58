import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { auditMigrations } from '../../audit/index.ts';
import { newSecretKey } from '../../foundation/index.ts';
import { assignBits } from '../purposes/index.ts';
import {
  consentMigrations,
  createSubjects,
  fold,
  type MergeRule,
  recordAtOnce,
  recordSignals,
  type Signal,
  signatureOf,
  type Validity,
} from './index.ts';
import { accept } from './signal.ts';

let database: TestDatabase;
let organizations = 0;
const masterKey = newSecretKey();
const now = new Date('2026-06-01T12:00:00Z');
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
});
afterAll(() => database?.close());

async function openOrganization(rule: MergeRule = 'latest', validities: readonly Validity[] = []) {
  organizations += 1;
  const organizationId = `once-${organizations}`;
  const purposes = await assignBits(database.db, organizationId, ['a', 'b', 'c']);
  const open = () => {
    const subjects = createSubjects({ organizationId, masterKey });
    return { organizationId, subjects, purposes, now, rule, validities };
  };
  const options = open();
  return {
    organizationId,
    options,
    /** As another process would. */
    open,
    atOnce: (signals: readonly Signal[], as = options) => {
      const entry = { organizationId, actor: 'key:1', action: 'consent.recorded', subject: organizationId };
      return recordAtOnce(database.db, signals, { ...as, entries: [entry] });
    },
    async signature(value: string) {
      const subject = await options.subjects.find(database.db, { type: 'email', value });
      return subject === undefined
        ? undefined
        : signatureOf(database.db, { organizationId, subject, rule, now, validities });
    },
    /** When it is looked again whether something of the person's agreements has expired; in milliseconds since 1970. */
    async nextLook(value: string) {
      const { rows } = await sql<{ at: Date }>`
        select e.expires_at as at from consent_expiries as e where e.organization_id = ${organizationId}
          and e.subject = ${await options.subjects.find(database.db, { type: 'email', value })}`.execute(
        database.db,
      );
      return rows[0]?.at.getTime();
    },
    async count(table: string) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::integer as count from ${sql.table(table)} where organization_id = ${organizationId}`.execute(
        database.db,
      );
      return rows[0]?.count;
    },
  };
}

const signal = fc
  .record({
    person: fc.constantFrom('a@x.org', 'b@x.org', 'c@x.org', 'd@x.org'),
    event: fc.nat({ max: 60 }),
    minute: fc.nat({ max: 8 }),
    choices: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.boolean(), { minKeys: 1 }),
    source: fc.constantFrom('api', 'tag', 'gpc', 'anonymous'),
  })
  .map(
    ({ person, event, minute, choices, source }): Signal => ({
      eventId: `e${event}`,
      identity: { type: 'email', value: person },
      saidAt: new Date(now.getTime() - (10 - minute) * 60_000),
      choices,
      source,
    }),
  );

/** Signals are two to ten minutes old. */
const validities = fc.constantFrom<readonly Validity[]>(
  [],
  [{ mask: 1n, milliseconds: 5 * 60_000 }],
  [
    { mask: 2n, milliseconds: 3 * 60_000 },
    { mask: 1n, milliseconds: 8 * 60_000 },
  ],
);

it('comes to what all signals say and still counts, in whatever batches, by every rule, also beside the way for signals that are not all new', async () => {
  const signals = fc.uniqueArray(signal, { selector: ({ eventId }) => eventId, minLength: 1, maxLength: 24 });
  const rules = fc.constantFrom<MergeRule>('latest', 'own_first');
  await fc.assert(
    fc.asyncProperty(
      signals,
      rules,
      validities,
      fc.infiniteStream(fc.nat({ max: 9 })),
      async (said, rule, limits, random) => {
        const { options, open, atOnce, signature, nextLook, count } = await openOrganization(rule, limits);
        let entries = 0;
        for (let at = 0; at < said.length; ) {
          const size = 1 + ((random.next().value ?? 0) % 6);
          const batch = said.slice(at, at + size);
          at += size;
          if (random.next().value === 0)
            await database.db
              .transaction()
              .execute((transaction) => recordSignals(transaction, batch, options));
          else {
            expect(await atOnce(batch, (random.next().value ?? 0) < 3 ? open() : options)).toBe(true);
            entries += 1;
          }
        }
        for (const person of new Set(said.map(({ identity }) => identity.value))) {
          const statements = said
            .filter(({ identity }) => identity.value === person)
            .map((one, place) => accept(one, place, options.purposes));
          const { known, granted, expiresAt } = fold(statements, {
            rule,
            validities: limits,
            now: now.getTime(),
          });
          const { organizationId } = options;
          const subject = await options.subjects.find(database.db, { type: 'email', value: person });
          const { rows } = await sql`
          select known::int, granted::int from consent_signatures where organization_id = ${organizationId} and subject = ${subject}`.execute(
            database.db,
          );
          expect(rows).toEqual([{ known: Number(known), granted: Number(granted) }]);
          expect(await signature(person)).toEqual({ known, granted });
          if (expiresAt !== undefined) expect(await nextLook(person)).toBeLessThanOrEqual(expiresAt);
        }
        expect(await count('consent_signals')).toBe(said.length);
        expect(await count('audit_entries')).toBe(entries);
        expect(await count('consent_identities')).toBe(
          new Set(said.map(({ identity }) => identity.value)).size,
        );
      },
    ),
    { numRuns: 100, endOnFailure: true },
  );
});

it('stores nothing, no entry and nobody if one signal is not new', async () => {
  const { atOnce, signature, count } = await openOrganization();
  const one = (eventId: string, value: string): Signal => ({
    eventId,
    identity: { type: 'email', value },
    saidAt: now,
    choices: { a: true },
    source: 'api',
  });
  expect(await atOnce([one('1', 'ada@x.org')])).toBe(true);
  expect(await atOnce([one('2', 'bob@x.org'), one('1', 'ada@x.org')])).toBe(false);
  expect(await atOnce([one('3', 'cy@x.org'), one('3', 'cy@x.org')])).toBe(false);
  expect(await signature('bob@x.org')).toBeUndefined();
  expect([
    await count('consent_signals'),
    await count('audit_entries'),
    await count('consent_identities'),
  ]).toEqual([1, 1, 1]);
});

it('takes what is said late as it is only where nothing that was said later can count against it', async () => {
  const limits = [{ mask: 1n, milliseconds: 5 * 60_000 }];
  let event = 0;
  const said = (minutesAgo: number, choices: Readonly<Record<string, boolean>>): readonly Signal[] => {
    event += 1;
    const saidAt = new Date(now.getTime() - minutesAgo * 60_000);
    const identity = { type: 'email', value: 'ada@x.org' };
    return [{ eventId: `e${event}`, identity, saidAt, choices, source: 'api' }];
  };
  for (const [rules, batches, expected] of [
    // Late about another purpose, then late about the first one, but not before the late one.
    [[], [said(2, { a: false }), said(5, { b: true }), said(3, { a: true })], { known: 3n, granted: 2n }],
    // What was said last about it has expired: what was said before does not count again.
    [limits, [said(8, { a: true }), said(9, { a: false })], { known: 0n, granted: 0n }],
    [limits, [said(8, { a: true }), said(9, { a: false, b: true })], { known: 2n, granted: 2n }],
  ] as const) {
    const { atOnce, signature } = await openOrganization('latest', rules);
    for (const batch of batches) expect(await atOnce(batch)).toBe(true);
    expect(await signature('ada@x.org')).toEqual(expected);
  }
});

it('comes to the same where so many come at once that whose signatures went on is returned, and within a transaction that wrote before', async () => {
  const PEOPLE = 120;
  const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
  const all = (
    round: string,
    said: (person: number) => { minutes: number; choices: Record<string, boolean> },
  ) =>
    Array.from({ length: PEOPLE }, (_, person): Signal => {
      const { minutes, choices } = said(person);
      const identity = { type: 'email', value: `p${person}@x.org` };
      return { eventId: `${round}-${person}`, identity, saidAt: ago(minutes), choices, source: 'api' };
    });
  const first = all('first', () => ({ minutes: 10, choices: { a: true } }));
  // Some go on, some are late about what was said and about something else, some about something else alone.
  const second = all('second', (person) => ({
    minutes: person % 3 === 0 ? 5 : 15,
    choices: [{ a: false }, { a: false, b: true }, { b: true }][person % 3] ?? {},
  }));
  const expected = (person: number) =>
    person % 3 === 0 ? { known: 1n, granted: 0n } : { known: 3n, granted: 3n };
  for (const size of [PEOPLE, 64]) {
    const { atOnce, signature } = await openOrganization();
    for (const said of [first, second])
      for (let start = 0; start < PEOPLE; start += size)
        expect(await atOnce(said.slice(start, start + size))).toBe(true);
    for (let person = 0; person < PEOPLE; person += 1)
      expect([person, await signature(`p${person}@x.org`)]).toEqual([person, expected(person)]);
  }
  const { options, signature } = await openOrganization();
  await database.db.transaction().execute(async (transaction) => {
    for (const said of [first.slice(0, 3), second.slice(0, 3)])
      expect(await recordAtOnce(transaction, said, { ...options, entries: [] })).toBe(true);
  });
  for (const person of [0, 1, 2]) expect(await signature(`p${person}@x.org`)).toEqual(expected(person));
});
