import { isPersonalCategory } from './data-categories.ts';
import type { Keep, KeepUntil } from './dataset.ts';
import type { DatasetGraph, Node } from './dataset-graph.ts';
import type { KeepRule } from './keep-rule.ts';
import { erasureOrder, type PlannedCollection, planTraversal, type TraversalPlan } from './traversal-plan.ts';
import type { Action } from './treatment.ts';

/** What erasure does to a collection. Where several apply to different rows, the strongest that can apply is named. */
export type Treatment = 'delete' | 'soft-delete' | 'mask' | 'detach' | 'anonymize' | 'keep';

export interface KeptCoverage {
  readonly fields: readonly string[];
  readonly categories: readonly string[];
  readonly reason: string;
  readonly legalBasis: string | null;
  /** A date, or in words a time after a column of the row; null when no end is known. */
  readonly until: string | null;
  /** The reason as an IRI of the Data Privacy Vocabulary, where the policy gives one. */
  readonly justification?: string;
}

export interface CollectionCoverage {
  readonly collection: string;
  readonly treatment: Treatment;
  /** Every treatment that can apply to a row, the strongest first. */
  readonly treatments: readonly Treatment[];
  /** The fields that are targeted; for `keep`, those that are kept. */
  readonly fields: readonly string[];
  /** The personal categories of these fields, sorted. */
  readonly categories: readonly string[];
  /** Why it is kept; null unless the treatment is `keep`. */
  readonly reason: string | null;
  readonly legalBasis: string | null;
  readonly until: string | null;
  /** What stays although other fields are erased; holds the whole of it when the treatment is `keep`. */
  readonly kept: readonly KeptCoverage[];
  /** The column that marks rows as deleted which are only hidden. */
  readonly hiddenBy?: string;
  /** Whether the policy would have rows soft-deleted, and the dataset names no column for that: they are erased. (Default: false) */
  readonly cannotHide?: true;
  /** How it is reached, in words. */
  readonly reachedBy: string;
  /** Whether a row may belong to several people: it is detached, not erased, while another person still reaches it. */
  readonly shared: boolean;
}

/** What a request that starts from some identity types reaches, and what erasure does to it. */
export interface Coverage {
  /** In the order of erasure: children before parents. */
  readonly collections: readonly CollectionCoverage[];
  /** Collections with personal data, or with unknown data, that no way leads to. */
  readonly unreachable: readonly { readonly collection: string; readonly reason: string }[];
  /** Identity types by which people are found at all; any one is enough to start. Sorted. */
  readonly identitiesNeeded: readonly string[];
  /** Identity types whose values can be read from what is reached. Sorted. */
  readonly identitiesResolved: readonly string[];
}

/**
 * Whom a search is about. What belongs to a tenant is found by its id and by references alone: identities of its people would lead to
 * what the same people have with other tenants.
 */
export type About = 'person' | 'tenant';

export interface CoverageOptions {
  readonly identityTypes: Iterable<string>;
  /** (Default: person) */
  readonly about?: About | undefined;
  readonly keepRules: readonly KeepRule[];
  /** Decides which duties to keep have ended. */
  readonly now: Date;
}

/** Answers without a database what a traversal can reach. Pure; linear in collections and references. */
export function coverageOf(graph: DatasetGraph, options: CoverageOptions): Coverage {
  const plan = planOf(graph, options);
  const reached = reach(plan.collections, options.identityTypes, options.about);
  const order = erasureOrder(reached.keys(), plan.collections).flat();
  return {
    collections: order.flatMap((name) => {
      const planned = plan.collections.get(name);
      const found = reached.get(name);
      return planned === undefined || found === undefined ? [] : [describe(planned, found)];
    }),
    unreachable: [...graph.nodes.values()].flatMap((node) => {
      if (reached.has(node.name) || needsNoWay(node)) return [];
      return [{ collection: node.name, reason: whyUnreachable(node) }];
    }),
    identitiesNeeded: identityTypesOf(graph.nodes.values(), () => true),
    identitiesResolved: identityTypesOf(
      [...graph.nodes.values()].filter((node) => reached.get(node.name)?.followed === true),
      (root) => root.identity.resolves,
    ),
  };
}

/** The last plans of each graph: what erasure does changes with the rules and with the day, not with the person. */
const plans = new WeakMap<DatasetGraph, Map<string, TraversalPlan>>();
/** Enough for the rules of every right, law and kind of person that requests of one day are under. */
const REMEMBERED_PLANS = 64;

