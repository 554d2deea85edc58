import { appendAudit } from '../audit/index.ts';
import { type Clock, createGroup, type Database, sha256Hex } from '../foundation/index.ts';
import { type Outcome, type RecordOptions, recordSignals, type Signal } from './record/index.ts';

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
/** Calls of more signals than this share with nobody: a transaction is not to become long. */
const SMALL = 50;

/** Stores signals and what they come to; calls that come while a transaction runs share the next one (docs/decisions/group-commit.md). */
export function takeTogether(options: TakeTogetherOptions): (said: Said) => Promise<readonly Outcome[]> {
  let count = 0;
  const together = createGroup<Said & { readonly key: string }, readonly Outcome[]>({
    limit: MOST_CALLS,
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
  return inTurn(db, async (transaction) => {
    const outcomes = await recordSignals(
      transaction,
      calls.flatMap(({ signals }) => signals),
      { ...options, now },
    );
    let start = 0;
    const each = calls.map(({ signals }) => {
      start += signals.length;
      return outcomes.slice(start - signals.length, start);
    });
    await writeAudit(transaction, { organizationId: options.organizationId, now, calls, each });
    return each;
  });
}

interface Written {
  readonly organizationId: string;
  readonly now: Date;
  readonly calls: readonly Said[];
  readonly each: readonly (readonly Outcome[])[];
}

/** One entry for all that an actor said, with a hash of what, but not of whom: that could be guessed from it. */
async function writeAudit(
  transaction: Database,
  { organizationId, now, calls, each }: Written,
): Promise<void> {
  const stored = new Map<string, Signal[]>();
  for (const [call, { actor, signals }] of calls.entries()) {
    const fresh = signals.filter((_, place) => each[call]?.[place] === 'stored');
    if (fresh.length > 0) stored.set(actor, [...(stored.get(actor) ?? []), ...fresh]);
  }
  if (stored.size === 0) return;
  const entries = [...stored].map(([actor, signals]) => ({
    organizationId,
    actor,
    action: 'consent.recorded',
    subject: organizationId,
    details: {
      signals: signals.length,
      sha256: sha256Hex(JSON.stringify(signals.map(({ identity: _, ...said }) => said))),
    },
  }));
  await appendAudit(transaction, entries, now);
}

/** PostgreSQL ends one of two transactions that wait for each other; it has changed nothing and is done again. */
const DEADLOCK = '40P01';
const TRIES = 5;

export async function inTurn<Result>(
  db: Database,
  work: (transaction: Database) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if ((error as { code?: string }).code !== DEADLOCK || attempt === TRIES) throw error;
    }
  }
}
