import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { Declaration } from '../declaration.ts';
import type { SourceScope } from '../intervals.ts';
import { addCarriers } from './carrier-store.ts';
import { type Carriers, type Followed, follow, type Known, NOTHING_KNOWN } from './carriers.ts';
import { createLooker, type LookAt } from './look-at-prometheus.ts';
import { mergeHistory, type SeenInterval } from './merge-history.ts';
import type { PrometheusApi } from './prometheus-api.ts';
import type { LoadStored } from './stored-declarations.ts';
import type { SourceTables } from './tables.ts';

/** Reads what a Prometheus server remembers from before Habeas polled it. */
export interface Backfill {
  readonly source: string;
  /**
   * Reads the next day of the history and stores it in one transaction. done: nothing is left; early: the source has to be
   * polled first, because its history ends where polling took over. Throws SCRAPE_FAILED; the day is then read again.
   */
  step(signal: AbortSignal): Promise<'more' | 'done' | 'early'>;
}

export interface BackfillOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly name: string;
  readonly api: PrometheusApi;
  readonly prefix: string;
  readonly matchers: string;
  readonly removedJobs: ReadonlySet<string>;
  readonly loadStored: LoadStored;
  /** How far back; milliseconds. */
  readonly span: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Progress {
  readonly from: Date;
  readonly until: Date;
  readonly cursor: Date;
  /** Declarations that still count at the cursor, with the targets that could not be asked. */
  readonly held: Carriers;
}

/** From the oldest day to the newest, hour by hour, by the same rules as a poll: a target that was down took nothing back. */
export function createBackfill(options: BackfillOptions): Backfill {
  const { db, organizationId, name: source } = options;
  const scope = { organizationId, source };
  const lookAt = createLooker({ ...options, window: HOUR });
  return {
    source,
    async step(signal) {
      const progress = await begin(db, scope, options.span);
      if (progress === undefined) return 'early';
      if (progress.cursor >= progress.until) return 'done';
      const day = await readDay({ ...options, lookAt }, progress, signal);
      await db.transaction().execute(async (transaction) => {
        // Another server that read the same day meanwhile stored the same.
        if (!(await advance(transaction, scope, { progress, day }))) return;
        const isLast = day.end >= progress.until;
        const handOver = isLast ? { at: progress.until, keys: new Set(day.carriers.keys()) } : undefined;
        const goingOn = await mergeHistory(transaction, scope, { intervals: day.intervals, handOver });
        await addCarriers(
          transaction,
          scope,
          new Map(goingOn.map((key) => [key, day.carriers.get(key) ?? new Set()])),
        );
      });
      return day.end >= progress.until ? 'done' : 'more';
    },
  };
}

interface Day {
  readonly end: Date;
  /** What counts at its end. */
  readonly carriers: Carriers;
  /** What of it could not be asked. */
  readonly held: Carriers;
  readonly intervals: readonly SeenInterval[];
}

async function readDay(
  { lookAt, ...options }: BackfillOptions & { readonly lookAt: LookAt },
  progress: Progress,
  signal: AbortSignal,
): Promise<Day> {
  const { removedJobs } = options;
  const end = new Date(Math.min(progress.cursor.getTime() + DAY, progress.until.getTime()));
  const declarations = new Map<string, Declaration>(
    await options.loadStored(options.name, [...progress.held.keys()]),
  );
  const seen = new Map<string, { from: Date; to: Date }[]>();
  let known: Known = { ...NOTHING_KNOWN, carriers: progress.held };
  let before = progress.cursor;
  let last: Followed | undefined;
  // At the cursor itself once more, because what was there then carries on from it.
  for (const at of hoursOf(progress.cursor, end)) {
    const look = await lookAt({ at, signal });
    for (const [key, declaration] of look.declarations)
      if (!declarations.has(key)) declarations.set(key, declaration);
    last = follow(known, look, { at, settle: HOUR, removedJobs });
    known = last;
    for (const key of last.carriers.keys()) extend(seen, key, { from: before, to: at });
    before = at;
  }
  const current = last;
  const held = new Map(
    [...(current?.carriers ?? [])].flatMap(([key, targets]) => {
      const kept = [...targets].filter((target) => current?.held.has(target) === true);
      return kept.length === 0 ? [] : [[key, new Set(kept)] as const];
    }),
  );
  const intervals = [...seen].flatMap(([key, spans]) => {
    const declaration = declarations.get(key);
    return declaration === undefined ? [] : spans.map(({ from, to }) => ({ key, declaration, from, to }));
  });
  return { end, carriers: current?.carriers ?? new Map(), held, intervals };
}

function* hoursOf(start: Date, end: Date): Generator<Date> {
  for (let time = start.getTime(); time < end.getTime(); time += HOUR) yield new Date(time);
  yield end;
}

/** A declaration that was seen at one hour was there in some part of the hour before. */
function extend(
  seen: Map<string, { from: Date; to: Date }[]>,
  key: string,
  hour: { from: Date; to: Date },
): void {
  const spans = seen.get(key) ?? [];
  const last = spans.at(-1);
  if (last !== undefined && last.to >= hour.from) last.to = hour.to;
  else spans.push({ ...hour });
  seen.set(key, spans);
}

/** Where the reading stands; undefined if no poll was stored yet. */
async function begin(db: Database, scope: SourceScope, span: number): Promise<Progress | undefined> {
  const { organizationId, source } = scope;
  await sql`
    insert into map_backfill (organization_id, source, from_at, until_at, cursor_at, held)
    select organization_id, source, until_at - ${span} * interval '1 ms', until_at, until_at - ${span} * interval '1 ms', '[]'
    from (
      select organization_id, source, least(sources.complete_at, min(declarations.first_seen)) as until_at
      from map_sources as sources
      left join map_declarations as declarations using (organization_id, source)
      where organization_id = ${organizationId} and source = ${source} and sources.complete_at is not null
      group by organization_id, source, sources.complete_at
    ) as polled
    on conflict do nothing`.execute(db);
  const tables = db.withTables<SourceTables>();
  const row = await tables
    .selectFrom('map_backfill')
    .select(['from_at', 'until_at', 'cursor_at', 'held'])
    .where('organization_id', '=', organizationId)
    .where('source', '=', source)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const held: [string, string[]][] = JSON.parse(row.held);
  return {
    from: row.from_at,
    until: row.until_at,
    cursor: row.cursor_at,
    held: new Map(held.map(([key, targets]) => [key, new Set(targets)])),
  };
}

/** Moves the cursor, unless another server moved it. */
async function advance(
  transaction: Database,
  scope: SourceScope,
  { progress, day }: { readonly progress: Progress; readonly day: Day },
): Promise<boolean> {
  const held = JSON.stringify([...day.held].map(([key, targets]) => [key, [...targets]]));
  const { numAffectedRows } = await sql`
    update map_backfill set cursor_at = ${day.end}, held = ${held}
    where organization_id = ${scope.organizationId} and source = ${scope.source} and cursor_at = ${progress.cursor}`.execute(
    transaction,
  );
  return numAffectedRows === 1n;
}
