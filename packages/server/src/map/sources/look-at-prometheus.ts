import type { Declaration } from '../declaration.ts';
import { declarationKey } from '../declaration-key.ts';
import type { Rejection } from '../map-source.ts';
import type { Family } from '../parse-exposition.ts';
import { readDeclaration } from '../read-declarations.ts';
import { NO_TARGET, type Sighting, type Target, type TargetState, targetOf } from './carriers.ts';
import { labelsOf, type PrometheusApi, type Series, unreadable } from './prometheus-api.ts';
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
  readonly target: Target;
  readonly said: { readonly key: string; readonly declaration: Declaration } | Rejection | undefined;
}

/** Remembers what it read, because of a hundred thousand series only a few are new each time. */
export function createLooker(options: LookerOptions): LookAt {
  const { api, name } = options;
  const alone = createSingles();
  let known = new Map<string, ReadSeries>();

  return async ({ at, signal }) => {
    const seen = new Map<string, ReadSeries>();
    const declarations = new Map<string, Declaration>();
    const carried = new Map<string, ReadonlySet<Target>>();
    const rejections = new Map<string, Rejection>();
    const refusing = new Set<Target>();
    let warnings = 0;

    function take(family: Family, series: Series): void {
      const before = known.get(series.text);
      const read = before ?? readSeries(family, series);
      // A part of a text keeps the whole text in memory; a copy does not.
      seen.set(before === undefined ? Buffer.from(series.text).toString() : series.text, read);
      const { target, said } = read;
      if (said === undefined) return;
      if ('message' in said) {
        refusing.add(target);
        rejections.set(JSON.stringify(said), said);
        return;
      }
      const targets = carried.get(said.key);
      if (targets === undefined) declarations.set(said.key, said.declaration);
      carried.set(said.key, targets === undefined ? alone(target) : new Set([...targets, target]));
    }

    function readSeries(family: Family, series: Series): ReadSeries {
      const labels = readLabels(series);
      return { target: targetOfSeries(labels), said: readSample(family, labels, options.prefix) };
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
    const targets = new Map<Target, TargetState>();
    for (const [target, value] of await valuesOf(upQuery(options))) {
      const answered = refusing.has(target) ? 'refused' : 'up';
      targets.set(target, { status: value === 1 ? answered : 'down', dropped: dropped.get(target) ?? 0 });
    }
    known = seen;
    return {
      declarations,
      carried: withoutUnknown(carried, targets),
      rejections: [...rejections.values()].slice(0, MAX_REJECTIONS),
      targets,
      warnings,
      whole: warnings === 0,
    };
  };
}

/** A series of which no target is known comes from none, as far as its source can tell. */
function withoutUnknown(
  carried: Map<string, ReadonlySet<Target>>,
  targets: ReadonlyMap<Target, TargetState>,
): ReadonlyMap<string, ReadonlySet<Target>> {
  for (const [key, set] of carried) {
    let known = 0;
    for (const target of set) if (targets.has(target)) known += 1;
    if (known === set.size) continue;
    carried.set(key, new Set([...[...set].filter((target) => targets.has(target)), NO_TARGET]));
  }
  return carried;
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
