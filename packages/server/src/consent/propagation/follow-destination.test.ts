import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HOUSE_MIGRATIONS, openConsent } from '../../../test/consent/propagation-house.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { createLogger, fixedClock, HabeasError, newSecretKey, systemClock } from '../../foundation/index.ts';
import { RetryAfter } from '../../notify/index.ts';
import { assignBits } from '../purposes/index.ts';
import { createSubjects } from '../record/index.ts';
import { consentMessage, toldPurposes } from './consent-message.ts';
import type { Delivery } from './deliveries.ts';
import type { Destination } from './destination.ts';
import { createDestinationFollower } from './follow-destination.ts';
import { createPropagationState } from './propagation-state.ts';
import { spreadChanges } from './spread.ts';

const CODES = ['analytics', 'advertising', 'research'];
const PEOPLE = 4;
const masterKey = newSecretKey();
let database: TestDatabase;
let organizations = 0;
beforeAll(async () => {
  database = await createTestDatabase(HOUSE_MIGRATIONS);
});
afterAll(() => database?.close());

/** What becomes of a call: taken, refused, taken with an answer that is lost, or the process ends before it wrote anything down. */
const fate = fc.constantFrom('taken', 'taken', 'refused', 'lost', 'killed');
const choice = fc.record({
  person: fc.nat({ max: PEOPLE - 1 }),
  code: fc.constantFrom(...CODES),
  granted: fc.boolean(),
  /** When it was said, which need not be the order in which it comes. */
  at: fc.nat({ max: 50 }),
});
type Choice = typeof choice extends fc.Arbitrary<infer One> ? One : never;
const step = fc.oneof(
  fc.record({ kind: fc.constant('say' as const), choice }),
  fc.record({
    kind: fc.constant('round' as const),
    fates: fc.array(fate, { maxLength: 6 }),
    /** What is said while a call is under way. */
    meanwhile: fc.option(choice, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('retry' as const), everybody: fc.boolean() }),
  /** The process ends, and another one begins with these names of purposes. */
  fc.record({ kind: fc.constant('configure' as const), names: fc.constantFrom(...configurations()) }),
);

/** Code of a purpose → its name. */
type Names = Readonly<Record<string, string>>;

function configurations(): readonly Names[] {
  return [
    { analytics: 'analytics', advertising: 'advertising', research: 'research' },
    { analytics: 'analytics', advertising: 'ads', research: 'research' },
    { advertising: 'advertising', research: 'research' },
    { analytics: 'advertising' },
  ];
}

async function openOrganization() {
  organizations += 1;
  const organizationId = `org-${organizations}`;
  const consent = openConsent({ opened: database, masterKey, organizationId });
  const bits = await assignBits(database.db, organizationId, CODES);
  const destination: Destination = {
    key: 'crm',
    organizationId,
    by: { kind: 'system', system: 'crm' },
    identities: ['user_id'],
    acknowledge: 'answer',
    purposes: CODES.map((code) => ({
      code,
      name: code,
      allowedByDefault: code !== 'analytics',
      legalBasis: 'consent' as const,
    })),
  };
  return { organizationId, consent, bits, destination };
}

async function openWorld() {
  const { db, pool } = database;
  const { organizationId, consent, bits, destination: first } = await openOrganization();
  let destination = first;
  /** Whom the destination knows. It heeds the greatest version. */
  const has = new Map<string, { readonly version: number; readonly purposes: unknown }>();
  const bodies = new Map<string, string>();
  const latest = new Map<string, number>();
  let events = 0;

  function take(delivery: Delivery): void {
    const body = consentMessage(destination, delivery, toldPurposes(destination, delivery, bits));
    expect(bodies.get(delivery.id) ?? body).toBe(body);
    bodies.set(delivery.id, body);
    const { data } = JSON.parse(body);
    const person = data.identities[0].value;
    // Nobody is ever told of a state that is older than one that they were told of.
    expect(data.version).toBeGreaterThanOrEqual(latest.get(person) ?? 0);
    latest.set(person, data.version);
    has.set(person, { version: data.version, purposes: data.purposes });
  }

  async function say({ person, code, granted, at }: Choice): Promise<void> {
    events += 1;
    const signal = {
      event_id: `e${events}`,
      identity: { type: 'user_id', value: `u-${person}` },
      said_at: new Date(Date.parse('2026-01-01T00:00:00Z') + at * 1_000).toISOString(),
      choices: { [code]: granted },
      source: 'api' as const,
    };
    const [outcome] = await consent.record({ organizationId, actor: 'key:1' }, [signal]);
    expect(outcome?.state).toBe('stored');
  }

  /** Another process that believes that this one has ended, and writes down what is said now. */
  async function takeOver(choice: Choice): Promise<void> {
    await say(choice);
    const client = await pool.connect();
    await spreadChanges({ client, destination, bits, now: systemClock.now() }).finally(() =>
      client.release(),
    );
  }

  async function round(fates: readonly string[], meanwhile?: Choice): Promise<void> {
    const left = [...fates];
    let toSay = meanwhile;
    const ending = new AbortController();
    const follower = createDestinationFollower({
      destination,
      db,
      pool,
      bits,
      openValue: createSubjects({ organizationId, masterKey }).openValue,
      clock: systemClock,
      logger: createLogger({ level: 'silent' }),
      schedule: [0, 0, 0],
      rest: { firstMilliseconds: 1, longestMilliseconds: 1 },
      cutOff: ending.signal,
      async send(delivery) {
        const become = ending.signal.aborted ? 'killed before' : (left.shift() ?? 'taken');
        if (become === 'taken' || become === 'lost' || become === 'killed') take(delivery);
        const now = toSay;
        toSay = undefined;
        if (now !== undefined) await takeOver(now);
        if (become === 'killed') ending.abort();
        if (become !== 'taken') throw new HabeasError('SYSTEM_UNREACHABLE', 'no answer', { retryable: true });
        return { operations: {}, retryAfterSeconds: 0 };
      },
    });
    await follower.round(ending.signal);
  }

  const state = createPropagationState({
    db,
    organizationId,
    destinations: [destination],
    clock: systemClock,
  });
  function configure(names: Names): void {
    const purposes = first.purposes.filter(({ code }) => names[code] !== undefined);
    destination = {
      ...first,
      purposes: purposes.map((one) => ({ ...one, name: names[one.code] ?? one.code })),
    };
  }

  return { organizationId, consent, say, round, has, state, configure };
}

it('ends with the latest state of each person, whatever fails, ends and is said meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), async (steps) => {
      const { organizationId, consent, say, round, has, state, configure } = await openWorld();
      const caller = { organizationId, actor: 'key:1' };
      for (const one of steps) {
        if (one.kind === 'say') await say(one.choice);
        else if (one.kind === 'round') await round(one.fates, one.meanwhile);
        else if (one.kind === 'configure') configure(one.names);
        else await state.retry(caller, { destination: 'crm', everybody: one.everybody });
      }
      configure(Object.fromEntries(CODES.map((code) => [code, code])));
      await round([]);
      for (let last = 0; last < 20; last += 1) {
        const [{ waiting, given_up, lag_seconds } = { waiting: 1, given_up: 0, lag_seconds: null }] =
          await state.list();
        if (lag_seconds === 0 && waiting + given_up === 0) break;
        await state.retry(caller, { destination: 'crm', everybody: false });
        await round([]);
      }
      expect(await state.list()).toMatchObject([{ waiting: 0, given_up: 0, lag_seconds: 0 }]);
      for (let person = 0; person < PEOPLE; person += 1) {
        const value = `u-${person}`;
        const { purposes } = await consent.read(organizationId, { type: 'user_id', value });
        if (purposes.length === 0 && !has.has(value)) continue;
        const said = Object.fromEntries(purposes.map((one) => [one.code, one.said]));
        const told = has.get(value)?.purposes as Record<string, { said: boolean | null }> | undefined;
        const got = Object.fromEntries(CODES.map((code) => [code, told?.[code]?.said ?? null]));
        expect(got).toEqual({ analytics: null, advertising: null, research: null, ...said });
      }
    }),
    { numRuns: 60 },
  );
});

