import { createHash } from 'node:crypto';
import {
  type Action,
  childrenFirst,
  type DatasetGraph,
  type PlannedEdge,
  type TraversalPlan,
} from '../../catalog/index.ts';
import { compileKey } from './compile-key.ts';
import { type MaskAll, maskCompiler, tiedColumns } from './compile-masks.ts';
import type {
  Compiled,
  CompiledAction,
  CompiledCollection,
  CompiledCut,
  CompiledEdge,
  CompiledForeignKey,
  KeyKind,
} from './compiled.ts';
import { equalPairs } from './equal-pairs.ts';
import { cascadesNotNamed, foreignKeysBetween, pointersTo } from './foreign-keys.ts';
import type { LiveTable } from './live-table.ts';
import { isOver } from './mask-sql.ts';
import { columnIn, columnOf, columnsOf, type Matched, matchTable } from './match-table.ts';
import type { SqlDialect } from './sql-dialect.ts';

export interface CompileOptions {
  readonly graph: DatasetGraph;
  readonly plan: TraversalPlan;
  readonly tables: ReadonlyMap<string, LiveTable>;
  readonly dialect: SqlDialect;
}

/** Matches the datasets with the live schema. Pure; what does not fit is listed by name, all of it. */
export function compile(options: CompileOptions): Compiled {
  const { graph, plan, tables, dialect } = options;
  const readProblems: string[] = [];
  const matched = new Map<string, Matched>();
  for (const [name, planned] of plan.collections) {
    const found = matchTable(planned, { tables, dialect, problems: readProblems });
    if (found !== undefined) matched.set(name, found);
  }
  if (readProblems.length > 0) {
    // Whoever puts the one right wants to hear of the other at once.
    const eraseProblems = [...matched.values()].flatMap(({ planned, live }) =>
      missingRights(live, {
        deletes: planned.actions.some(({ kind }) => kind === 'delete'),
        updates:
          planned.cuts.length > 0 ||
          planned.actions.some(
            (action) => (action.kind === 'mask' || action.kind === 'anonymize') && action.targets.length > 0,
          ),
      }),
    );
    return { dialect, foreignKeys: [], order: [], collections: new Map(), readProblems, eraseProblems };
  }

  const eraseProblems: string[] = [];
  const foreignKeys = foreignKeysBetween(matched, tables, dialect);
  const collections = new Map<string, CompiledCollection>();
  for (const [name, found] of matched) {
    collections.set(name, compileCollection({ found, matched, tables, dialect, foreignKeys, eraseProblems }));
  }
  markLeaves(collections, foreignKeys);
  eraseProblems.push(...cascadesNotNamed(collections, tables, dialect));
  return {
    dialect,
    collections,
    order: orderOf(collections, foreignKeys, graph),
    foreignKeys,
    readProblems,
    eraseProblems,
  };
}

/** Collections whose found rows need not be remembered; see `foundRows`. */
function markLeaves(
  collections: Map<string, CompiledCollection>,
  foreignKeys: readonly CompiledForeignKey[],
): void {
  const pointedAt = new Set(
    foreignKeys.filter(({ mayKeepParent }) => mayKeepParent).map(({ parent }) => parent),
  );
  for (const [name, collection] of collections) {
    const edge = collection.incoming.find(({ bits }) => bits > 0);
    const from = edge === undefined ? undefined : collections.get(edge.from);
    const leadsOn = collection.outgoing.some(({ bits }) => bits > 0);
    const changes = collection.actions.some(
      (action) => action.kind === 'keep' && action.isOver !== undefined,
    );
    if (!collection.isFoundOnce || edge === undefined || from === undefined) continue;
    if (leadsOn || changes || pointedAt.has(name) || !edge.follows || edge.share === 'shared') continue;
    collections.set(name, { ...collection, leaf: { from, edge } });
  }
}

interface CompileCollectionOptions {
  readonly found: Matched;
  readonly matched: ReadonlyMap<string, Matched>;
  readonly tables: ReadonlyMap<string, LiveTable>;
  readonly dialect: SqlDialect;
  readonly foreignKeys: readonly CompiledForeignKey[];
  readonly eraseProblems: string[];
}

