import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import {
  createDeclarationCache,
  type DeclarationCache,
  type NumberedDeclaration,
} from './declaration-cache.ts';
import { differingNumbers } from './differing-numbers.ts';
import { fromRow } from './intervals.ts';
import { knownDeclaration } from './known-declaration.ts';
import { evidenceOf } from './map-source.ts';
import { type NumberedIntervals, selectEnded, selectOpen } from './numbered-intervals.ts';
import type { Moment, SeenDeclaration, SourceStatus } from './seen-declaration.ts';

/** Loads what was declared. The transactions show one state of the database each. */
export interface DeclarationLoader {
  /** What was declared at a moment, sorted. */
  at(
    transaction: Database,
    options: LoadDeclarationsOptions & { readonly moment: Moment },
  ): Promise<Declarations>;
  /**
   * What was declared at two moments, sorted, of those flows and stores alone about which other things were said: costs as much
   * as they are, not as the map.
   */
  difference(
    transaction: Database,
    options: LoadDeclarationsOptions & { readonly moments: readonly [Moment, Moment] },
  ): Promise<readonly [Declarations, Declarations]>;
}

type Declarations = readonly SeenDeclaration[];

export interface LoadDeclarationsOptions {
  readonly organizationId: string;
  /** All sources, from the same transaction. */
  readonly sources: readonly SourceStatus[];
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

  async function explain(
    transaction: Database,
    { organizationId }: LoadDeclarationsOptions,
    { numbers, ...times }: NumberedIntervals,
  ): Promise<Intervals> {
    return { declarations: await declarationsOf(transaction, { organizationId, cache }, numbers), ...times };
  }

  /** Several questions may be asked at once: each goes on with what it loaded itself. */
  async function openNow(transaction: Database, options: LoadDeclarationsOptions) {
    const versions = JSON.stringify(options.sources.map(({ source, version }) => [source, version]));
    const known =
      open?.versions === versions
        ? open
        : {
            versions,
            intervals: await explain(transaction, options, await selectOpen(transaction, options)),
          };
    open = known;
    return known;
  }

  return {
    async at(transaction, options) {
      const { sources, moment } = options;
      const { versions, intervals } = await openNow(transaction, options);
      if (moment !== 'now') {
        const [ended = NONE] = await selectEnded(transaction, { ...options, moments: [moment] });
        const explained = await explain(transaction, options, ended);
        return see([intervals, explained], { cache, sources, until: moment.getTime() });
      }
      const heartbeats = JSON.stringify([
        versions,
        sources.map(({ kind, completeAt }) => [kind, completeAt]),
      ]);
      if (seen?.heartbeats !== heartbeats) {
        seen = { heartbeats, declarations: see([intervals], { cache, sources, until: Infinity }) };
      }
      return seen.declarations;
    },

    async difference(transaction, options) {
      const { sources, moments } = options;
      const { intervals } = await openNow(transaction, options);
      const ended = await selectEnded(transaction, options);
      const [left, right] = ended.map(({ numbers }, side) =>
        numbersAt(numbers, intervals, untilOf(moments[side])),
      );
      const differing = differingNumbers(left ?? new Int32Array(), right ?? new Int32Array());
      if (differing.length === 0) return [[], []];
      const known = await declarationsOf(transaction, { ...options, cache }, differing);
      // What others said of the same flows and stores is needed too, at both moments.
      const identities = new Set(known.map((declaration) => declaration?.known.identity));
      const fits = (declaration: NumberedDeclaration) => identities.has(declaration.known.identity);
      const found: Declarations[] = [];
      for (const [side, numbered] of ended.entries()) {
        const explained = await explain(transaction, options, numbered);
        found.push(see([intervals, explained], { cache, sources, until: untilOf(moments[side]), fits }));
      }
      const [one = [], other = []] = found;
      return [one, other];
    },
  };
}

const NONE: NumberedIntervals = {
  numbers: new Int32Array(),
  firsts: new Float64Array(),
  lasts: new Float64Array(),
};

/** Milliseconds. */
function untilOf(moment: Moment = 'now'): number {
  return moment === 'now' ? Infinity : moment.getTime();
}

/** The numbers of what was declared at a moment, ascending: what has ended since, and what is open and had begun. */
function numbersAt(ended: Int32Array, open: Intervals, until: number): Int32Array {
  const numbers = new Int32Array(ended.length + open.firsts.length);
  numbers.set(ended);
  let count = ended.length;
  for (let index = 0; index < open.firsts.length; index += 1) {
    if ((open.firsts[index] ?? 0) > until) continue;
    const number = open.declarations[index]?.number;
    if (number === undefined) continue;
    numbers[count] = number;
    count += 1;
  }
  return numbers.subarray(0, count).sort();
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
  /** What does not fit is left out. (Default: nothing) */
  readonly fits?: (declaration: NumberedDeclaration) => boolean;
}

/** What the intervals say, sorted. What has not ended was seen last when its source was read last. */
function see(parts: readonly Intervals[], options: SeeOptions): readonly SeenDeclaration[] {
  const { cache, sources, until, fits } = options;
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
      if (declaration === undefined || firstSeen > until || fits?.(declaration) === false) continue;
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
