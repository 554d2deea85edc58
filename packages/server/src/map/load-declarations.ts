import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { readIntegers, readTimes } from './binary-arrays.ts';
import {
  createDeclarationCache,
  type NumberedDeclaration,
  type RankedDeclaration,
} from './declaration-cache.ts';
import { fromRow } from './intervals.ts';
import { knownDeclaration } from './known-declaration.ts';
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
  readonly first: number;
  /** null: it has not ended. */
  readonly last: number | null;
}

/**
 * Remembers what numbers stand for, and the intervals that are open now as long as no source has another version; the
 * same array as long as no source was read again either. Versions are read in the same transaction, so that it does not
 * matter which process wrote what.
 */
export function createDeclarationLoader(): DeclarationLoader {
  const cache = createDeclarationCache();
  let open: { readonly versions: string; readonly spans: readonly Span[] } | undefined;
  let seen: { readonly heartbeats: string; readonly declarations: readonly SeenDeclaration[] } | undefined;

  return async (transaction, options) => {
    const { sources, moment } = options;
    const versions = JSON.stringify(sources.map(({ source, version }) => [source, version]));
    // Several questions may be asked at once: each goes on with what it loaded itself.
    const known =
      open?.versions === versions
        ? open
        : { versions, spans: await loadSpans(transaction, options, await selectOpen(transaction, options)) };
    open = known;
    if (moment !== 'now') {
      const until = moment.getTime();
      const began = known.spans.filter(({ first }) => first <= until);
      const ended = await selectEnded(transaction, { ...options, moment });
      return see(await loadSpans(transaction, options, ended, began), sources);
    }
    const heartbeats = JSON.stringify([versions, sources.map(({ kind, completeAt }) => [kind, completeAt])]);
    if (seen?.heartbeats !== heartbeats) seen = { heartbeats, declarations: see(known.spans, sources) };
    return seen.declarations;
  };

  /** Sorted, with others that were loaded before. */
  async function loadSpans(
    transaction: Database,
    options: LoadDeclarationsOptions,
    intervals: Intervals,
    others: readonly Span[] = [],
  ): Promise<readonly Span[]> {
    const { numbers, firsts, lasts } = intervals;
    const found = numbers.map((number) => cache.get(number));
    const unknown = numbers.filter((_, index) => found[index] === undefined);
    if (unknown.length > 0) {
      cache.add(await selectDeclarations(transaction, options, unknown));
      // Another load may have emptied the cache meanwhile.
      cache.add(found.flatMap((ranked) => ranked ?? []));
    }
    cache.add(others.map(({ ranked }) => ranked));
    const again = (span: Span): Span => {
      const ranked = cache.get(span.ranked.number) ?? span.ranked;
      return ranked === span.ranked ? span : { ...span, ranked };
    };
    const spans = others.map(again);
    for (const [index, number] of numbers.entries()) {
      const ranked = unknown.length === 0 ? found[index] : cache.get(number);
      if (ranked !== undefined)
        spans.push({ ranked, first: firsts[index] ?? 0, last: lasts?.[index] ?? null });
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
  return spans.map(({ ranked: { known, source }, first, last }) => {
    const status = bySource.get(source);
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

/** Intervals side by side: number, begin and, if they ended, end. */
interface Intervals {
  readonly numbers: readonly number[];
  readonly firsts: readonly number[];
  readonly lasts?: readonly number[];
}

/*
 *      first_seen            last_seen
 *   ───────┼─────────────────────┼──────────▶   open: no last_seen; then the index map_declarations_open
 *              ▲ moment                         ended: the range contains the moment; map_declarations_ended
 */

/** Everything that has not ended. */
async function selectOpen(
  transaction: Database,
  { organizationId }: LoadDeclarationsOptions,
): Promise<Intervals> {
  const { rows } = await sql<Pick<IntervalArrays, 'numbers' | 'firsts'>>`
    select array_send(array_agg(number)) as numbers, array_send(array_agg(first_seen)) as firsts
    from map_declarations
    where organization_id = ${organizationId} and last_seen is null`.execute(transaction);
  return { numbers: readIntegers(rows[0]?.numbers), firsts: readTimes(rows[0]?.firsts) };
}

/** What ended at the moment or later, and had begun. One row: ten thousand take longer to take apart than to find. */
async function selectEnded(
  transaction: Database,
  { organizationId, moment }: LoadDeclarationsOptions & { readonly moment: Date },
): Promise<Intervals> {
  const { rows } = await sql<IntervalArrays>`
    select array_send(array_agg(number)) as numbers,
      array_send(array_agg(first_seen)) as firsts,
      array_send(array_agg(last_seen)) as lasts
    from map_declarations
    where organization_id = ${organizationId} and last_seen is not null
      and tstzrange(first_seen, last_seen, '[]') @> ${moment}::timestamptz`.execute(transaction);
  const [row] = rows;
  return {
    numbers: readIntegers(row?.numbers),
    firsts: readTimes(row?.firsts),
    lasts: readTimes(row?.lasts),
  };
}

/** null: there was no row. */
interface IntervalArrays {
  readonly numbers: Buffer | null;
  readonly firsts: Buffer | null;
  readonly lasts: Buffer | null;
}

/** What numbers stand for; each from one interval that has it. */
async function selectDeclarations(
  transaction: Database,
  { organizationId }: LoadDeclarationsOptions,
  numbers: readonly number[],
): Promise<readonly NumberedDeclaration[]> {
  const { rows } = await sql<
    { readonly number: number; readonly source: string; readonly key: string } & Parameters<typeof fromRow>[0]
  >`
    select numbers.number, numbers.source, numbers.declaration as key, one.*
    from map_declaration_numbers as numbers,
      lateral (
        select kind, team, service, to_service, data_type, address, protocol, purpose, subject, retention, region
        from map_declarations as declarations
        where declarations.organization_id = numbers.organization_id
          and declarations.source = numbers.source
          and declarations.declaration = numbers.declaration
        limit 1
      ) as one
    where numbers.organization_id = ${organizationId} and numbers.number = any(${numbers}::integer[])`.execute(
    transaction,
  );
  return rows.flatMap(({ number, source, key, ...row }) => {
    const declaration = fromRow(row);
    return declaration === undefined ? [] : { number, source, known: knownDeclaration(key, declaration) };
  });
}
