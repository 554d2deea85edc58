import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { createDeclarationCache, type RankedDeclaration } from './declaration-cache.ts';
import { fromRow } from './intervals.ts';
import { type KnownDeclaration, knownDeclaration } from './known-declaration.ts';
import { evidenceOf } from './map-source.ts';
import { later } from './reconcile.ts';
import type { Moment, SeenDeclaration, SourceStatus } from './seen-declaration.ts';

/** Loads what was declared at a moment, sorted. The transaction shows one state of the database. */
export type DeclarationLoader = (
  transaction: Database,
  options: LoadDeclarationsOptions,
) => Promise<readonly SeenDeclaration[]>;

export interface LoadDeclarationsOptions {
  readonly organizationId: string;
  /** All sources, from the same transaction. */
  readonly sources: readonly SourceStatus[];
  readonly moment: Moment;
}

/** One interval. Times are milliseconds: ten thousand dates take longer to parse than to find. */
interface Span {
  readonly ranked: RankedDeclaration;
  readonly source: string;
  readonly first: number;
  /** null: it has not ended. */
  readonly last: number | null;
}

/**
 * Remembers what keys stand for, and the intervals that are open now as long as no source has another version; the same
 * array as long as no source was read again either. Versions are read in the same transaction, so that it does not matter
 * which process wrote what.
 */
export function createDeclarationLoader(): DeclarationLoader {
  const cache = createDeclarationCache();
  let open: { readonly versions: string; readonly spans: readonly Span[] } | undefined;
  let seen: { readonly heartbeats: string; readonly declarations: readonly SeenDeclaration[] } | undefined;

  return async (transaction, options) => {
    const { sources, moment } = options;
    if (moment !== 'now') return see(await loadSpans(transaction, options), sources);
    const versions = JSON.stringify(sources.map(({ source, version }) => [source, version]));
    // Several questions may be asked at once: each goes on with what it loaded itself.
    const known =
      open?.versions === versions ? open : { versions, spans: await loadSpans(transaction, options) };
    open = known;
    const heartbeats = JSON.stringify([versions, sources.map(({ kind, completeAt }) => [kind, completeAt])]);
    if (seen?.heartbeats !== heartbeats) seen = { heartbeats, declarations: see(known.spans, sources) };
    return seen.declarations;
  };

  async function loadSpans(
    transaction: Database,
    options: LoadDeclarationsOptions,
  ): Promise<readonly Span[]> {
    const rows = await selectIntervals(transaction, options);
    const found = rows.map(({ key }) => cache.get(key));
    const unknown = rows.filter((_, index) => found[index] === undefined);
    if (unknown.length > 0) {
      cache.add(await selectDeclarations(transaction, options, unknown));
      // Another load may have emptied the cache meanwhile.
      cache.add(found.flatMap((ranked) => ranked?.known ?? []));
    }
    const spans: Span[] = [];
    for (const [index, { key, source, first, last }] of rows.entries()) {
      const ranked = unknown.length === 0 ? found[index] : cache.get(key);
      if (ranked !== undefined) spans.push({ ranked, source, first, last });
    }
    const sorted = cache.sort(spans);
    cache.limit();
    return sorted;
  }
}

function see(spans: readonly Span[], sources: readonly SourceStatus[]): readonly SeenDeclaration[] {
  const bySource = new Map(
    sources.map(({ source, kind, completeAt }) => [source, { evidence: evidenceOf(kind), completeAt }]),
  );
  let name: string | undefined;
  let status: ReturnType<typeof bySource.get>;
  return spans.map(({ ranked: { known }, source, first, last }) => {
    if (source !== name) {
      name = source;
      status = bySource.get(source);
    }
    const firstSeen = new Date(first);
    return {
      known,
      declaration: known.declaration,
      source,
      evidence: status?.evidence ?? 'observed',
      firstSeen,
      lastSeen: last === null ? later(firstSeen, status?.completeAt ?? null) : new Date(last),
    };
  });
}

interface IntervalRow {
  readonly key: string;
  readonly source: string;
  readonly first: number;
  readonly last: number | null;
}

/**
 *      first_seen            last_seen
 *   ───────┼─────────────────────┼──────────▶   open: no last_seen; then the index map_declarations_open
 *              ▲ moment                         ended: the range contains the moment; map_declarations_ended
 */
async function selectIntervals(
  transaction: Database,
  { organizationId, moment }: LoadDeclarationsOptions,
): Promise<readonly IntervalRow[]> {
  const select = sql`
    select declaration as key, source,
      (extract(epoch from first_seen) * 1000)::float8 as first,
      (extract(epoch from last_seen) * 1000)::float8 as last
    from map_declarations
    where organization_id = ${organizationId}`;
  const { rows } = await (moment === 'now'
    ? sql<IntervalRow>`${select} and last_seen is null`
    : sql<IntervalRow>`
        ${select} and last_seen is null and first_seen <= ${moment}
        union all
        ${select} and last_seen is not null and tstzrange(first_seen, last_seen, '[]') @> ${moment}::timestamptz`
  ).execute(transaction);
  return rows;
}

/** What keys stand for; each from one interval that has it. */
async function selectDeclarations(
  transaction: Database,
  { organizationId }: LoadDeclarationsOptions,
  intervals: readonly IntervalRow[],
): Promise<readonly KnownDeclaration[]> {
  const one = new Map(intervals.map((interval) => [interval.key, interval]));
  const keys = [...one.keys()];
  const sources = [...one.values()].map(({ source }) => source);
  const { rows } = await sql<{ readonly key: string } & Parameters<typeof fromRow>[0]>`
    select wanted.declaration as key, one.*
    from unnest(${keys}::text[], ${sources}::text[]) as wanted (declaration, source),
      lateral (
        select kind, team, service, to_service, data_type, address, protocol, purpose, subject, retention, region
        from map_declarations
        where organization_id = ${organizationId} and source = wanted.source and declaration = wanted.declaration
        limit 1
      ) as one`.execute(transaction);
  return rows.flatMap((row) => {
    const declaration = fromRow(row);
    return declaration === undefined ? [] : knownDeclaration(row.key, declaration);
  });
}
