import { type AuditEvent, appendAudit } from '../audit/index.ts';
import { type Clock, createGroup, type Database, sha256Hex } from '../foundation/index.ts';
import {
  type Outcome,
  type RecordOptions,
  recordAtOnce,
  recordSignals,
  refusalOf,
  type Signal,
} from './record/index.ts';

/** Signals of one call. */
export interface Said {
  /** As audit entries name it. */
  readonly actor: string;
  readonly signals: readonly Signal[];
}

export interface TakeTogetherOptions extends Omit<RecordOptions, 'now'> {
  readonly db: Database;
  readonly clock: Clock;
}

/** Calls that share a transaction: a thousand browsers that say one thing each. */
const MOST_CALLS = 1_000;
/** With fewer, sixteen clients that each wait for their answer are two groups of eight, and pay for two transactions. */
const TURNS = 3;
/** Calls of more signals than this share with nobody: a transaction is not to become long. */
const SMALL = 50;

/** Stores signals and what they come to; calls that come while a transaction runs share the next one (docs/decisions/group-commit.md). */
export function takeTogether(options: TakeTogetherOptions): (said: Said) => Promise<readonly Outcome[]> {
  let count = 0;
  const together = createGroup<Said & { readonly key: string }, readonly Outcome[]>({
    limit: MOST_CALLS,
    turns: TURNS,
    keyOf: ({ key }) => key,
    run: (calls) => store(options, calls),
  });
  return async (said) => {
    if (said.signals.length > SMALL) return (await store(options, [said]))[0] ?? [];
    count += 1;
    return together({ ...said, key: String(count) });
  };
}

async function store(
  { db, clock, ...options }: TakeTogetherOptions,
  calls: readonly Said[],
): Promise<readonly (readonly Outcome[])[]> {
  const now = clock.now();
  const signals = calls.flatMap((call) => call.signals);
  const refused = signals.map((signal) => refusalOf(signal, { ...options, now }));
  if (refused.every((one) => one === undefined)) {
    const each = perCall(
      calls,
      signals.map(() => 'stored' as const),
    );
    const entries = entriesOf(options.organizationId, calls, each);
    if (await again(() => recordAtOnce(db, signals, { ...options, now, entries }))) return each;
  }
  return inTurn(db, async (transaction) => {
    const each = perCall(calls, await recordSignals(transaction, signals, { ...options, now }));
    await appendAudit(transaction, entriesOf(options.organizationId, calls, each), now);
    return each;
  });
}

function perCall(calls: readonly Said[], outcomes: readonly Outcome[]): readonly (readonly Outcome[])[] {
  let start = 0;
  return calls.map(({ signals }) => {
    start += signals.length;
    return outcomes.slice(start - signals.length, start);
  });
}

/** One entry for all that an actor said, with a hash of what, but not of whom: that could be guessed from it. */
function entriesOf(
  organizationId: string,
  calls: readonly Said[],
  each: readonly (readonly Outcome[])[],
): readonly AuditEvent[] {
  const stored = new Map<string, Signal[]>();
  for (const [call, { actor, signals }] of calls.entries()) {
    for (const [place, signal] of signals.entries()) {
      if (each[call]?.[place] !== 'stored') continue;
      const before = stored.get(actor);
      if (before === undefined) stored.set(actor, [signal]);
      else before.push(signal);
    }
  }
  return [...stored].map(([actor, signals]) => ({
    organizationId,
    actor,
    action: 'consent.recorded',
    subject: organizationId,
    details: {
      signals: signals.length,
      sha256: sha256Hex(JSON.stringify(signals.map(contentOf))),
    },
  }));
}

const contentOf = ({ eventId, saidAt, choices, source, notice }: Signal) =>
  notice === undefined
    ? [eventId, saidAt.getTime(), choices, source]
    : [eventId, saidAt.getTime(), choices, source, notice];

/** PostgreSQL ends one of two transactions that wait for each other; it has changed nothing and is done again. */
const DEADLOCK = '40P01';
const TRIES = 5;

export function inTurn<Result>(
  db: Database,
  work: (transaction: Database) => Promise<Result>,
): Promise<Result> {
  return again(() => db.transaction().execute(work));
}

async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: string }).code !== DEADLOCK || attempt === TRIES) throw error;
    }
  }
}
