import { HabeasError } from '../../foundation/index.ts';
import type { Declaration } from '../declaration.ts';
import type { GoodReading, MapSource, ReadOptions } from '../map-source.ts';
import type { CarrierStore, StoredKnown } from './carrier-store.ts';
import { follow } from './carriers.ts';
import { heldProblems } from './held-problems.ts';
import { createLooker, type Look } from './look-at-prometheus.ts';
import { sourceFailed } from './open-page.ts';
import type { PrometheusApi } from './prometheus-api.ts';
import type { QueryOptions } from './prometheus-queries.ts';
import type { LoadStored } from './stored-declarations.ts';

export interface PrometheusSourceOptions extends QueryOptions {
  readonly name: string;
  readonly api: PrometheusApi;
  readonly removedJobs: ReadonlySet<string>;
  readonly carriers: CarrierStore;
  readonly loadStored: LoadStored;
}

/** Most declarations of one server. */
const MAX_DECLARATIONS = 1_000_000;

/**
 * A Prometheus server. What one of its targets declared counts until that target was asked again and did not repeat it, so
 * that neither a dead target, nor a restart, nor a part of an answer makes the map forget anything.
 */
export function createPrometheusSource(options: PrometheusSourceOptions): MapSource {
  const { name } = options;
  const lookAt = createLooker(options);
  let last: StoredKnown | undefined;
  const listOf = createListOf();

  async function read({ at, signal }: ReadOptions): Promise<GoodReading> {
    const look = await lookAt({ at, signal });
    if (look.declarations.size > MAX_DECLARATIONS) {
      throw sourceFailed(`${name} has more than ${MAX_DECLARATIONS} declarations. Narrow it with matchers.`);
    }
    const before = await options.carriers.load(name, last);
    const { removedJobs, window } = options;
    const after = follow(before.known, look, { at, settle: window, removedJobs });
    last = await options.carriers.save(name, { before, after });
    const missing =
      after.carriers === look.carried
        ? []
        : [...after.carriers.keys()].filter((key) => !look.declarations.has(key));
    const stayed = await options.loadStored(name, missing);
    const all = listOf(look.declarations);
    const declarations = stayed.size === 0 ? all : [...all, ...stayed.values()];
    return readingOf(look, { name, declarations, held: heldProblems(name, after.held) });
  }

  return {
    name,
    kind: 'prometheus',
    async read(request) {
      try {
        return await read(request);
      } catch (error) {
        // Anything else is no fault of the source.
        if (error instanceof HabeasError) return { state: 'failed', source: name, error };
        throw error;
      }
    },
  };
}

/** The same list for the same declarations, so that others see at once that nothing changed. */
function createListOf(): (declarations: Look['declarations']) => readonly Declaration[] {
  let last: { readonly of: Look['declarations']; readonly list: readonly Declaration[] } | undefined;
  return (declarations) => {
    if (last?.of !== declarations) last = { of: declarations, list: [...declarations.values()] };
    return last.list;
  };
}

function readingOf(
  look: Look,
  context: {
    readonly name: string;
    readonly declarations: readonly Declaration[];
    readonly held: readonly string[];
  },
): GoodReading {
  const { name, declarations, held } = context;
  const nothing = look.targets.size === 0 && look.declarations.size === 0;
  return {
    state: 'read',
    source: name,
    declarations,
    rejections: look.rejections,
    problems: [
      ...(nothing ? [`${name} knows no target. Are the address, the tenant and the matchers right?`] : []),
      ...(look.whole ? [] : [`${name} answered with ${look.warnings} warning(s), so a part may be missing.`]),
      ...held,
    ],
    complete: look.whole && !nothing,
  };
}
