import type { Declaration } from '../declaration.ts';
import { declarationKey } from '../declaration-key.ts';
import type { Rejection } from '../map-source.ts';
import type { DeclaredSample, Family } from '../parse-exposition.ts';
import { readDeclaration } from '../read-declarations.ts';
import { NO_TARGET, type Sighting, type Target, type TargetState, targetOf } from './carriers.ts';
import type { PrometheusApi, Series } from './prometheus-api.ts';
import { declarationQueries, droppedQuery, type QueryOptions, upQuery } from './prometheus-queries.ts';

/** What a Prometheus server shows for one moment. */
export interface Look extends Sighting {
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly rejections: readonly Rejection[];
  /** Warnings and remarks of its answers. */
  readonly warnings: number;
}

export interface LookOptions extends QueryOptions {
  readonly at: Date;
  readonly signal: AbortSignal;
}

/** Most refused declarations that are told. */
const MAX_REJECTIONS = 100;

/** Asks for everything as it was at one time, so that asking again gives the same. Throws SCRAPE_FAILED. */
export async function lookAtPrometheus(api: PrometheusApi, options: LookOptions): Promise<Look> {
  const reader = createSeriesReader(options);
  let warnings = 0;
  for (const { family, query } of declarationQueries(options)) {
    const answer = await api.query(query, options);
    warnings += answer.warnings;
    for (const series of answer.series) reader.add(family, series);
  }
  const up = await api.query(upQuery(options), options);
  const dropped = await api.query(droppedQuery(options), options);
  warnings += up.warnings + dropped.warnings;
  const counts = new Map(dropped.series.map(({ labels, value }) => [targetOfSeries(labels), value]));
  const targets = new Map(
    up.series.map(({ labels, value }): [Target, TargetState] => {
      const target = targetOfSeries(labels);
      const answered = reader.refusing.has(target) ? 'refused' : 'up';
      return [target, { status: value === 1 ? answered : 'down', dropped: counts.get(target) ?? 0 }];
    }),
  );
  return {
    declarations: reader.declarations,
    carried: reader.carried(targets),
    rejections: [...reader.rejections.values()].slice(0, MAX_REJECTIONS),
    targets,
    warnings,
    whole: warnings === 0,
  };
}

function createSeriesReader({ prefix }: QueryOptions) {
  const declarations = new Map<string, Declaration>();
  const targetsOf = new Map<string, ReadonlySet<Target>>();
  const rejections = new Map<string, Rejection>();
  const refusing = new Set<Target>();
  const alone = createSingles();

  function add(family: Family, { labels }: Series): void {
    const sample = sampleOf(family, labels, prefix);
    if (sample === undefined) return;
    const target = targetOfSeries(labels);
    const read = readDeclaration(sample);
    if ('message' in read) {
      refusing.add(target);
      rejections.set(JSON.stringify(read), read);
      return;
    }
    const key = declarationKey(read);
    const before = targetsOf.get(key);
    if (before === undefined) declarations.set(key, read);
    targetsOf.set(key, before === undefined ? alone(target) : new Set([...before, target]));
  }

  /** A series of which no target is known comes from none, as far as its source can tell. */
  function carried(targets: ReadonlyMap<Target, unknown>): ReadonlyMap<string, ReadonlySet<Target>> {
    for (const [key, set] of targetsOf) {
      if ([...set].every((target) => targets.has(target))) continue;
      const known = [...set].filter((target) => targets.has(target));
      targetsOf.set(key, new Set([...known, NO_TARGET]));
    }
    return targetsOf;
  }

  return { add, carried, declarations, rejections, refusing };
}

/** One set per target, because most declarations come from one: a hundred thousand sets would weigh more than what they hold. */
function createSingles(): (target: Target) => ReadonlySet<Target> {
  const sets = new Map<Target, ReadonlySet<Target>>();
  return (target) => {
    const set = sets.get(target) ?? new Set([target]);
    sets.set(target, set);
    return set;
  };
}

/** undefined: a metric of another program that happens to have one of our bare names. */
function sampleOf(family: Family, labels: Series['labels'], prefix: string): DeclaredSample | undefined {
  const bare = prefix === '' || labels.__name__?.startsWith(prefix) !== true;
  const map = new Map(Object.entries(labels));
  // Labels such as team may come from the target, so only what nobody else has makes it ours.
  const own = family === 'client' ? 'address' : 'data_type';
  if (bare && !map.has(own) && !map.has(`exported_${own}`)) return undefined;
  return { family, bare, labels: map, value: 1, line: 0 };
}

const targetTexts = new Map<string, Map<string, Target>>();

/** The same text object for the same target. */
function targetOfSeries({ job = '', instance = '' }: Series['labels']): Target {
  let ofJob = targetTexts.get(job);
  if (ofJob === undefined) {
    if (targetTexts.size > 10_000) targetTexts.clear();
    ofJob = new Map();
    targetTexts.set(job, ofJob);
  }
  let target = ofJob.get(instance);
  if (target === undefined) {
    if (ofJob.size > 100_000) ofJob.clear();
    target = targetOf(job, instance);
    ofJob.set(instance, target);
  }
  return target;
}
