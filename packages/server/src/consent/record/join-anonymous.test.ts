import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { newSecretKey } from '../../foundation/index.ts';
import { assignBits } from '../purposes/index.ts';
import {
  consentMigrations,
  createSubjects,
  fold,
  joinAnonymous,
  type MergeRule,
  recordSignals,
  type Signal,
  signatureOf,
} from './index.ts';

let database: TestDatabase;
let organizations = 0;
const masterKey = newSecretKey();
const now = new Date('2026-06-01T12:00:00Z');

beforeAll(async () => {
  database = await createTestDatabase(consentMigrations);
});
afterAll(() => database?.close());

const browser = { type: 'anonymous_id', value: 'browser-1' };
const ada = { type: 'email', value: 'ada@x.org' };
const bob = { type: 'email', value: 'bob@x.org' };

async function openOrganization(rule: MergeRule = 'latest') {
  organizations += 1;
  const organizationId = `join-${organizations}`;
  const purposes = await assignBits(database.db, organizationId, ['a', 'b']);
  const subjects = createSubjects({ organizationId, masterKey });
  const options = { organizationId, subjects, purposes, now, rule };
  const inTransaction = <T>(work: (transaction: typeof database.db) => Promise<T>) =>
    database.db.transaction().execute(work);
  return {
    record: (signals: readonly Signal[]) => inTransaction((t) => recordSignals(t, signals, options)),
    /** Another process has one more purpose. */
    async recordElsewhere(signals: readonly Signal[]) {
      const more = await assignBits(database.db, organizationId, ['a', 'b', 'c']);
      return inTransaction((t) => recordSignals(t, signals, { ...options, purposes: more }));
    },
    join: (person: Signal['identity']) =>
      inTransaction((t) => joinAnonymous(t, { ...options, anonymous: browser, person })),
    async signature(identity: Signal['identity']) {
      const subject = await subjects.find(database.db, identity);
      return subject === undefined
        ? fold([])
        : signatureOf(database.db, { organizationId, subject, rule, now });
    },
  };
}

const said = (
  eventId: string,
  identity: Signal['identity'],
  minute: number,
  choices: Signal['choices'],
  source = 'tag',
): Signal => ({
  eventId,
  identity,
  saidAt: new Date(now.getTime() - (100 - minute) * 60_000),
  choices,
  source,
});

it('makes what a browser said part of what the person said, by the rule', async () => {
  for (const [rule, granted] of [
    ['latest', 0b10n],
    ['own_first', 0b11n],
  ] as const) {
    const { record, join, signature } = await openOrganization(rule);
    await record([
      said('1', ada, 1, { a: true }),
      said('2', browser, 2, { a: false, b: true }),
      said('3', browser, 3, { b: false }, 'gpc'),
    ]);
    expect(await join(ada)).toBe(1);
    expect(await join(ada)).toBe(0);
    expect(await signature(ada)).toEqual({ known: 0b11n, granted });
    expect(await signature(browser)).toEqual({ known: 0b11n, granted: 0n });
  }
});

it('gives nobody else who signs in with the same browser any of it', async () => {
  const { record, join, signature } = await openOrganization();
  await record([said('1', browser, 1, { a: true })]);
  expect(await join(ada)).toBe(1);
  expect(await join(bob)).toBe(0);
  await record([said('2', browser, 2, { a: false })]);
  expect(await join(bob)).toBe(0);
  expect(await signature(bob)).toEqual({ known: 0n, granted: 0n });
  expect(await join(ada)).toBe(1);
  expect(await signature(ada)).toEqual({ known: 1n, granted: 0n });
});

it('is of who signed in first also where the browser had said nothing yet', async () => {
  const { record, join, signature } = await openOrganization();
  expect(await join(ada)).toBe(0);
  await record([said('1', browser, 1, { a: true })]);
  expect(await join(bob)).toBe(0);
  expect(await signature(bob)).toEqual({ known: 0n, granted: 0n });
  expect(await join(ada)).toBe(1);
  expect(await signature(ada)).toEqual({ known: 1n, granted: 1n });
});

it('joins what was said of a purpose that is newer than the process', async () => {
  const { recordElsewhere, join, signature } = await openOrganization();
  await recordElsewhere([said('1', browser, 1, { a: true, c: false })]);
  expect(await join(ada)).toBe(1);
  expect(await signature(ada)).toEqual({ known: 0b101n, granted: 1n });
});

it('lets a choice before signing in go before Global Privacy Control that was there earlier, by every rule', async () => {
  for (const rule of ['latest', 'own_first'] as const) {
    const { record, join, signature } = await openOrganization(rule);
    await record([said('1', browser, 1, { a: false }, 'gpc'), said('2', browser, 2, { a: true })]);
    await record([said('3', ada, 1, { a: false }, 'gpc')]);
    expect(await join(ada)).toBe(1);
    expect([rule, await signature(ada)]).toEqual([rule, { known: 1n, granted: 1n }]);
    await record([said('4', ada, 0, { a: false })]);
    expect([rule, await signature(ada)]).toEqual([rule, { known: 1n, granted: rule === 'latest' ? 1n : 0n }]);
  }
});

it('comes to the same whenever the browser is joined, also again and again, by every rule', async () => {
  const one = fc.record({
    own: fc.boolean(),
    minute: fc.nat({ max: 6 }),
    choices: fc.dictionary(fc.constantFrom('a', 'b'), fc.boolean(), { minKeys: 1 }),
    joinAfter: fc.boolean(),
  });
  const rules = fc.constantFrom<MergeRule>('latest', 'own_first');
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 8 }), rules, async (steps, rule) => {
      const stepwise = await openOrganization(rule);
      const atOnce = await openOrganization(rule);
      const signals = steps.map((step, index) =>
        said(`e${index}`, step.own ? ada : browser, step.minute, step.choices),
      );
      for (const [index, signal] of signals.entries()) {
        await stepwise.record([signal]);
        if (steps[index]?.joinAfter) await stepwise.join(ada);
      }
      await stepwise.join(ada);
      await atOnce.record(signals.toReversed());
      await atOnce.join(ada);
      const bits = (choices: Signal['choices'], granted: boolean) =>
        (['a', 'b'] as const).reduce(
          (sum, code, bit) => sum | (code in choices && (choices[code] || !granted) ? 1n << BigInt(bit) : 0n),
          0n,
        );
      const wanted = fold(
        signals.map(({ eventId, identity, saidAt, choices }) => ({
          // As it is named where it is joined.
          eventId: identity === browser ? `joined:${eventId}` : eventId,
          at: saidAt.getTime(),
          mask: bits(choices, false),
          value: bits(choices, true),
          automatic: false,
          inherited: identity === browser,
        })),
        { rule },
      );
      expect(await stepwise.signature(ada)).toEqual(wanted);
      expect(await atOnce.signature(ada)).toEqual(wanted);
    }),
    { numRuns: 40, endOnFailure: true },
  );
});
