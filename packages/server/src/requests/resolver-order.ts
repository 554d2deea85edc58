import type { PlannableSystem } from '../connectors/index.ts';

export interface OrderedResolver {
  readonly system: PlannableSystem;
  /** Keys of the systems that have to be asked first. */
  readonly after: readonly string[];
}

/**
 * In which order systems are asked for more identities. A system is asked as soon as one identity type that it needs is known
 * or can be resolved; it waits for those that resolve a type that it needs and that was not given. Systems that can never be
 * asked are left out. One that never said what it can is asked with what was given: only it may know the rest. Types that two systems resolve from each other make no cycle: each round only depends on earlier ones.
 *
 * `systems` must be sorted. The cost grows with systems × types, because every system enters at most once.
 */
export function orderResolvers(
  systems: readonly PlannableSystem[],
  given: readonly string[],
): { readonly order: readonly OrderedResolver[]; readonly resolved: ReadonlySet<string> } {
  const resolvers = systems.filter(
    (system) =>
      system.by !== 'ticket' &&
      system.capabilities.has('resolve') &&
      (system.resolves.length > 0 || system.undescribed === true),
  );
  const waitingFor = new Map<string, PlannableSystem[]>();
  const givenTypes = new Set(given);
  const sources = new Map<string, string[]>();
  const entered = new Set<string>();
  const order: OrderedResolver[] = [];

  for (const resolver of resolvers) {
    for (const type of resolver.needs) {
      const waiting = waitingFor.get(type);
      if (waiting === undefined) waitingFor.set(type, [resolver]);
      else waiting.push(resolver);
    }
  }

  let round = resolvers.filter(
    (resolver) => resolver.needs.length === 0 || resolver.needs.some((type) => givenTypes.has(type)),
  );
  while (round.length > 0) {
    const learned = new Set<string>();
    for (const resolver of round) {
      if (entered.has(resolver.key)) continue;
      entered.add(resolver.key);
      order.push({ system: resolver, after: prerequisites(resolver, givenTypes, sources) });
    }
    for (const resolver of round) {
      for (const type of resolver.resolves) {
        if (givenTypes.has(type)) continue;
        const known = sources.get(type);
        if (known === undefined) {
          sources.set(type, [resolver.key]);
          learned.add(type);
        } else if (learned.has(type) && !known.includes(resolver.key)) known.push(resolver.key);
      }
    }
    const next = new Map<string, PlannableSystem>();
    for (const type of learned) {
      for (const resolver of waitingFor.get(type) ?? [])
        if (!entered.has(resolver.key)) next.set(resolver.key, resolver);
    }
    round = [...next.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }
  return { order, resolved: new Set(sources.keys()) };
}

function prerequisites(
  resolver: PlannableSystem,
  given: ReadonlySet<string>,
  sources: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  if (resolver.needs.length === 0 || resolver.needs.some((type) => given.has(type))) return [];
  const keys = new Set(resolver.needs.flatMap((type) => sources.get(type) ?? []));
  return [...keys].filter((key) => key !== resolver.key).sort();
}