/** The plan of a graph, made once for its rules and day. */
export function planOf(graph: DatasetGraph, options: CoverageOptions): TraversalPlan {
  const rules = JSON.stringify([options.keepRules, options.now.toISOString().slice(0, 'YYYY-MM-DD'.length)]);
  const known = plans.get(graph) ?? new Map<string, TraversalPlan>();
  plans.set(graph, known);
  const found = known.get(rules);
  if (found !== undefined) return found;
  if (known.size >= REMEMBERED_PLANS) known.clear();
  const plan = planTraversal(graph, options);
  known.set(rules, plan);
  return plan;
}

/** How a collection is reached. */
export interface Reached {
  readonly by: string;
  /** Whether rows of it are the person's; false when references to the person are merely emptied. */
  followed: boolean;
  readonly actions: Set<number>;
  shared: boolean;
  detached: boolean;
}

/** The collections that are reached from these identity types, by name. Breadth first, over identity types as well: a reached collection may tell further identities. */
export function reach(
  collections: ReadonlyMap<string, PlannedCollection>,
  identityTypes: Iterable<string>,
  about: About = 'person',
): ReadonlyMap<string, Reached> {
  const rootsByType = new Map<string, { readonly planned: PlannedCollection; readonly column: string }[]>();
  for (const planned of collections.values()) {
    for (const root of planned.node.roots) {
      const list = rootsByType.get(root.identity.type);
      if (list === undefined) rootsByType.set(root.identity.type, [{ planned, column: root.column }]);
      else list.push({ planned, column: root.column });
    }
  }
  const reached = new Map<string, Reached>();
  const types = new Set<string>(identityTypes);
  const typeQueue = [...types];
  const queue: PlannedCollection[] = [];
  const visit = (
    planned: PlannedCollection,
    way: { by: () => string; follows: boolean; action: number | undefined; shared: boolean },
  ) => {
    let found = reached.get(planned.node.name);
    if (found === undefined) {
      found = { by: way.by(), followed: false, actions: new Set(), shared: false, detached: false };
      reached.set(planned.node.name, found);
    }
    if (way.action !== undefined) found.actions.add(way.action);
    if (way.shared) found.shared = true;
    if (!way.follows) found.detached = true;
    if (way.follows && !found.followed) {
      found.followed = true;
      queue.push(planned);
    }
  };
  // Arrays that grow while they are walked: a queue without the cost of shifting.
  for (let typesDone = 0, done = 0; typesDone < typeQueue.length || done < queue.length; ) {
    const type = typeQueue[typesDone];
    if (type !== undefined) {
      typesDone += 1;
      for (const { planned, column } of rootsByType.get(type) ?? []) {
        const by = () => `identity ${type} in ${planned.node.name}.${column}`;
        visit(planned, { by, follows: true, action: planned.rootAction, shared: false });
      }
      continue;
    }
    const from = queue[done];
    done += 1;
    if (from === undefined) continue;
    for (const root of about === 'tenant' ? [] : from.node.roots) {
      if (!root.identity.resolves || types.has(root.identity.type)) continue;
      types.add(root.identity.type);
      typeQueue.push(root.identity.type);
    }
    for (const { edge, follows, action } of from.outgoing) {
      const planned = collections.get(edge.to);
      if (planned === undefined) continue;
      visit(planned, { by: () => wayOf(edge), follows, action, shared: edge.share === 'shared' });
    }
  }
  return reached;
}

function wayOf(edge: PlannedCollection['incoming'][number]['edge']): string {
  const pairs = edge.toColumns.map(
    (column, index) => `${edge.to}.${column} = ${edge.from}.${edge.fromColumns[index] ?? ''}`,
  );
  return `from ${edge.from}, where ${pairs.join(' and ')}`;
}

function describe(planned: PlannedCollection, found: Reached): CollectionCoverage {
  const { node } = planned;
  const actions = planned.actions.filter((_, index) => found.actions.has(index));
  const strongest = actions[0];
  const treatments: Treatment[] = [...new Set(actions.map(treatmentOf))];
  if (found.detached || (found.shared && !treatments.includes('detach'))) treatments.push('detach');
  const treatment = treatments[0] ?? 'detach';
  const kept = actions.flatMap((action) => keptBy(action, node));
  const only = kept[0];
  const [hiddenBy] = actions.flatMap((action) => ('hiddenBy' in action ? (action.hiddenBy ?? []) : []));
  const fields = treatment === 'keep' ? kept.flatMap((part) => part.fields) : targetedBy(strongest, planned);
  return {
    collection: node.name,
    treatment,
    treatments,
    fields,
    categories: categoriesOf(node, fields),
    reason: treatment === 'keep' ? (only?.reason ?? null) : null,
    legalBasis: treatment === 'keep' ? (only?.legalBasis ?? null) : null,
    until: treatment === 'keep' ? (only?.until ?? null) : null,
    kept,
    ...(hiddenBy === undefined ? {} : { hiddenBy }),
    ...(planned.cannotHide && treatments.includes('delete') ? { cannotHide: true as const } : {}),
    reachedBy: found.by,
    shared: found.shared,
  };
}

