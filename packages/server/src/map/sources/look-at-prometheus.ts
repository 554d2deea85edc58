import type { Declaration } from '../declaration.ts';
import { declarationKey } from '../declaration-key.ts';
import type { Rejection } from '../map-source.ts';
import type { Family } from '../parse-exposition.ts';
import { readDeclaration } from '../read-declarations.ts';
import { NO_TARGET, type Sighting, type Target, type TargetState, targetOf } from './carriers.ts';
import type { Series } from './cut-series.ts';
import { labelsOf, type PrometheusApi, unreadable } from './prometheus-api.ts';
import { declarationQueries, droppedQuery, type QueryOptions, upQuery } from './prometheus-queries.ts';

/** What a Prometheus server shows for one moment. */
export interface Look extends Sighting {
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly rejections: readonly Rejection[];
  /** Warnings and remarks of its answers. */
  readonly warnings: number;
}

/** Asks for everything as it was at one time, so that asking again gives the same. Throws SCRAPE_FAILED. */
export type LookAt = (options: { readonly at: Date; readonly signal: AbortSignal }) => Promise<Look>;

export interface LookerOptions extends QueryOptions {
  readonly api: PrometheusApi;
  /** Names the server in messages. */
  readonly name: string;
}

/** Most refused declarations that are told. */
const MAX_REJECTIONS = 100;

/** What one series says. undefined: it is a metric of another program that happens to have one of our bare names. */
interface ReadSeries {
  /** Its place among all that were there at the same time. */
  readonly place: number;
  readonly target: Target;
  readonly said: { readonly key: string; readonly declaration: Declaration } | Rejection | undefined;
}

/** By their text. */
type AllSeries = ReadonlyMap<string, ReadSeries>;

/** What all series say together. */
interface Said {
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly carried: ReadonlyMap<string, ReadonlySet<Target>>;
  readonly rejections: readonly Rejection[];
  /** Targets of which something was refused. */
  readonly refusing: ReadonlySet<Target>;
}

/** Remembers what it read, because of a hundred thousand series only a few are new each time; mostly none. */
export function createLooker(options: LookerOptions): LookAt {
  const { api, name } = options;
  const alone = createSingles();
  let last: { readonly all: AllSeries; readonly said: Said } = { all: new Map(), said: sum([], alone) };
  let carriedOf = createCarriedOf(last.said.carried);

  return async ({ at, signal }) => {
    // Looks may overlap: each goes on from what was known when it began.
    const before = last;
    const added = new Map<string, ReadSeries>();
    const seen = new Uint8Array(before.all.size);
    let again = 0;
    let warnings = 0;

    function take(family: Family, series: Series): void {
      const read = before.all.get(series.text);
      if (read === undefined) {
        if (!added.has(series.text)) added.set(copyOf(series.text), readSeries(family, series));
      } else if (seen[read.place] === 0) {
        seen[read.place] = 1;
        again += 1;
      }
    }

    function readSeries(family: Family, series: Series): ReadSeries {
      const labels = readLabels(series);
      return {
        place: added.size,
        target: targetOfSeries(labels),
        said: readSample(family, labels, options.prefix),
      };
    }

    function readLabels(series: Series): Readonly<Record<string, string>> {
      const labels = labelsOf(series);
      if (labels === undefined) throw unreadable(name);
      return labels;
    }

    async function valuesOf(query: string): Promise<ReadonlyMap<Target, number>> {
      const values = new Map<Target, number>();
      const onSeries = (series: Series) => void values.set(targetOfSeries(readLabels(series)), series.value);
      warnings += (await api.query(query, { at, signal, onSeries })).warnings;
      return values;
    }

    for (const { family, query } of declarationQueries(options)) {
      const onSeries = (series: Series) => take(family, series);
      warnings += (await api.query(query, { at, signal, onSeries })).warnings;
    }
    const dropped = await valuesOf(droppedQuery(options));
    const ups = await valuesOf(upQuery(options));
    const isSame = added.size === 0 && again === before.all.size;
    const all = isSame ? before.all : merge(before.all, seen, added);
    const said = isSame ? before.said : sum(all.values(), alone);
    if (last.said !== said) carriedOf = createCarriedOf(said.carried);
    last = { all, said };
    const targets = new Map<Target, TargetState>();
    for (const [target, value] of ups) {
      const answered = said.refusing.has(target) ? 'refused' : 'up';
      targets.set(target, { status: value === 1 ? answered : 'down', dropped: dropped.get(target) ?? 0 });
    }
    return {
      declarations: said.declarations,
      carried: carriedOf(targets),
      rejections: said.rejections,
      targets,
      warnings,
      whole: warnings === 0,
    };
  };
}

