import type { PlannableSystem } from '../connectors/index.ts';
import { groupsInOrder } from './groups-in-order.ts';

export interface AskedResolver {
  readonly system: PlannableSystem;
  /** It was asked in an earlier round; it is asked only if something new was learned that it can use. */
  readonly again: boolean;
}

export interface ResolverRounds {
  /** Those of one round are asked side by side, after all of the round before. */
  readonly rounds: readonly (readonly AskedResolver[])[];
  /** Identity types that somebody may tell, beside those that were given. */
  readonly resolved: ReadonlySet<string>;
}

/**
 * In which order systems are asked for more identities. A system waits for every other one that resolves an identity type that
 * it can use, also where it could be asked at once: it may know the person under what the other one tells. Systems that
 * resolve for each other are asked, and then asked once more with what the others told. Systems that can never be asked are
 * left out. One that never said what it can is asked first, with what was given: only it may know the rest.
 *
 * `systems` must be sorted. The cost grows with systems and their types, and no faster.
 */
export function resolverRounds(
  systems: readonly PlannableSystem[],
  given: readonly string[],
): ResolverRounds {
  const isOfUse = usefulness(systems);
  const candidates = systems.filter(
    (system) => system.by !== 'ticket' && system.capabilities.has('resolve') && isOfUse(system),
  );
  const known = new Set(given);
  const reached = inReach(candidates, known).flat();
  const groups = groupsInOrder(reached);

  const rounds: AskedResolver[][] = [];
  const roundOf = new Map<string, number>();
  const toldIn = new Map<string, number>();
  const told = new Set(given);
  for (const group of groups) {
    const first = Math.max(
      0,
      ...group.flatMap(({ needs }) => needs.map((type) => (toldIn.get(type) ?? -1) + 1)),
    );
    const passes = group.length === 1 ? [group] : inReach(group, told);
    const twice = group.length > 1 ? [...passes, ...passes] : passes;
    for (const [index, members] of twice.entries()) {
      const round = first + index;
      const asked = members.map((system) => ({ system, again: index >= passes.length }));
      rounds[round] = [...(rounds[round] ?? []), ...asked];
      for (const { key } of members) roundOf.set(key, round);
    }
    for (const { key, resolves } of group) {
      for (const type of resolves) told.add(type);
      for (const type of resolves) toldIn.set(type, Math.max(toldIn.get(type) ?? 0, roundOf.get(key) ?? 0));
    }
  }
  const resolved = new Set(reached.flatMap(({ resolves }) => resolves.filter((type) => !known.has(type))));
  return { rounds: rounds.map(byKey), resolved };
}

/** Whether a system may tell something that it was not asked with, or what another one may know only in the letters in which it is told. */
function usefulness(systems: readonly PlannableSystem[]): (system: PlannableSystem) => boolean {
  const takers = Map.groupBy(
    systems.flatMap(({ needs }) => needs),
    (type) => type,
  );
  const takingAll = systems.filter(({ needs }) => needs.length === 0).length;
  const hasOtherTaker = ({ needs }: PlannableSystem, type: string) => {
    const own = needs.length === 0 || needs.includes(type) ? 1 : 0;
    return takingAll + (takers.get(type)?.length ?? 0) > own;
  };
  return (system) =>
    system.undescribed === true ||
    system.resolves.some((type) => system.repeats?.includes(type) !== true || hasOtherTaker(system, type));
}

/** Systems that can be asked with what is known, then those that can be asked with what these tell, and so on. */
function inReach(
  systems: readonly PlannableSystem[],
  known: ReadonlySet<string>,
): readonly (readonly PlannableSystem[])[] {
  const waiting = new Map<string, PlannableSystem[]>();
  for (const system of systems) {
    for (const type of system.needs) {
      const others = waiting.get(type);
      if (others === undefined) waiting.set(type, [system]);
      else others.push(system);
    }
  }
  const entered = new Set<string>();
  const reachable = new Set<string>();
  const rounds: PlannableSystem[][] = [];
  let round = systems.filter(({ needs }) => needs.length === 0 || needs.some((type) => known.has(type)));
  while (round.length > 0) {
    rounds.push(round);
    for (const { key } of round) entered.add(key);
    const next = new Map<string, PlannableSystem>();
    for (const type of new Set(round.flatMap(({ resolves }) => resolves))) {
      if (known.has(type) || reachable.has(type)) continue;
      reachable.add(type);
      for (const system of waiting.get(type) ?? [])
        if (!entered.has(system.key)) next.set(system.key, system);
    }
    round = [...next.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }
  return rounds;
}

function byKey(round: readonly AskedResolver[]): readonly AskedResolver[] {
  return [...round].sort((a, b) => (a.system.key < b.system.key ? -1 : 1));
}