/** People who said something, and a follower whose calls end as it is told, by a clock that stands. */
async function follow(people: number, send: (person: number, delivery: Delivery) => void | Promise<void>) {
  const { organizationId, consent, bits, destination } = await openOrganization();
  const clock = fixedClock('2026-06-01T12:00:00Z');
  let said = 0;
  async function say(person: number, granted: boolean): Promise<void> {
    said += 1;
    const signal = {
      event_id: `e${said}`,
      identity: { type: 'user_id', value: `u-${person}` },
      said_at: new Date(Date.parse('2026-05-01T10:00:00Z') + said * 1_000).toISOString(),
      choices: { analytics: granted },
      source: 'api' as const,
    };
    await consent.record({ organizationId, actor: 'key:1' }, [signal]);
  }
  for (let person = 0; person < people; person += 1) await say(person, true);
  const { db, pool } = database;
  /** As a process has it that begins now. */
  const open = () => {
    const follower = createDestinationFollower({
      destination,
      db,
      pool,
      bits,
      openValue: createSubjects({ organizationId, masterKey }).openValue,
      clock,
      logger: createLogger({ level: 'silent' }),
      rest: { firstMilliseconds: 2_000, longestMilliseconds: 900_000 },
      cutOff: new AbortController().signal,
      async send(delivery) {
        await send(Number(delivery.identities[0]?.value.slice(2)), delivery);
        return { operations: {}, retryAfterSeconds: 0 };
      },
    });
    return () => follower.round(new AbortController().signal);
  };
  const state = createPropagationState({ db, organizationId, destinations: [destination], clock });
  const retry = () =>
    state.retry({ organizationId, actor: 'key:1' }, { destination: 'crm', everybody: false });
  const spread = async () => {
    const client = await pool.connect();
    await spreadChanges({ client, destination, bits, now: clock.now() }).finally(() => client.release());
  };
  return { organizationId, clock, say, spread, open, round: open(), retry };
}

