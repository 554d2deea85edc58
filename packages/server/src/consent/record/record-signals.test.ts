import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { newSecretKey } from '../../foundation/index.ts';
import { assignBits, type PurposeBits } from '../purposes/index.ts';
import { consentMigrations, createSubjects, fold, recordSignals, type Signal, signatureOf } from './index.ts';

let database: TestDatabase;
let organizations = 0;
const masterKey = newSecretKey();
const now = new Date('2026-06-01T12:00:00Z');
const CODES = ['analytics', 'marketing', 'ads'];

beforeAll(async () => {
  database = await createTestDatabase(consentMigrations);
});
afterAll(() => database?.close());

/** An organization of a test's own. */
async function openOrganization() {
  organizations += 1;
  const organizationId = `org-${organizations}`;
  const purposes = await assignBits(database.db, organizationId, CODES);
  const subjects = createSubjects({ organizationId, masterKey });
  return {
    organizationId,
    purposes,
    record: (signals: readonly Signal[], beforeCommit?: () => Promise<void>) =>
      database.db.transaction().execute(async (transaction) => {
        const options = { organizationId, subjects, purposes, now };
        const outcomes = await recordSignals(transaction, signals, options);
        await beforeCommit?.();
        return outcomes;
      }),
    async signature(value: string, asOf?: Date) {
      const subject = await subjects.find(database.db, { type: 'email', value });
      if (subject === undefined) return undefined;
      return signatureOf(database.db, {
        organizationId,
        subject,
        rule: 'latest',
        now,
        ...(asOf && { asOf }),
      });
    },
  };
}

function signal(
  person: string,
  event: string,
  minute: number,
  choices: Signal['choices'],
  source = 'api',
): Signal {
  const saidAt = new Date(now.getTime() - (1_000 - minute) * 60_000);
  return { eventId: event, identity: { type: 'email', value: person }, saidAt, choices, source };
}

/** The choices by the codes of those that are granted. */
function grantedOf(signature: { granted: bigint } | undefined, purposes: PurposeBits): readonly string[] {
  return CODES.filter((code) => ((signature?.granted ?? 0n) >> BigInt(purposes.get(code) ?? 0)) & 1n);
}

const randomSignals = fc.uniqueArray(
  fc
    .record({
      person: fc.constantFrom('a@x.org', 'b@x.org', 'c@x.org'),
      event: fc.nat({ max: 40 }),
      minute: fc.nat({ max: 8 }),
      choices: fc.dictionary(fc.constantFrom(...CODES), fc.boolean(), { minKeys: 1 }),
      source: fc.constantFrom('api', 'tag', 'gpc'),
    })
    .map(({ person, event, minute, choices, source }) =>
      signal(person, `e${event}`, minute, choices, source),
    ),
  { selector: ({ eventId }) => eventId, minLength: 1, maxLength: 16 },
);

it('comes to what all signals say, in whatever order and batches they arrive, twice or at once', async () => {
  await fc.assert(
    fc.asyncProperty(randomSignals, fc.array(fc.nat({ max: 15 }), { maxLength: 10 }), async (said, cuts) => {
      const organization = await openOrganization();
      const batches = [...new Set(cuts)]
        .sort((a, b) => a - b)
        .map((cut, index, all) => said.slice(index === 0 ? 0 : all[index - 1], cut));
      await Promise.all([...batches, said].map((batch) => organization.record(batch)));
      await organization.record(said.toReversed());
      for (const person of new Set(said.map(({ identity }) => identity.value))) {
        const statements = said
          .filter(({ identity }) => identity.value === person)
          .map(({ eventId, saidAt, choices, source }) => {
            const bits = (granted: boolean) =>
              Object.entries(choices)
                .filter(([, choice]) => choice || !granted)
                .reduce((sum, [code]) => sum | (1n << BigInt(organization.purposes.get(code) ?? 0)), 0n);
            return {
              eventId,
              at: saidAt.getTime(),
              mask: bits(false),
              value: bits(true),
              automatic: source === 'gpc',
              inherited: false,
            };
          });
        expect(await organization.signature(person)).toEqual(fold(statements));
      }
    }),
    { numRuns: 60, endOnFailure: true },
  );
});

