import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { Declaration } from '../declaration.ts';
import { type SourceScope, toRow } from '../intervals.ts';
import type { MapTables } from '../tables.ts';

/** A time in which a source declared something, as its history shows it. */
export interface SeenInterval {
  readonly key: string;
  readonly declaration: Declaration;
  readonly from: Date;
  readonly to: Date;
}

export interface MergeOptions {
  readonly intervals: readonly SeenInterval[];
  /** At the end of the history: since when polls are stored, and which declarations counted then. */
  readonly handOver?: { readonly at: Date; readonly keys: ReadonlySet<string> } | undefined;
}

/**
 * Adds history to what is stored, so that it may be added twice: what touches a stored interval makes that one longer, and
 * two that it joins become one. What counts where polls took over, although no poll saw it, goes on: the keys that are
 * returned.
 *
 *     stored    ├────┤        ├──────▶ (open)
 *     history      ├───────────┤
 *     then      ├────────────────────▶
 */
export async function mergeHistory(
  transaction: Database,
  scope: SourceScope,
  { intervals, handOver }: MergeOptions,
): Promise<readonly string[]> {
  // Polls of this source wait, so that none opens an interval between the reading and the writing here.
  await transaction
    .withTables<MapTables>()
    .insertInto('map_sources')
    .values({
      organization_id: scope.organizationId,
      source: scope.source,
      state: 'new',
      warnings: '[]',
      kind: 'prometheus',
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await sql`
    select 1 from map_sources
    where organization_id = ${scope.organizationId} and source = ${scope.source} for update`.execute(
    transaction,
  );
  const stored = await readTouched(
    transaction,
    scope,
    intervals.map(({ key }) => key),
  );
  const added: AddedInterval[] = [];
  const removed: { readonly key: string; readonly from: Date }[] = [];
  const goingOn: string[] = [];
  for (const [key, history] of Map.groupBy(intervals, (interval) => interval.key)) {
    const [first] = history;
    if (first === undefined) continue;
    const before = stored.get(key) ?? [];
    const goesOn = handOver?.keys.has(key) === true && !before.some((span) => isFromPolls(span, handOver.at));
    if (goesOn) goingOn.push(key);
    const spans = history.map(({ from, to }) => ({ from, to: goesOn && to >= handOver.at ? undefined : to }));
    const joined = join([...before, ...spans]);
    for (const span of before) {
      if (!joined.some((other) => same(span, other))) removed.push({ key, from: span.from });
    }
    for (const span of joined) {
      if (!before.some((other) => same(span, other)))
        added.push({ ...span, key, declaration: first.declaration });
    }
  }
  await removeIntervals(transaction, scope, removed);
  await addIntervals(transaction, scope, added);
  return goingOn;
}

interface AddedInterval extends Span {
  readonly key: string;
  readonly declaration: Declaration;
}

/** Polls saw it, or ended it. */
function isFromPolls({ from, to }: Span, since: Date): boolean {
  return to === undefined || from >= since || to > since;
}

function same(one: Span, other: Span): boolean {
  return one.from.getTime() === other.from.getTime() && one.to?.getTime() === other.to?.getTime();
}

interface Span {
  readonly from: Date;
  /** undefined: it has not ended. */
  readonly to: Date | undefined;
}

/** Overlapping and touching spans as one each, in order. */
export function join(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from.getTime() - b.from.getTime())) {
    const last = joined.at(-1);
    const reach = last?.to === undefined ? Number.POSITIVE_INFINITY : last.to.getTime();
    if (last === undefined || span.from.getTime() > reach) joined.push(span);
    else joined[joined.length - 1] = { from: last.from, to: laterEnd(last.to, span.to) };
  }
  return joined;
}

function laterEnd(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return undefined;
  return one > other ? one : other;
}

async function readTouched(
  transaction: Database,
  scope: SourceScope,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly Span[]>> {
  const { rows } = await sql<{ declaration: string; first_seen: Date; last_seen: Date | null }>`
    select declaration, first_seen, last_seen from map_declarations
    where organization_id = ${scope.organizationId}
      and source = ${scope.source}
      and declaration = any(${[...new Set(keys)]}::text[])`.execute(transaction);
  const spans = rows.map((row) => ({
    key: row.declaration,
    from: row.first_seen,
    to: row.last_seen ?? undefined,
  }));
  return Map.groupBy(spans, ({ key }) => key);
}

async function removeIntervals(
  transaction: Database,
  scope: SourceScope,
  removed: readonly { readonly key: string; readonly from: Date }[],
): Promise<void> {
  if (removed.length === 0) return;
  await sql`
    delete from map_declarations as declarations
    using unnest(${removed.map(({ key }) => key)}::text[], ${removed.map(({ from }) => from)}::timestamptz[])
      as removed (declaration, first_seen)
    where declarations.organization_id = ${scope.organizationId}
      and declarations.source = ${scope.source}
      and declarations.declaration = removed.declaration
      and declarations.first_seen = removed.first_seen`.execute(transaction);
}

const ROWS_PER_STATEMENT = 1_000;

async function addIntervals(
  transaction: Database,
  scope: SourceScope,
  added: readonly AddedInterval[],
): Promise<void> {
  for (let from = 0; from < added.length; from += ROWS_PER_STATEMENT) {
    const rows = added.slice(from, from + ROWS_PER_STATEMENT).map(({ key, declaration, ...span }) => ({
      ...toRow(scope, { key, declaration, firstSeen: span.from }),
      last_seen: span.to ?? null,
    }));
    await transaction.withTables<MapTables>().insertInto('map_declarations').values(rows).execute();
  }
}