/** A part of a text keeps the whole text in memory; a copy does not. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

/** What of `before` was seen again, and what was added. */
function merge(before: AllSeries, seen: Uint8Array, added: Map<string, ReadSeries>): AllSeries {
  if (before.size === 0) return added;
  const all = new Map<string, ReadSeries>();
  for (const [text, read] of before) if (seen[read.place] === 1) all.set(text, { ...read, place: all.size });
  for (const [text, read] of added) all.set(text, { ...read, place: all.size });
  return all;
}

function sum(all: Iterable<ReadSeries>, alone: (target: Target) => ReadonlySet<Target>): Said {
  const declarations = new Map<string, Declaration>();
  const carried = new Map<string, ReadonlySet<Target>>();
  const rejections = new Map<string, Rejection>();
  const refusing = new Set<Target>();
  for (const { target, said } of all) {
    if (said === undefined) continue;
    if ('message' in said) {
      refusing.add(target);
      rejections.set(JSON.stringify(said), said);
      continue;
    }
    const targets = carried.get(said.key);
    if (targets === undefined) declarations.set(said.key, said.declaration);
    carried.set(said.key, targets === undefined ? alone(target) : new Set([...targets, target]));
  }
  return { declarations, carried, rejections: [...rejections.values()].slice(0, MAX_REJECTIONS), refusing };
}

/**
 * A series of which no target is known comes from none, as far as its source can tell. Gives the same map as long as the same
 * targets are unknown, so that others see at once that nothing changed.
 */
function createCarriedOf(carried: Said['carried']): (targets: Look['targets']) => Said['carried'] {
  const all = new Set<Target>();
  let set: ReadonlySet<Target> | undefined;
  for (const next of carried.values()) {
    if (next === set) continue;
    set = next;
    for (const target of next) all.add(target);
  }
  let last = { unknown: '[]', carried };
  return (targets) => {
    const missing = [...all].filter((target) => !targets.has(target));
    const unknown = JSON.stringify(missing);
    if (missing.length === 0) return carried;
    if (last.unknown !== unknown) last = { unknown, carried: withoutUnknown(carried, targets) };
    return last.carried;
  };
}

function withoutUnknown(
  carried: Said['carried'],
  targets: ReadonlyMap<Target, TargetState>,
): Said['carried'] {
  const known = new Map<string, ReadonlySet<Target>>();
  for (const [key, set] of carried) {
    const there = [...set].filter((target) => targets.has(target));
    known.set(key, there.length === set.size ? set : new Set([...there, NO_TARGET]));
  }
  return known;
}

/** One set per target, because most declarations come from one: a hundred thousand sets would weigh more than what they hold. */
function createSingles(): (target: Target) => ReadonlySet<Target> {
  const sets = new Map<Target, ReadonlySet<Target>>();
  return (target) => {
    if (sets.size > 100_000) sets.clear();
    const set = sets.get(target) ?? new Set([target]);
    sets.set(target, set);
    return set;
  };
}

function readSample(
  family: Family,
  labels: Readonly<Record<string, string>>,
  prefix: string,
): ReadSeries['said'] {
  const bare = prefix === '' || labels.__name__?.startsWith(prefix) !== true;
  const map = new Map(Object.entries(labels));
  // Labels such as team may come from the target, so only what nobody else has makes it ours.
  const own = family === 'client' ? 'address' : 'data_type';
  if (bare && !map.has(own) && !map.has(`exported_${own}`)) return undefined;
  const read = readDeclaration({ family, bare, labels: map, value: 1, line: 0 });
  return 'message' in read ? read : { key: declarationKey(read), declaration: read };
}

function targetOfSeries({ job = '', instance = '' }: Readonly<Record<string, string>>): Target {
  return targetOf(job, instance);
}
