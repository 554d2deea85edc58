import type { CompiledAction, CompiledCollection, CompiledCut, CompiledEdge } from './compiled.ts';
import { columnOf } from './match-table.ts';

/** What erasure does to a row, worked out from the ways by which it was found. */
export interface Effect {
  /** Names it in a key batch: `delete`, `anonymize(customer_id)`, `detach(author)`, `shared.delete(author)`. Empty: nothing happens. */
  readonly name: string;
  readonly action: CompiledAction | undefined;
  /** What happens to a row that another person reaches too, if nobody does any more when the erasure comes to it. */
  readonly whenAlone: CompiledAction | undefined;
  readonly cuts: readonly CompiledCut[];
}

/** Whose a found row is: the person's, also another person's, or another's that merely points at the person. */
export type Belonging = 'own' | 'shared' | 'other';

/** A row that is changed and neither erased nor let go of. */
export const CHANGE: Effect = { name: 'change', action: undefined, whenAlone: undefined, cuts: [] };

/** What happens to a row with these bits. */
export function effectOf(collection: CompiledCollection, bits: number, belonging: Belonging): Effect {
  const { actions, cuts } = collection;
  const has = (position: number) => Math.floor(bits / 2 ** position) % 2 === 1;
  const strongest = actions.find((_, index) => has(index));
  const action = belonging === 'own' ? strongest : undefined;
  const whenAlone = belonging === 'shared' && strongest?.kind !== 'keep' ? strongest : undefined;
  const applying = cuts.filter((cut, index) => {
    if (!has(actions.length + index)) return false;
    if (action === undefined) return true;
    if (action.kind === 'delete' || cut.onlyWhenShared) return false;
    // A duty to keep leaves the row as it is, but for the reference that the duty itself lets go.
    return action.kind !== 'keep' || isLetGo(collection, index);
  });
  return { name: nameOf({ action, whenAlone, cuts: applying }), action, whenAlone, cuts: applying };
}

const SHARED = 'shared.';

/** Finds the effect that a stored key batch names; undefined when the datasets have no such effect any more. */
export function effectNamed(collection: CompiledCollection, name: string): Effect | undefined {
  if (name === CHANGE.name) return CHANGE;
  const match = /^([a-z.0-9]*)(?:\((.*)\))?$/s.exec(name);
  if (match === null) return undefined;
  const [, what = '', cutNames] = match;
  const isShared = what.startsWith(SHARED);
  const actionName = isShared ? what.slice(SHARED.length) : what;
  const found = collection.actions.find((candidate) => candidate.name === actionName);
  if (found === undefined && what !== 'detach') return undefined;
  const names = cutNames === undefined ? [] : cutNames.split('&');
  const cuts = collection.cuts.filter((cut) => names.includes(encodeURIComponent(cut.name)));
  if (cuts.length !== names.length) return undefined;
  return { name, action: isShared ? undefined : found, whenAlone: isShared ? found : undefined, cuts };
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
    edges.flatMap((edge) =>
      [...edge.toColumns, ...edge.fields].map((name) => columnOf(name, collection.live)),
    );
  const shown = new Set([
    ...collection.live.shape.primaryKey,
    ...columnsOf(collection.incoming.filter(isReached)),
  ]);
  const others = columnsOf(collection.incoming.filter((edge) => !isReached(edge)));
  const identities = collection.roots.map((root) => root.live.name);
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

function nameOf({ action, whenAlone, cuts }: Omit<Effect, 'name'>): string {
  const what = action?.name ?? (whenAlone === undefined ? undefined : `${SHARED}${whenAlone.name}`);
  if (cuts.length === 0) return what ?? '';
  return `${what ?? 'detach'}(${cuts.map((cut) => encodeURIComponent(cut.name)).join('&')})`;
}