function compileCollection(options: CompileCollectionOptions): CompiledCollection {
  const { found, matched, dialect, foreignKeys, eraseProblems } = options;
  const { planned, live } = found;
  const { name, collection } = planned.node;
  const { key, kind } = compileKey(collection, live, dialect);
  const columns = [...new Set(collection.fields.map((field) => columnOf(field.name, live)))];
  const tied = tiedColumns(live, options.tables);
  const problem = (text: string) => eraseProblems.push(text);
  const mask = maskCompiler({ name, live, dialect, tied, problem });
  // Only a row that stays can keep another from being deleted.
  const mayHaveToStay = foreignKeys.some(
    (foreignKey) => foreignKey.parent === name && foreignKey.mayKeepParent,
  );
  const ordinals = new Map<string, number>();
  const actions = planned.actions.map((action): CompiledAction => {
    const ordinal = ordinals.get(action.kind) ?? 0;
    ordinals.set(action.kind, ordinal + 1);
    const actionName = ordinal === 0 ? action.kind : `${action.kind}.${ordinal}`;
    return compileAction({
      action,
      dialect,
      actionName,
      mask: action.kind === 'stay' && !mayHaveToStay ? undefined : mask,
    });
  });
  const cuts = planned.cuts.map((cut): CompiledCut => {
    const columns = columnsOf(live, cut.columns);
    const emptied = columns.filter(
      (column) => !column.notNull && !live.shape.primaryKey.includes(column.name),
    );
    if (columns.length > 0 && emptied.length === 0) {
      problem(
        `"${name}.${cut.columns.join(', ')}" may not be empty, so the reference "${cut.name}" cannot be ${cut.onlyWhenShared ? 'detached while another person reaches the row' : 'detached or anonymized'}.`,
      );
    }
    return { name: cut.name, columns, emptied, masks: mask(cut.targets), onlyWhenShared: cut.onlyWhenShared };
  });
  const rights = missingRights(live, {
    deletes: actions.some((action) => action.kind === 'delete'),
    updates: cuts.length > 0 || actions.some((action) => 'masks' in action && action.masks.length > 0),
  });
  eraseProblems.push(...rights);
  const compileEdge = edgeCompiler(matched, dialect);
  const incoming = planned.incoming.map(compileEdge);
  const ways = incoming.filter((edge) => edge.bits > 0);
  const isFoundOnce =
    dialect.enforcesKeys &&
    planned.node.roots.length === 0 &&
    ways.length === 1 &&
    ways.every((edge) => edge.findsOnce && edge.from !== edge.to);
  const signature = createHash('sha256')
    .update(
      JSON.stringify([
        [live.schema, live.table, isFoundOnce],
        key.map((part) => [part.name, part.column?.type ?? 'text']),
        cuts.map((cut) => cut.columns.length),
      ]),
    )
    .digest('hex')
    .slice(0, 24);
  return {
    name,
    dialect,
    planned,
    live,
    table: dialect.tableOf(live),
    key,
    keyKind: kind,
    signature,
    found: dialect.temporary(foundName(signature)),
    columns,
    actions,
    cuts,
    roots: planned.node.roots.flatMap((root) => {
      const column = columnIn(root.column, live, dialect);
      return column === undefined ? [] : [{ ...root, live: column }];
    }),
    rootBits: planned.rootAction === undefined ? 0 : 2 ** planned.rootAction,
    incoming,
    isFoundOnce,
    leaf: undefined,
    pointedAt: pointersTo(live, options.tables, dialect),
    outgoing: planned.outgoing.map(compileEdge),
    remarks: remarksOn(name, { live, columns, kind }),
  };
}

/** What this user would have to be granted. */
function missingRights(
  { privileges, shape }: LiveTable,
  needs: { readonly deletes: boolean; readonly updates: boolean },
): readonly string[] {
  return [
    ...(needs.deletes && !privileges.delete
      ? [`This user may not delete from the table "${shape.name}".`]
      : []),
    ...(needs.updates && !privileges.update ? [`This user may not update the table "${shape.name}".`] : []),
  ];
}

