import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { readIntegers, readTimes } from './binary-arrays.ts';
import {
  createDeclarationCache,
  type DeclarationCache,
  type NumberedDeclaration,
} from './declaration-cache.ts';
import { fromRow } from './intervals.ts';
import { knownDeclaration } from './known-declaration.ts';
import { evidenceOf } from './map-source.ts';
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

/** Intervals side by side: what each says, when it began and, if it ended, when, in milliseconds. */
interface Intervals {
  /** undefined: what this version does not understand. */
  readonly declarations: readonly (NumberedDeclaration | undefined)[];
  readonly firsts: Float64Array;
  /** None for those that have not ended. */
  readonly lasts?: Float64Array;
}

/**
 * Remembers what numbers stand for, and the intervals that are open now as long as no source has another version; the
 * same array as long as no source was read again either. Versions are read in the same transaction, so that it does not
 * matter which process wrote what.
 */
export function createDeclarationLoader(): DeclarationLoader {
  const cache = createDeclarationCache();
  let open: { readonly versions: string; readonly intervals: Intervals } | undefined;
  let seen: { readonly heartbeats: string; readonly declarations: readonly SeenDeclaration[] } | undefined;

  return async (transaction, options) => {
    const { sources, moment } = options;
    const explain = async ({ numbers, ...times }: NumberedIntervals): Promise<Intervals> => ({
      declarations: await declarationsOf(transaction, { ...options, cache }, numbers),
      ...times,
    });
    const versions = JSON.stringify(sources.map(({ source, version }) => [source, version]));
    // Several questions may be asked at once: each goes on with what it loaded itself.
    const known =
      open?.versions === versions
        ? open
        : { versions, intervals: await explain(await selectOpen(transaction, options)) };
    open = known;
    if (moment !== 'now') {
      const ended = await explain(await selectEnded(transaction, { ...options, moment }));
      return see([known.intervals, ended], { cache, sources, until: moment.getTime() });
    }
    const heartbeats = JSON.stringify([versions, sources.map(({ kind, completeAt }) => [kind, completeAt])]);
    if (seen?.heartbeats !== heartbeats) {
      seen = { heartbeats, declarations: see([known.intervals], { cache, sources, until: Infinity }) };
    }
    return seen.declarations;
  };
}

/** What the numbers stand for; loads what is not in the cache. */
async function declarationsOf(
  transaction: Database,
  options: { readonly organizationId: string; readonly cache: DeclarationCache },
  numbers: Int32Array,
): Promise<Intervals['declarations']> {
  // Filled by index, here and below: walking over twelve thousand numbers leaves as many objects behind.
  const declarations = new Array<NumberedDeclaration | undefined>(numbers.length);
  const unknown: number[] = [];
  for (let index = 0; index < numbers.length; index += 1) {
    const number = numbers[index] ?? 0;
    declarations[index] = options.cache.get(number);
    if (declarations[index] === undefined) unknown.push(number);
  }
  if (unknown.length === 0) return declarations;
  const loaded = new Map(
    (await selectDeclarations(transaction, options, unknown)).map((one) => [one.number, one] as const),
  );
  options.cache.add(loaded.values());
  return declarations.map((declaration, index) => declaration ?? loaded.get(numbers[index] ?? 0));
}

interface SeeOptions {
  readonly cache: DeclarationCache;
  readonly sources: readonly SourceStatus[];
  /** Milliseconds; what began later is left out. */
  readonly until: number;
}

/** What the intervals say, sorted. What has not ended was seen last when its source was read last. */
function see(parts: readonly Intervals[], options: SeeOptions): readonly SeenDeclaration[] {
  const { cache, sources, until } = options;
  const complete = new Map(sources.map(({ source, completeAt }) => [source, completeAt?.getTime() ?? 0]));
  const evidence = new Map(sources.map(({ source, kind }) => [source, evidenceOf(kind)]));
  const count = parts.reduce((sum, { firsts }) => sum + firsts.length, 0);
  const declarations = new Array<NumberedDeclaration>(count);
  const firsts = new Float64Array(count);
  const lasts = new Float64Array(count);
  let length = 0;
  for (const intervals of parts) {
    for (let index = 0; index < intervals.firsts.length; index += 1) {
      const declaration = intervals.declarations[index];
      const firstSeen = intervals.firsts[index] ?? 0;
      if (declaration === undefined || firstSeen > until) continue;
      declarations[length] = declaration;
      firsts[length] = firstSeen;
      lasts[length] = intervals.lasts?.[index] ?? Math.max(firstSeen, complete.get(declaration.source) ?? 0);
      length += 1;
    }
  }
  declarations.length = length;
  const order = cache.order(declarations);
  cache.limit();
  // Made in the order in which they are read again and again: side by side in memory.
  const found: SeenDeclaration[] = [];
  for (let place = 0; place < length; place += 1) {
    const index = order[place] ?? 0;
    const declaration = declarations[index];
    if (declaration === undefined) continue;
    const { known, source } = declaration;
    found.push({
      known,
      declaration: known.declaration,
      source,
      evidence: evidence.get(source) ?? 'observed',
      firstSeen: firsts[index] ?? 0,
      lastSeen: lasts[index] ?? 0,
    });
  }
  return found;
}

/** As they are stored. Times are milliseconds: ten thousand dates take longer to make than to find. */
interface NumberedIntervals {
  readonly numbers: Int32Array;
  readonly firsts: Float64Array;
  readonly lasts?: Float64Array;
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
): Promise<NumberedIntervals> {
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
): Promise<NumberedIntervals> {
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
  { organizationId, cache }: { readonly organizationId: string; readonly cache: DeclarationCache },
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
  const word = (text: string | null) => (text === null ? null : cache.word(text));
  return rows.flatMap(({ number, source, key, ...row }) => {
    const { service, to_service, data_type } = row;
    const declaration = fromRow({
      ...row,
      team: cache.word(row.team),
      service: word(service),
      to_service: word(to_service),
      data_type: word(data_type),
    });
    if (declaration === undefined) return [];
    return { number, source: cache.word(source), known: knownDeclaration(key, declaration) };
  });
}