function treatmentOf(action: Action): Treatment {
  if (action.kind === 'delete' || action.kind === 'keep') return action.kind;
  if (action.hiddenBy !== undefined) return 'soft-delete';
  if (action.targets.length === 0 && action.kept.length > 0) return 'keep';
  return action.kind === 'anonymize' ? 'anonymize' : 'mask';
}

function targetedBy(action: Action | undefined, planned: PlannedCollection): readonly string[] {
  if (action === undefined) return [...new Set(planned.cuts.flatMap((cut) => cut.columns))];
  if (action.kind === 'delete') return planned.node.collection.fields.map((field) => field.name);
  if (action.kind === 'keep') return [];
  return action.targets.map(({ field }) => field.name);
}

function keptBy(action: Action, node: Node): readonly KeptCoverage[] {
  if (action.kind === 'delete') return [];
  if (action.kind === 'keep') {
    const names = node.personal.map(({ field }) => field.name);
    const fields = names.length > 0 ? names : node.collection.fields.map((field) => field.name);
    return [keptCoverage(action.keep, fields, node)];
  }
  const byKeep = new Map<Keep, string[]>();
  const same = new Map<string, Keep>();
  for (const { field, keep } of action.kept) {
    const name = JSON.stringify(keep);
    const first = same.get(name) ?? keep;
    same.set(name, first);
    byKeep.set(first, [...(byKeep.get(first) ?? []), field.name]);
  }
  return [...byKeep].map(([keep, fields]) => keptCoverage(keep, fields, node));
}

function keptCoverage(keep: Keep, fields: readonly string[], node: Node): KeptCoverage {
  return {
    fields,
    categories: categoriesOf(node, fields),
    reason: keep.reason,
    legalBasis: keep.legalBasis,
    until: untilInWords(keep.until),
    ...(keep.justification === undefined ? {} : { justification: keep.justification }),
  };
}

/** `2031-12-31`, or `7 years after created_at`. */
export function untilInWords(until: KeepUntil | null): string | null {
  if (until === null) return null;
  if ('date' in until) return until.date;
  const { count, unit } = until.after;
  return `${count} ${unit}${count === 1 ? '' : 's'} after ${until.column}`;
}

function categoriesOf(node: Node, names: readonly string[]): readonly string[] {
  if (node.personal.length === 0) return [];
  const wanted = new Set(names);
  const categories = new Set<string>();
  for (const { field, categories: own } of node.personal) {
    if (wanted.has(field.name)) for (const category of own) categories.add(category);
  }
  return [...categories].sort();
}

/** There is nothing to reach: every field has a category and none is personal, or what is there ends by itself. */
function needsNoWay(node: Node): boolean {
  if (node.collection.skip || node.roots.length > 0) return false;
  // It ends by itself, and an erasure says when.
  if (node.collection.lifetime !== undefined) return true;
  return node.collection.fields.every(
    (field) => field.categories.length > 0 && !field.categories.some(isPersonalCategory),
  );
}

function whyUnreachable(node: Node): string {
  if (node.collection.skip) return 'the dataset says skip_processing';
  if (node.roots.length > 0) {
    const types = [...new Set(node.roots.map((root) => root.identity.type))];
    return `it is found by ${types.join(' or ')}, which is not known`;
  }
  if (node.incoming.length === 0) return 'it has no identity field and no reference leads to it';
  const sources = [...new Set(node.incoming.map((edge) => edge.from))];
  return `it is only reached from ${sources.join(' or ')}, which is not reached`;
}

function identityTypesOf(
  nodes: Iterable<Node>,
  wanted: (root: Node['roots'][number]) => boolean,
): readonly string[] {
  const types = new Set<string>();
  for (const node of nodes) {
    if (node.collection.skip) continue;
    for (const root of node.roots) if (wanted(root)) types.add(root.identity.type);
  }
  return [...types].sort();
}
