import type { CompiledAction, CompiledCollection, CompiledCut, CompiledEdge } from './compiled.ts';

/** What erasure does to a row, worked out from the ways by which it was found. */
export interface Effect {
  /** Names it in a key batch: `delete`, `anonymize(customer_id)`, `detach(author)`. Empty: nothing happens. */
  readonly name: string;
  readonly action: CompiledAction | undefined;
  readonly cuts: readonly CompiledCut[];
}

/**
 * What happens to a row with these bits. `isOwn`: the row is the person's; otherwise it merely points at them,
 * or another person reaches it too, and only references are emptied.
 */
export function effectOf(collection: CompiledCollection, bits: number, isOwn: boolean): Effect {
  const { actions, cuts } = collection;
  const has = (position: number) => Math.floor(bits / 2 ** position) % 2 === 1;
  const action = isOwn ? actions.find((_, index) => has(index)) : undefined;
  const applying = cuts.filter((cut, index) => {
    if (!has(actions.length + index)) return false;
    if (action === undefined) return true;
    if (action.kind === 'delete' || cut.onlyWhenShared) return false;
    // A duty to keep leaves the row as it is, but for the reference that the duty itself lets go.
    return action.kind !== 'keep' || isLetGo(collection, index);
  });
  return { name: nameOf(action, applying), action, cuts: applying };
}

/** Finds the effect that a stored key batch names; undefined when the datasets have no such effect any more. */
export function effectNamed(collection: CompiledCollection, name: string): Effect | undefined {
  const match = /^([a-z.0-9]*)(?:\((.*)\))?$/s.exec(name);
  if (match === null) return undefined;
  const [, actionName = '', cutNames] = match;
  const action = collection.actions.find((candidate) => candidate.name === actionName);
  if (action === undefined && actionName !== 'detach') return undefined;
  const names = cutNames === undefined ? [] : cutNames.split('&');
  const cuts = collection.cuts.filter((cut) => names.includes(encodeURIComponent(cut.name)));
  return cuts.length === names.length ? { name, action, cuts } : undefined;
}

/** Whether a row with this effect is still there after the erasure. */
export function stays(effect: Effect): boolean {
  return effect.action?.kind !== 'delete';
}

/**
 * Columns about other people in a row that several reach: the references by which it was not found, the fields that belong to these,
 * and identities. A row that others reach was found through shared references alone, and each of those has a bit of its own.
 */
export function hiddenColumns(collection: CompiledCollection, bits: number): ReadonlySet<string> {
  const isReached = (edge: CompiledEdge) =>
    (edge.share === 'shared' || !edge.follows) && edge.bits > 0 && includesBits(bits, edge.bits);
  const columnsOf = (edges: readonly CompiledEdge[]) =>
    edges.flatMap((edge) => [...edge.toColumns, ...edge.fields]);
  const shown = new Set([
    ...collection.live.shape.primaryKey,
    ...columnsOf(collection.incoming.filter(isReached)),
  ]);
  const others = columnsOf(collection.incoming.filter((edge) => !isReached(edge)));
  const identities = collection.roots.map((root) => root.column);
  return new Set([...others, ...identities].filter((column) => !shown.has(column)));
}

/** `&` of numbers is for 32 bits only. */
function includesBits(bits: number, wanted: number): boolean {
  return (BigInt(bits) & BigInt(wanted)) === BigInt(wanted);
}

function isLetGo(collection: CompiledCollection, cutIndex: number): boolean {
  const bit = 2 ** (collection.actions.length + cutIndex);
  return collection.planned.incoming.some(
    ({ edge, cut }) =>
      cut === cutIndex && bit > 0 && edge.onErase.kind === 'keep' && edge.onErase.keep.detach,
  );
}

function nameOf(action: CompiledAction | undefined, cuts: readonly CompiledCut[]): string {
  if (cuts.length === 0) return action?.name ?? '';
  return `${action?.name ?? 'detach'}(${cuts.map((cut) => encodeURIComponent(cut.name)).join('&')})`;
}
