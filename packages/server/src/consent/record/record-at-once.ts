import { CompiledQuery } from 'kysely';
import { type AuditEvent, auditArguments } from '../../audit/index.ts';
import {
  booleanArray,
  type Database,
  int4Array,
  int8Array,
  keptStatement,
  textArray,
  timestamptzArray,
} from '../../foundation/index.ts';
import { type FoldOptions, hasExpired } from './fold.ts';
import type { RecordOptions } from './record-signals.ts';
import { type Accepted, accept, type Signal } from './signal.ts';
import type { AskedIdentities } from './subjects.ts';

/** PostgreSQL's code of a key that is there already. */
const UNIQUE_VIOLATION = '23505';

/** All in it PostgreSQL plans once for each connection, and so it does with the statement itself. */
const RECORD = keptStatement(
  `select record_consent(${Array.from({ length: 24 }, (_, place) => `$${place + 1}`).join(', ')}) as lacking`,
);

/**
 * What {@link recordSignals} does with signals that can all be stored and are all new, which most are, by one statement that is a transaction of its
 * own, audit entries and all: one round trip instead of a dozen. False, and nothing is stored: one was not new, which only `recordSignals` knows about.
 */
export async function recordAtOnce(
  db: Database,
  signals: readonly Signal[],
  { entries, ...options }: RecordOptions & { readonly entries: readonly AuditEvent[] },
): Promise<boolean> {
  const { organizationId, subjects, purposes, now, rule, validities = [] } = options;
  if (signals.length === 0) return false;
  const counting = { validities, now: now.getTime() };
  const accepted = signals.map((signal, place) => accept(signal, place, purposes));
  const asked = subjects.prepare(signals.map(({ identity }) => identity));
  const before = [
    organizationId,
    now,
    rule === 'own_first',
    int8Array(validities.map(({ mask }) => mask)),
    int8Array(validities.map(({ milliseconds }) => BigInt(milliseconds))),
    asked.asked,
    textArray(asked.identities.map(({ type }) => type)),
  ];
  const behind = [...columnsOf(accepted, asked, counting), ...auditArguments(entries, now)];
  const run = async (sealed: Buffer) => {
    const { rows } = await db.executeQuery<{ lacking: readonly number[] | null }>(
      CompiledQuery.raw(RECORD, [...before, sealed, ...behind]),
    );
    return rows[0]?.lacking;
  };
  try {
    // Sealing everybody each time would take as long as looking them up.
    const lacking = await run(subjects.seal(asked, asked.unseen));
    if (lacking === null) return true;
    const missed = (lacking ?? []).map((place) => place - 1);
    return (await run(subjects.seal(asked, [...asked.unseen, ...missed]))) === null;
  } catch (error) {
    if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
    return false;
  }
}

function columnsOf(
  accepted: readonly Accepted[],
  { places }: AskedIdentities,
  counting: FoldOptions,
): readonly Buffer[] {
  const notices = accepted.map(({ notice }) => (notice === undefined ? null : JSON.stringify(notice)));
  return [
    int4Array(places.map((place) => place + 1)),
    booleanArray(singleOf(accepted, places, counting)),
    textArray(accepted.map(({ eventId }) => eventId)),
    timestamptzArray(accepted.map(({ at }) => at)),
    int8Array(accepted.map(({ mask }) => mask)),
    int8Array(accepted.map(({ value }) => value)),
    textArray(accepted.map(({ source }) => source)),
    textArray(notices),
    timestamptzArray(accepted.map((one) => endOf(one, counting))),
  ];
}

/** Whether what a signal adds to what was said before it is just what it says. */
function singleOf(
  accepted: readonly Accepted[],
  places: readonly number[],
  counting: FoldOptions,
): readonly boolean[] {
  const count = new Map<number, number>();
  for (const place of places) count.set(place, (count.get(place) ?? 0) + 1);
  return accepted.map(
    (one, index) =>
      !one.automatic &&
      !one.inherited &&
      count.get(places[index] as number) === 1 &&
      !hasExpired(one, counting),
  );
}

/** When the first agreement in it ends; null: none does. */
function endOf({ at, value }: Accepted, { validities = [] }: FoldOptions): number | null {
  let end: number | null = null;
  for (const { mask, milliseconds } of validities)
    if ((value & mask) !== 0n) end = Math.min(end ?? Number.POSITIVE_INFINITY, at + milliseconds);
  return end;
}
