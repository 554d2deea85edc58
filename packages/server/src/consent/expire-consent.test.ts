import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HOUSE_MIGRATIONS, openPropagation, SECRET } from '../../test/consent/propagation-house.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { receiveWebhooks } from '../../test/webhook-receiver.ts';
import { createLogger, newSecretKey } from '../foundation/index.ts';
import { createConsent } from './create-consent.ts';
import { createConsentExpiry } from './expire-consent.ts';
import { parsePurposeFile } from './purposes/index.ts';

const DAY = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const FILE = `
purposes:
  - { code: analytics, name: { en: Analytics }, legal_basis: consent, validity: 10d, ask_again: 8d }
  - { code: advertising, name: { en: Advertising }, legal_basis: opt_out, validity: 20d }
  - { code: research, name: { en: Research }, legal_basis: legitimate_interests, ask_again: 5d }
`;
const CODES = ['analytics', 'advertising', 'research'] as const;
const masterKey = newSecretKey();
let database: TestDatabase;
let organizations = 0;
beforeAll(async () => {
  database = await createTestDatabase(HOUSE_MIGRATIONS);
});
afterAll(() => database?.close());

function openWorld(text = FILE, organizationId = `org-${++organizations}`) {
  const time = { day: 0 };
  const clock = { now: () => new Date(START + time.day * DAY) };
  const file = parsePurposeFile(text, 'purposes.yaml');
  const { db } = database;
  const consent = createConsent({ db, organizationId, file, masterKey, clock });
  const logger = createLogger({ level: 'silent' });
  const open = (purposes = file.purposes) =>
    createConsentExpiry({ db, organizationId, purposes, rule: 'latest', clock, logger });
  let events = 0;
  const say = async (choices: Record<string, boolean>, day = time.day) => {
    events += 1;
    const [outcome] = await consent.record({ organizationId, actor: 'key:1' }, [
      {
        event_id: `e${events}`,
        identity: { type: 'email', value: 'ada@example.org' },
        said_at: new Date(START + day * DAY).toISOString(),
        choices,
        source: 'api',
      },
    ]);
    expect(outcome?.state).toBe('stored');
  };
  const read = async (day?: number) => {
    const asOf = day === undefined ? undefined : new Date(START + day * DAY);
    const { purposes } = await consent.read(
      organizationId,
      { type: 'email', value: 'ada@example.org' },
      asOf,
    );
    return Object.fromEntries(purposes.map(({ code, ...rest }) => [code, rest]));
  };
  /** As it is written down, which is what targets and destinations have. */
  const stored = async () => {
    const { rows } = await sql<{ known: number; granted: number }>`
      select known, granted from consent_signatures where organization_id = ${organizationId}`.execute(db);
    return rows[0];
  };
  return { organizationId, time, expiry: open(), open, say, read, stored };
}

it('takes an agreement for nothing when its time is over, keeps a refusal, and says whom to ask again', async () => {
  const { time, expiry, say, read, stored } = openWorld();
  await say({ analytics: true, advertising: false, research: true });
  const { said_at } = (await read()).analytics ?? {};
  expect(said_at).toBe(new Date(START + time.day * DAY).toISOString());
  time.day = 9;
  expect(await read()).toEqual({
    analytics: { said: true, allowed: true, said_at, ask_again: true },
    advertising: { said: false, allowed: false, said_at },
    research: { said: true, allowed: true, said_at, ask_again: true },
  });
  expect(await expiry.expire()).toBe(0);
  time.day = 10;
  // At once, and also before anybody came by.
  const over = { said: null, allowed: false, ask_again: true };
  expect((await read()).analytics).toEqual(over);
  expect(await stored()).toEqual({ known: 0b111, granted: 0b101 });
  expect(await expiry.expire()).toBe(1);
  expect(await stored()).toEqual({ known: 0b110, granted: 0b100 });
  expect((await read()).analytics).toEqual(over);
  expect((await read(9)).analytics).toMatchObject({ said: true });
  time.day = 400;
  expect(await expiry.expire()).toBe(0);
  expect((await read()).advertising).toEqual({ said: false, allowed: false, said_at });
  await say({ analytics: true });
  expect((await read()).analytics).toEqual({
    said: true,
    allowed: true,
    said_at: new Date(START + time.day * DAY).toISOString(),
  });
});

it('takes an agreement that arrives when it has expired already for what was said last, and for nothing', async () => {
  const { time, say, read, stored } = openWorld();
  time.day = 20;
  await say({ analytics: false }, 2);
  await say({ analytics: true }, 5);
  expect((await read()).analytics).toEqual({ said: null, allowed: false, ask_again: true });
  expect(await stored()).toEqual({ known: 0, granted: 0 });
});

