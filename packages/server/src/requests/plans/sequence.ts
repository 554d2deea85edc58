import { HabeasError } from '../../foundation/index.ts';
import { type Gap, gate, type PlannedTask } from './planned-task.ts';
import type { Reached } from './reach.ts';

/** What has to be done in some systems before others are touched, such as files before the rows that name them. */
export interface Order {
  /** System → systems that are done before it. */
  readonly after: Readonly<Record<string, readonly string[]>>;
  /** Groups of systems that are done one after the other; a system in none of them waits for no group. */
  readonly groups: readonly (readonly string[])[];
}

export const NO_ORDER: Order = { after: {}, groups: [] };

/** Throws CONFIG_INVALID with the circle, if systems wait for each other, or where a system is in two groups. */
export function checkOrder(order: Order): void {
  const named = order.groups.flat();
  const twice = named.find((system, index) => named.indexOf(system) !== index);
  if (twice !== undefined) throw invalid(`${twice} is in requests.groups twice; name each system once.`);
  const waitsFor = new Map<string, readonly string[]>(Object.entries(order.after));
  const groups = order.groups.filter((group) => group.length > 0);
  for (const [index, group] of groups.entries()) {
    const former = groups[index - 1] ?? [];
    for (const system of group) waitsFor.set(system, [...(waitsFor.get(system) ?? []), ...former]);
  }
  const circle = circleIn(waitsFor);
  if (circle !== undefined)
    throw invalid(
      `these systems wait for each other: ${circle.join(' after ')}. Take one of them out of requests.after or requests.groups.`,
    );
}

/** Walks along what waits for what; a system that is met again on its own path is in a circle. */
function circleIn(waitsFor: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of waitsFor.keys()) {
    const path: { readonly system: string; readonly next: Iterator<string> }[] = [];
    const enter = (system: string) => path.push({ system, next: (waitsFor.get(system) ?? []).values() });
    if (!done.has(start)) enter(start);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const next = at.next.next();
      if (next.done === true) {
        done.add(at.system);
        path.pop();
        continue;
      }
      const met = path.findIndex(({ system }) => system === next.value);
      if (met >= 0) return [...path.slice(met).map(({ system }) => system), next.value];
      if (!done.has(next.value)) enter(next.value);
    }
  }
  return undefined;
}

function invalid(text: string): HabeasError {
  return new HabeasError('CONFIG_INVALID', `The order of systems cannot be kept: ${text}`);
}

export interface Sequence {
  /** Gates between the groups. */
  readonly gates: readonly PlannedTask[];
  /** What the task that changes this system waits for. */
  before(system: string): readonly string[];
}

/**
 * The order as dependencies between tasks. `lastOf` is the task after which nothing more is done in a system. A system that the order
 * names and that is not there is a gap and holds nobody up.
 */
export function sequenceOf(
  order: Order,
  plan: {
    readonly reached: readonly Reached[];
    readonly lastOf: (one: Reached) => string;
    readonly gaps: Gap[];
  },
): Sequence {
  const last = new Map(plan.reached.map((one) => [one.system.key, plan.lastOf(one)]));
  const named = new Set([
    ...Object.entries(order.after).flatMap(([key, keys]) => [key, ...keys]),
    ...order.groups.flat(),
  ]);
  for (const system of [...named].sort()) {
    if (last.has(system)) continue;
    const message = `The order of systems names ${system}, which is not there; nothing waits for it.`;
    plan.gaps.push({ kind: 'order-unknown', system: null, message, ticket: false });
  }
  const known = (systems: readonly string[]): readonly string[] =>
    systems.flatMap((system) => last.get(system) ?? []);
  const gates: PlannedTask[] = [];
  const gateOf = new Map<string, string>();
  for (const [index, group] of order.groups.entries()) {
    const former = known(order.groups[index - 1] ?? []);
    const open = gates.at(-1)?.key;
    if (index > 0) {
      const key = `gate:group-${index + 1}`;
      const waits = [...(open === undefined ? [] : [open]), ...former];
      if (waits.length > 0)
        gates.push(
          gate(key, waits, `Group ${index} is done before anything is changed in group ${index + 1}.`),
        );
    }
    const own = gates.at(-1)?.key;
    if (own !== undefined) for (const system of group) gateOf.set(system, own);
  }
  return {
    gates,
    before(system) {
      const own = gateOf.get(system);
      return [...known(order.after[system] ?? []), ...(own === undefined ? [] : [own])];
    },
  };
}