it('calls a destination that is away no more before it has rested', async () => {
  const called: number[] = [];
  const { clock, round } = await follow(30, (person) => {
    called.push(person);
    throw new HabeasError('SYSTEM_UNREACHABLE', 'nobody answers', { retryable: true });
  });
  const rest = await round();
  expect(rest).toBeGreaterThan(0);
  const calls = called.length;
  expect(calls).toBeLessThan(12);
  clock.advance(rest - 1);
  expect(await round()).toBe(1);
  expect(called).toHaveLength(calls);
  clock.advance(1);
  await round();
  expect(called).toHaveLength(calls + 1);
});

it('calls a destination no more that asks to be left alone, for as long as it says', async () => {
  const called: number[] = [];
  const { clock, round } = await follow(300, (person) => {
    called.push(person);
    const cause = new RetryAfter(600);
    if (called.length === 1) throw new HabeasError('SYSTEM_REFUSED', 'HTTP 429', { retryable: true, cause });
  });
  expect(await round()).toBe(600_000);
  const calls = called.length;
  expect(calls).toBeLessThan(12);
  clock.advance(599_999);
  expect(await round()).toBe(1);
  expect(called).toHaveLength(calls);
  clock.advance(1);
  await round();
  expect(called).toHaveLength(301);
});

it('leaves it alone also after another process took over, and no longer than until a person has it tried again', async () => {
  const called: number[] = [];
  let hasMuchToDo = true;
  const { clock, open, round, retry } = await follow(30, (person) => {
    called.push(person);
    const cause = new RetryAfter(6_000);
    if (hasMuchToDo) throw new HabeasError('SYSTEM_REFUSED', 'HTTP 429', { retryable: true, cause });
  });
  expect(await round()).toBe(6_000_000);
  hasMuchToDo = false;
  called.length = 0;
  clock.advance(3_000_000);
  expect(await open()()).toBe(3_000_000);
  expect(called).toEqual([]);
  await retry();
  await round();
  expect(new Set(called).size).toBe(30);
});

it('brings all that was missed with the first that is taken, also where another process takes over during an outage', async () => {
  const taken = new Set<number>();
  let isAway = true;
  const { clock, open, round, say } = await follow(3, (person) => {
    if (isAway) throw new HabeasError('SYSTEM_UNREACHABLE', 'nobody answers', { retryable: true });
    taken.add(person);
  });
  for (const minutes of [1, 6, 40]) {
    await round();
    clock.advance(minutes * 60_000);
  }
  await round();
  isAway = false;
  const other = open();
  await say(3, true);
  await other();
  await other();
  expect([...taken].toSorted()).toEqual([0, 1, 2, 3]);
});

it('tells while many wait what is said meanwhile, and nobody of what is over', async () => {
  const told: (readonly [person: number, granted: boolean])[] = [];
  const { organizationId, clock, say, spread, round } = await follow(700, async (person, { granted }) => {
    told.push([person, granted !== 0n]);
    if (told.length !== 1) return;
    await say(350, false);
    await say(700, true);
  });
  await spread();
  // One has waited longer than the other, and 350 stands in the middle.
  await database.pool.query(
    `update consent_deliveries set next_at = next_at - (subject + 1) * interval '1 second' where organization_id = $1`,
    [organizationId],
  );
  clock.advance(1_000);
  await round();
  expect(told).toHaveLength(701);
  expect(told.filter(([person]) => person === 350)).toEqual([[350, false]]);
  for (const late of [350, 700]) expect(told.findIndex(([person]) => person === late)).toBeLessThan(400);
});

it('holds up nobody because of many people whose state is refused while others are taken', async () => {
  const called: number[] = [];
  await (
    await follow(60, (person) => {
      called.push(person);
      if (called.length > 9 && called.length < 59) throw new HabeasError('SYSTEM_REFUSED', 'HTTP 422');
    })
  ).round();
  expect(new Set(called).size).toBe(60);
});

it('ends no round that breaks before its calls have ended, so that nobody is told by two at once', async () => {
  let isOver = false;
  const wasOver: boolean[] = [];
  const { organizationId, round } = await follow(2, async (person) => {
    if (person === 0) return;
    for (let query = 0; query < 30; query += 1) await database.pool.query('select 1');
    wasOver.push(isOver);
  });
  await database.pool.query(
    `create function break_off() returns trigger language plpgsql as $$
       begin if new.organization_id = '${organizationId}' and new.subject = 0 then raise 'broken'; end if; return new; end $$;
     create trigger break_off before update on consent_deliveries for each row execute function break_off()`,
  );
  await expect(round().finally(() => (isOver = true))).rejects.toThrow('broken');
  await eventually('the other call has ended', () => wasOver.length > 0);
  expect(wasOver).toEqual([false]);
});