it('comes to the same whenever what was said arrives and whenever somebody looks what has expired', async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('say' as const),
      code: fc.constantFrom(...CODES),
      granted: fc.boolean(),
      late: fc.nat({ max: 15 }),
    }),
    fc.record({ kind: fc.constant('wait' as const), days: fc.nat({ max: 12 }) }),
    fc.record({ kind: fc.constant('look' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), async (steps) => {
      const { time, expiry, say, read, stored } = openWorld();
      await expiry.start();
      await expiry.stop();
      const last = new Map<string, { readonly day: number; readonly granted: boolean }>();
      time.day = 20;
      for (const one of steps) {
        if (one.kind === 'say') {
          // No two at one time, of which either may be the later one.
          const day = time.day - one.late + steps.indexOf(one) / 1_000;
          await say({ [one.code]: one.granted }, Math.min(day, time.day));
          const before = last.get(one.code);
          const at = Math.min(day, time.day);
          if (before === undefined || at >= before.day) last.set(one.code, { day: at, granted: one.granted });
        } else if (one.kind === 'wait') time.day += one.days;
        else await expiry.expire();
        const wanted = Object.fromEntries(
          CODES.map((code) => {
            const said = last.get(code);
            const days = { analytics: 10, advertising: 20, research: Infinity }[code];
            const isOver = said?.granted === true && said.day + days <= time.day;
            return [code, said === undefined || isOver ? null : said.granted];
          }),
        );
        const got = Object.entries(await read()).map(([code, { said }]) => [code, said]);
        expect(Object.fromEntries(got)).toEqual(wanted);
        if (one.kind !== 'look') continue;
        const signature = await stored();
        const bits = CODES.map((code, bit) => [
          code,
          ((signature?.known ?? 0) >> bit) & 1 ? Boolean(((signature?.granted ?? 0) >> bit) & 1) : null,
        ]);
        expect(Object.fromEntries(bits)).toEqual(wanted);
      }
    }),
    { numRuns: 40 },
  );
});

it('looks at everybody again when agreements count for another time than before', async () => {
  const { organizationId, time, expiry, say, stored, open } = openWorld();
  await expiry.start();
  await expiry.stop();
  await say({ analytics: true });
  time.day = 6;
  expect(await expiry.expire()).toBe(0);
  const shorter = openWorld(FILE.replace('validity: 10d', 'validity: 5d'), organizationId);
  shorter.time.day = 6;
  await shorter.expiry.start();
  await eventually('it has expired', async () => (await stored())?.granted === 0);
  await shorter.expiry.stop();
  const again = open();
  await again.start();
  await eventually('it counts again', async () => (await stored())?.granted === 1);
  await again.stop();
});

it('makes all anew once when what was said before signing in counts by another rule', async () => {
  const { organizationId, time, say, stored } = openWorld(FILE.replace(/, validity: \d+d/g, ''));
  await say({ analytics: true });
  const file = parsePurposeFile(FILE.replace(/, validity: \d+d/g, ''), 'purposes.yaml');
  const look = async (rule: 'latest' | 'own_first') => {
    // As an older version may have left it.
    await sql`update consent_signatures set granted = 0 where organization_id = ${organizationId}`.execute(
      database.db,
    );
    const expiry = createConsentExpiry({
      db: database.db,
      organizationId,
      purposes: file.purposes,
      rule,
      clock: { now: () => new Date(START + time.day * DAY) },
      logger: createLogger({ level: 'silent' }),
      everyMilliseconds: 600_000,
    });
    await expiry.start();
    await expiry.stop();
    await expiry.expire();
    return (await stored())?.granted;
  };
  expect([await look('latest'), await look('own_first'), await look('own_first')]).toEqual([0, 1, 0]);
  expect([await look('latest'), await look('latest')]).toEqual([1, 0]);
});

it('tells destinations of what has expired', async () => {
  await using crm = await receiveWebhooks();
  const { organizationId, time, expiry, say } = openWorld();
  await using propagation = Object.assign(
    openPropagation({
      opened: database,
      masterKey,
      organizationId,
      destinations: [{ key: 'crm', webhook: { url: crm.url, secret: SECRET }, purposes: { analytics: 'a' } }],
    }),
    { [Symbol.asyncDispose]: () => propagation.stop() },
  );
  await propagation.start();
  await say({ analytics: true });
  await eventually('it is told', () => crm.messages.length === 1);
  time.day = 10;
  await expiry.expire();
  await eventually('it is told again', () => crm.messages.length === 2);
  expect(crm.messages.map(({ body }) => JSON.parse(body).data.purposes.a.said)).toEqual([true, null]);
});
