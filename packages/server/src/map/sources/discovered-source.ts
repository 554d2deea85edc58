import { HabeasError } from '../../foundation/index.ts';
import type { Declaration } from '../declaration.ts';
import { declarationKey } from '../declaration-key.ts';
import type { GoodReading, MapSource, ReadOptions, Rejection } from '../map-source.ts';
import { sourceName } from '../source-name.ts';
import type { CarrierStore, StoredKnown } from './carrier-store.ts';
import { follow, type Target, type TargetState, targetOf } from './carriers.ts';
import { heldProblems } from './held-problems.ts';
import { createPageSource } from './page-source.ts';
import { readAll } from './read-all.ts';
import type { ScrapeOptions } from './scrape.ts';
import type { LoadStored } from './stored-declarations.ts';
import type { DiscoveredTarget, ReadTargets } from './target-groups.ts';

export interface DiscoveredSourceOptions
  extends Omit<ScrapeOptions, 'url' | 'source' | 'labels' | 'signal' | 'headers'> {
  readonly name: string;
  readonly targets: ReadTargets;
  readonly carriers: CarrierStore;
  readonly loadStored: LoadStored;
}

const MAX_TOLD = 100;

/**
 * All pages of a list of targets. What a target declared ends when it was read without it, or when the list does not
 * name it any more while others of the list answer.
 */
export function createDiscoveredSource(options: DiscoveredSourceOptions): MapSource {
  const { name } = options;
  let last: StoredKnown | undefined;

  async function read({ at, signal }: ReadOptions): Promise<GoodReading> {
    const list = await options.targets(signal);
    const pages = await readPages(list.targets, options, signal);
    const before = await options.carriers.load(name, last);
    const sighting = { ...pages, whole: true };
    const after = follow(before.known, sighting, { at, settle: 0, removedJobs: new Set() });
    last = await options.carriers.save(name, { before, after });
    const missing = [...after.carriers.keys()].filter((key) => !pages.declarations.has(key));
    const stayed = await options.loadStored(name, missing);
    const nothing = list.targets.length === 0;
    return {
      state: 'read',
      source: name,
      declarations: [...pages.declarations.values(), ...stayed.values()],
      rejections: pages.rejections.slice(0, MAX_TOLD),
      problems: [
        ...(nothing ? [`${name} names no target.`] : []),
        ...list.problems,
        ...pages.problems.slice(0, MAX_TOLD),
        ...heldProblems(name, after.held),
      ],
      complete: !nothing,
    };
  }

  return {
    name,
    kind: 'scrape',
    async read(request) {
      try {
        return await read(request);
      } catch (error) {
        if (error instanceof HabeasError) return { state: 'failed', source: name, error };
        throw error;
      }
    },
  };
}

async function readPages(
  targets: readonly DiscoveredTarget[],
  options: DiscoveredSourceOptions,
  signal: AbortSignal,
) {
  const declarations = new Map<string, Declaration>();
  const carried = new Map<string, Set<Target>>();
  const states = new Map<Target, TargetState>();
  const rejections: Rejection[] = [];
  const problems: string[] = [];
  await readAll({
    // Secrets of the list are for the list: what it names may be anybody's.
    sources: targets.map(({ url, labels }) =>
      createPageSource({ ...options, headers: {}, url, labels, source: sourceName(url) }),
    ),
    signal,
    now: () => new Date(0),
    async onReading(reading) {
      const target = targetOf('scrape', reading.source);
      if (reading.state === 'failed') {
        problems.push(reading.error.message);
        states.set(target, { status: 'down', dropped: 0 });
        return;
      }
      problems.push(...reading.problems);
      rejections.push(...reading.rejections);
      states.set(target, { status: reading.complete ? 'up' : 'refused', dropped: 0 });
      for (const declaration of reading.declarations) {
        const key = declarationKey(declaration);
        declarations.set(key, declaration);
        const carriers = carried.get(key) ?? new Set();
        carried.set(key, carriers.add(target));
      }
    },
  });
  signal.throwIfAborted();
  return { declarations, carried, targets: states, rejections, problems };
}