it('loses nothing when two transactions store signals of one person, and the first is not committed yet', async () => {
  const organization = await openOrganization();
  await organization.record([signal('ada@x.org', '0', 0, { ads: true })]);
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const { promise: hasStored, resolve: stored } = Promise.withResolvers<void>();
  const first = organization.record([signal('ada@x.org', '1', 10, { analytics: true })], async () => {
    stored();
    await mayEnd;
  });
  await hasStored;
  const second = organization.record([signal('ada@x.org', '2', 20, { marketing: true })]);
  await untilSomebodyWaits();
  end();
  await Promise.all([first, second]);
  expect(grantedOf(await organization.signature('ada@x.org'), organization.purposes)).toEqual(CODES);
});

/** Until a session of this database waits for another one. */
async function untilSomebodyWaits(): Promise<void> {
  await eventually('a session waits for another one', async () => {
    const { rows } = await database.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  });
}

it('loses nothing when several transactions store signals of one person at once', async () => {
  const organization = await openOrganization();
  for (let round = 0; round < 20; round += 1) {
    const person = `person.${round}@x.org`;
    await organization.record([signal(person, `${round} first`, 0, { ads: false })]);
    const signals = CODES.map((code, index) =>
      signal(person, `${round} ${code}`, index + 1, { [code]: true }),
    );
    await Promise.all(signals.map((one) => organization.record([one])));
    expect(grantedOf(await organization.signature(person), organization.purposes)).toEqual(CODES);
  }
});

it('tells what was said until a moment', async () => {
  const { record, signature, purposes } = await openOrganization();
  const yes = signal('ada@x.org', '1', 10, { analytics: true });
  const no = signal('ada@x.org', '2', 20, { analytics: false, ads: true });
  expect(await record([no, yes])).toEqual(['stored', 'stored']);
  expect(grantedOf(await signature('ada@x.org'), purposes)).toEqual(['ads']);
  expect(grantedOf(await signature('ada@x.org', yes.saidAt), purposes)).toEqual(['analytics']);
  expect(await signature('ada@x.org', new Date(0))).toEqual({ known: 0n, granted: 0n });
  expect(await signature('nobody@x.org')).toBeUndefined();
});

it('refuses by name what it cannot store, and stores the rest', async () => {
  const { record, signature, purposes } = await openOrganization();
  const outcomes = await record([
    signal('ada@x.org', '1', 0, { analytics: true }),
    signal('ada@x.org', '2', 0, { selling: true }),
    signal('ada@x.org', '3', 1_006, { analytics: false }),
    signal('ada@x.org', '4', 0, {}),
    signal('ada@x.org', '1', 0, { analytics: true }),
    signal('ada@x.org', '1', 1, { analytics: false }),
    signal('bob@x.org', '1', 0, { marketing: true }),
    { ...signal('ada@x.org', '5', 0, { ads: true }), saidAt: new Date(Number.NaN) },
  ]);
  const codes = outcomes.map((outcome) => (typeof outcome === 'string' ? outcome : outcome.refused));
  expect(codes).toEqual([
    'stored',
    'unknown-purpose',
    'future',
    'nothing-said',
    'repeated',
    'event-id-reused',
    'event-id-reused',
    'future',
  ]);
  expect(await record([signal('bob@x.org', '1', 0, { marketing: true })])).toMatchObject([
    { refused: 'event-id-reused' },
  ]);
  expect(grantedOf(await signature('ada@x.org'), purposes)).toEqual(['analytics']);
  expect(await signature('bob@x.org')).toEqual({ known: 0n, granted: 0n });
});

it('keeps no identity that can be read without the master key', async () => {
  const { record } = await openOrganization();
  await record([signal('hidden.person@x.org', '1', 0, { analytics: true })]);
  const { rows } = await database.pool.query(
    `select i::text as all_of_it from consent_identities i
     union all select s::text from consent_signals s union all select g::text from consent_signatures g`,
  );
  const text = rows.map((row) => row.all_of_it).join('\n');
  expect(text).not.toContain('hidden');
  expect(text).not.toContain(Buffer.from('hidden.person@x.org').toString('hex'));
});

it('never gives a bit to another purpose', async () => {
  const all = await Promise.all([
    assignBits(database.db, 'bits', ['a', 'b']),
    assignBits(database.db, 'bits', ['b', 'c', 'b']),
  ]);
  const bits = await assignBits(database.db, 'bits', ['d']);
  expect([...bits.values()].sort()).toEqual([0, 1, 2, 3]);
  for (const earlier of all) for (const [code, bit] of earlier) expect(bits.get(code)).toBe(bit);
  const many = Array.from({ length: 60 }, (_, index) => `p${index}`);
  await expect(assignBits(database.db, 'bits', many)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('63 in all'),
  });
  expect((await assignBits(database.db, 'bits', many.slice(0, 59))).size).toBe(63);
});
