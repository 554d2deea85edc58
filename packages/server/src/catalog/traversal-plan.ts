import { childrenFirst } from './children-first.ts';
import type { DatasetGraph, Edge, Node } from './dataset-graph.ts';
import {
  type Action,
  actionOf,
  hideAction,
  type RulesOfTheDay,
  STRENGTH,
  splitFields,
  stayAction,
  type Target,
} from './treatment.ts';

/** Emptying one reference of a row, with the fields that are about the person it was found from. */
export interface Cut {
  readonly name: string;
  /** Empty where the other end holds the reference. */
  readonly columns: readonly string[];
  readonly targets: readonly Target[];
  /** Only where another person still reaches the row; otherwise the row's action says what happens. */
  readonly onlyWhenShared: boolean;
}

export interface PlannedEdge {
  readonly edge: Edge;
  /** Whether rows found through it are the person's, so that they are exported and followed. */
  readonly follows: boolean;
  /** Index into the actions of the collection in which it ends; undefined for a mere detachment. */
  readonly action: number | undefined;
  /** Index into the cuts of the collection in which it ends. */
  readonly cut: number | undefined;
}

export interface PlannedCollection {
  readonly node: Node;
  /** The strongest first: of several that apply to a row, the one with the least index wins. */
  readonly actions: readonly Action[];
  readonly cuts: readonly Cut[];
  /** The action of rows that are found by an identity; undefined where no field is one. */
  readonly rootAction: number | undefined;
  /** Whether the policy would have rows soft-deleted that cannot be: they are erased. */
  readonly cannotHide: boolean;
  readonly incoming: readonly PlannedEdge[];
  readonly outgoing: readonly PlannedEdge[];
}

/** How the rows of a person are found and what becomes of them, for all identities that the datasets know. */
export interface TraversalPlan {
  readonly collections: ReadonlyMap<string, PlannedCollection>;
}

/** Weighs what the datasets wish against the duties to keep. Pure; linear in collections and references. */
export function planTraversal(graph: DatasetGraph, rules: RulesOfTheDay): TraversalPlan {
  const drafts = new Map<string, Draft>();
  for (const node of graph.nodes.values())
    if (!node.collection.skip) drafts.set(node.name, draftOf(node, rules));
  const plannedEdges = new Map<Edge, PlannedEdge>();
  for (const draft of drafts.values())
    for (const planned of draft.incoming) plannedEdges.set(planned.edge, planned);
  const collections = new Map<string, PlannedCollection>();
  for (const [name, draft] of drafts) {
    const outgoing = draft.node.outgoing.flatMap((edge) => plannedEdges.get(edge) ?? []);
    collections.set(name, { ...draft, outgoing });
  }
  return { collections };
}

type Draft = Omit<PlannedCollection, 'outgoing'>;

function draftOf(node: Node, rules: RulesOfTheDay): Draft {
  const found = new ActionList();
  const split = splitFields(node, rules);
  const rootAction =
    node.roots.length === 0 ? undefined : actionOf(rootWish(node), { node, split, now: rules.now });
  const root = rootAction === undefined ? undefined : found.add(rootAction);
  const cuts: Cut[] = [];
  const edges = node.incoming.map((edge) => {
    const wished = edge.onErase;
    const action = actionOf(wished, { node, split, now: rules.now });
    const cutting =
      wished.kind === 'detach' ||
      wished.kind === 'anonymize' ||
      (wished.kind === 'keep' && wished.keep.detach);
    let cut: number | undefined;
    if (edge.heldBy === 'to' ? cutting || edge.share === 'shared' : edge.fields.length > 0) {
      cut = cuts.length;
      cuts.push({
        name: edge.name,
        columns: edge.heldBy === 'to' ? edge.toColumns : [],
        targets: fieldTargets(node, edge.fields),
        onlyWhenShared: !cutting,
      });
    }
    return {
      edge,
      follows: wished.kind !== 'detach',
      action: action === undefined ? undefined : found.add(action),
      cut,
    };
  });
  if (found.has('delete') || found.hasExpiring()) {
    // What ends a duty to keep is what would have been done without it.
    found.add(split.hides ? hideAction(split, node) : { kind: 'delete' });
    found.add(stayAction(split));
  }
  const { actions, positions } = found.sorted();
  return {
    node,
    actions,
    cuts,
    cannotHide: split.cannotHide,
    rootAction: root === undefined ? undefined : positions[root],
    incoming: edges.map((edge) => ({
      ...edge,
      action: edge.action === undefined ? undefined : positions[edge.action],
    })),
  };
}