function compileAction(options: {
  readonly action: Action;
  readonly dialect: SqlDialect;
  readonly actionName: string;
  readonly mask: MaskAll | undefined;
}): CompiledAction {
  const { action, dialect, actionName, mask } = options;
  if (action.kind === 'delete') return { name: actionName, kind: 'delete' };
  if (action.kind === 'keep') {
    const { keep } = action;
    const ends = keep.until !== null && 'column' in keep.until;
    return {
      name: actionName,
      kind: 'keep',
      keep,
      isOver: ends ? (alias) => isOver(dialect, keep, alias) : undefined,
    };
  }
  const { kind, kept, targets, hiddenBy } = action;
  return { name: actionName, kind, masks: mask?.(targets) ?? [], kept, hides: hiddenBy !== undefined };
}

function edgeCompiler(
  matched: ReadonlyMap<string, Matched>,
  dialect: SqlDialect,
): (planned: PlannedEdge) => CompiledEdge {
  return ({ edge, follows, action, cut }) => {
    const from = matched.get(edge.from)?.live;
    const to = matched.get(edge.to);
    const fromColumns = from === undefined ? [] : columnsOf(from, edge.fromColumns);
    const toColumns = to === undefined ? [] : columnsOf(to.live, edge.toColumns);
    const actionCount = to?.planned.actions.length ?? 0;
    const unique = from === undefined ? [] : [from.shape.primaryKey, ...from.shape.uniqueKeys];
    return {
      from: edge.from,
      to: edge.to,
      fromColumns: edge.fromColumns,
      toColumns: edge.toColumns,
      fields: edge.fields,
      share: edge.share,
      follows,
      bits: (action === undefined ? 0 : 2 ** action) + (cut === undefined ? 0 : 2 ** (actionCount + cut)),
      condition: equalPairs(dialect, fromColumns, toColumns),
      findsOnce:
        dialect.enforcesKeys &&
        unique.some((key) => key.length > 0 && key.every((column) => edge.fromColumns.includes(column))),
    };
  };
}

function orderOf(
  collections: ReadonlyMap<string, CompiledCollection>,
  foreignKeys: readonly CompiledForeignKey[],
  graph: DatasetGraph,
): readonly (readonly string[])[] {
  const parents = new Map<string, string[]>();
  const add = (child: string, parent: string) => {
    const list = parents.get(child);
    if (list === undefined) parents.set(child, [parent]);
    else list.push(parent);
  };
  for (const { child, parent } of foreignKeys) add(child, parent);
  const ordered = childrenFirst([...collections.keys()].sort(), (name) => parents.get(name) ?? []);
  // Wishes of the dataset order what foreign keys leave open; a wish that contradicts a foreign key is not heard.
  const groupOf = new Map(ordered.flatMap((group) => group.map((name) => [name, group] as const)));
  const before = new Map<string, string[]>();
  for (const [name, { planned }] of collections) {
    const { dataset, collection } = planned.node;
    for (const wish of collection.eraseAfter) {
      const first = wish.startsWith(`${dataset.key}.`) ? wish.slice(dataset.key.length + 1) : wish;
      if (graph.nodes.has(first)) before.set(first, [...(before.get(first) ?? []), name]);
    }
  }
  if (before.size === 0) return ordered;
  const withWishes = childrenFirst(ordered.flat(), (name) => [
    ...(parents.get(name) ?? []),
    ...(before.get(name) ?? []),
  ]);
  const isContradiction = withWishes.some(
    (group) => group.length > (groupOf.get(group[0] ?? '')?.length ?? 0),
  );
  return isContradiction ? ordered : withWishes;
}

function remarksOn(
  name: string,
  options: { readonly live: LiveTable; readonly columns: readonly string[]; readonly kind: KeyKind },
): CompiledCollection['remarks'] {
  const unnamed = [...options.live.columns.keys()].filter((column) => !options.columns.includes(column));
  return {
    unnamedColumns:
      unnamed.length === 0
        ? undefined
        : `The dataset does not name ${unnamed.map((column) => `${name}.${column}`).join(', ')}; not exported.`,
    keyless:
      options.kind === 'row'
        ? `${name} has no key, so a row is known by the hash of all its values: each step reads the whole table, and a masked row is not found again by its stored key.`
        : undefined,
  };
}

/** The name of the temporary table with the rows of a collection that were found. */
export function foundName(signature: string): string {
  return `habeas_found_${signature}`;
}