/** A row that is found by its own identity is the person's, so it cannot merely be detached. */
function rootWish(node: Node): Node['collection']['onErase'] {
  const wish = node.collection.onErase;
  return wish.kind === 'detach' ? { kind: 'mask', mask: undefined } : wish;
}

function fieldTargets(node: Node, names: readonly string[]): readonly Target[] {
  return node.collection.fields
    .filter((field) => names.includes(field.name))
    .map((field) => ({ field, mask: field.mask, after: undefined }));
}

/** The different actions of a collection; equal ones are one. */
class ActionList {
  readonly #actions: Action[] = [];
  readonly #indexes = new Map<string, number>();

  add(action: Action): number {
    const name = nameOf(action);
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    this.#indexes.set(name, this.#actions.length);
    return this.#actions.push(action) - 1;
  }

  has(kind: Action['kind']): boolean {
    return this.#actions.some((action) => action.kind === kind);
  }

  /** Whether rows stop being kept at a date of their own. */
  hasExpiring(): boolean {
    return this.#actions.some(
      (action) => action.kind === 'keep' && action.keep.until !== null && 'column' in action.keep.until,
    );
  }

  sorted(): { readonly actions: readonly Action[]; readonly positions: readonly number[] } {
    const order = this.#actions
      .map((action, index) => ({ action, index, strength: STRENGTH.indexOf(standsFor(action)) }))
      .sort((a, b) => a.strength - b.strength || a.index - b.index);
    const positions: number[] = [];
    for (const [position, { index }] of order.entries()) positions[index] = position;
    return { actions: order.map(({ action }) => action), positions };
  }
}

/** A soft deletion is as strong as the deletion that it takes the place of. */
function standsFor(action: Action): Action['kind'] {
  return 'hiddenBy' in action && action.hiddenBy !== undefined ? 'delete' : action.kind;
}

/** Equal names for equal actions of the same collection. */
function nameOf(action: Action): string {
  if (action.kind === 'delete') return 'delete';
  if (action.kind === 'keep') return `keep ${JSON.stringify(action.keep)}`;
  // Actions of one collection differ only in the default mask that the wish names; the targets are the same otherwise.
  const masks = action.targets.map(({ mask }) => (mask === undefined ? '' : JSON.stringify(mask)));
  return `${action.kind} ${masks.join()}`;
}

/**
 * The order in which collections are erased: the child, which holds the reference, before its parent; what the dataset's `erase_after`
 * names before the collection that says so. Collections that refer to each other in a cycle are one group.
 */
export function erasureOrder(
  names: Iterable<string>,
  collections: ReadonlyMap<string, PlannedCollection>,
): readonly (readonly string[])[] {
  const followers = new Map<string, string[]>();
  for (const { node } of collections.values()) {
    for (const before of node.collection.eraseAfter) {
      const name = before.startsWith(`${node.dataset.key}.`)
        ? before.slice(node.dataset.key.length + 1)
        : before;
      followers.set(name, [...(followers.get(name) ?? []), node.name]);
    }
  }
  return childrenFirst(names, (name) => {
    const node = collections.get(name)?.node;
    if (node === undefined) return [];
    return [
      ...node.incoming.filter((edge) => edge.heldBy === 'to').map((edge) => edge.from),
      ...node.outgoing.filter((edge) => edge.heldBy === 'from').map((edge) => edge.to),
      ...(followers.get(name) ?? []),
    ];
  });
}
