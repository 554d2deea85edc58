import { createHash } from 'node:crypto';
import {
  type Action,
  childrenFirst,
  type DatasetGraph,
  type PlannedCollection,
  type PlannedEdge,
  type Target,
  type TraversalPlan,
} from '../../catalog/index.ts';
import { equalPairs } from './compare-sql.ts';
import { compileKey } from './compile-key.ts';
import type {
  Compiled,
  CompiledAction,
  CompiledCollection,
  CompiledCut,
  CompiledEdge,
  CompiledForeignKey,
  CompiledMask,
  KeyKind,
} from './compiled.ts';
import type { LiveColumn, LiveTable } from './live-table.ts';
import { compileMask, isOver } from './mask-sql.ts';
import { quoteIdentifier } from './quote.ts';

/** How many different treatments of one collection a row can remember: the bits of a JavaScript integer. */
const MOST_BITS = 50;

export interface CompileOptions {
  readonly graph: DatasetGraph;
  readonly plan: TraversalPlan;
  readonly tables: ReadonlyMap<string, LiveTable>;
}

/** Matches the datasets with the live schema. Pure; what does not fit is listed by name, all of it. */
export function compile(options: CompileOptions): Compiled {
  const { graph, plan, tables } = options;
  const readProblems: string[] = [];
  const matched = new Map<string, Matched>();
  for (const [name, planned] of plan.collections) {
    const found = match(planned, tables, readProblems);
    if (found !== undefined) matched.set(name, found);
  }
  const empty = { foreignKeys: [], eraseProblems: [], order: [], collections: new Map() };
  if (readProblems.length > 0) return { ...empty, readProblems };

  const eraseProblems: string[] = [];
  const foreignKeys = foreignKeysBetween(matched, tables);
  const collections = new Map<string, CompiledCollection>();
  for (const [name, found] of matched) {
    collections.set(name, compileCollection({ found, matched, tables, foreignKeys, eraseProblems }));
  }
  markLeaves(collections, foreignKeys);
  eraseProblems.push(...cascadesNotNamed(collections, tables));
  return {
    collections,
    order: orderOf(collections, foreignKeys, graph),
    foreignKeys,
    readProblems,
    eraseProblems,
  };
}

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

interface Matched {
  readonly planned: PlannedCollection;
  readonly live: LiveTable;
}

function match(
  planned: PlannedCollection,
  tables: ReadonlyMap<string, LiveTable>,
  problems: string[],
): Matched | undefined {
  const { collection } = planned.node;
  const live = tables.get(collection.table) ?? tables.get(collection.table.replace(/^public\./, ''));
  if (live === undefined) {
    problems.push(`The table "${collection.table}" does not exist, or is a view.`);
    return undefined;
  }
  const nested = collection.fields.filter((field) => isNested(field.name, live));
  for (const field of collection.fields) {
    const name = columnOf(field.name, live);
    if (!live.columns.has(name))
      problems.push(`The column "${name}" of the table "${collection.table}" does not exist.`);
  }
  const linking = new Set([
    ...planned.node.roots.map((root) => root.column),
    ...planned.node.incoming.flatMap((edge) => edge.toColumns),
    ...planned.node.outgoing.flatMap((edge) => edge.fromColumns),
  ]);
  for (const field of nested) {
    if (!linking.has(field.name)) continue;
    problems.push(
      `"${collection.name}.${field.name}" lies inside a column; an identity or a reference has to be a column.`,
    );
  }
  for (const column of collection.key) {
    if (!live.columns.has(column))
      problems.push(`The key column "${column}" of the table "${collection.table}" does not exist.`);
  }
  for (const column of datesOf(planned)) {
    if (!live.columns.has(column))
      problems.push(
        `The column "${column}" of the table "${collection.table}", which says until when a row is kept, does not exist.`,
      );
  }
  if (!live.privileges.select) problems.push(`This user may not read the table "${collection.table}".`);
  if (live.rowsHidden)
    problems.push(
      `Row security hides rows of the table "${collection.table}" from this user: give it the right BYPASSRLS.`,
    );
  const bits = planned.actions.length + planned.cuts.length;
  if (bits > MOST_BITS)
    problems.push(
      `The collection "${collection.name}" has ${bits} different treatments; ${MOST_BITS} are the most.`,
    );
  return { planned, live };
}

/** `address.city` is the value `city` inside the column `address`, unless a column has this very name. */
function isNested(name: string, live: LiveTable): boolean {
  return name.includes('.') && !live.columns.has(name);
}

/** The column that a field is, or lies in. */
function columnOf(name: string, live: LiveTable): string {
  return isNested(name, live) ? (name.split('.')[0] ?? name) : name;
}

function datesOf(planned: PlannedCollection): readonly string[] {
  const keeps = [
    ...planned.actions.flatMap((action) => (action.kind === 'keep' ? [action.keep] : [])),
    ...planned.node.collection.fields.flatMap((field) => field.keep ?? []),
  ];
  return keeps.flatMap(({ until }) => (until !== null && 'column' in until ? [until.column] : []));
}

function foreignKeysBetween(
  matched: ReadonlyMap<string, Matched>,
  tables: ReadonlyMap<string, LiveTable>,
): readonly CompiledForeignKey[] {
  const byShape = new Map([...matched].map(([name, { live }]) => [live.shape.name, name]));
  const foreignKeys = [...matched].flatMap(([child, { live }]) =>
    live.references.flatMap((reference): readonly Omit<CompiledForeignKey, 'mayKeepParent'>[] => {
      const parent = byShape.get(reference.target);
      const parentTable = tables.get(reference.target);
      if (parent === undefined || parentTable === undefined) return [];
      const own = columnsOf(live, reference.columns);
      const target = columnsOf(parentTable, reference.targetColumns);
      return [
        {
          child,
          parent,
          columns: reference.columns,
          parentColumns: reference.targetColumns,
          condition: equalPairs(own, target),
        },
      ];
    }),
  );
  // What a row that stays points at stays as well, and so on.
  const staying = new Set<string>();
  for (let size = -1; size !== staying.size; ) {
    size = staying.size;
    for (const foreignKey of foreignKeys)
      if (mayKeepParent(foreignKey, matched, staying)) staying.add(foreignKey.parent);
  }
  return foreignKeys.map((foreignKey) => ({
    ...foreignKey,
    mayKeepParent: mayKeepParent(foreignKey, matched, staying),
  }));
}

/**
 * Whether a row of the child that is found can be there after the erasure and still point at a row of the parent that had to go. A reference of
 * the dataset over the same columns finds every child of such a parent, so that what it says of them decides.
 */
function mayKeepParent(
  foreignKey: Pick<CompiledForeignKey, 'child' | 'parent' | 'columns' | 'parentColumns'>,
  matched: ReadonlyMap<string, Matched>,
  staying: ReadonlySet<string>,
): boolean {
  const child = matched.get(foreignKey.child)?.planned;
  if (child === undefined) return false;
  if (child.actions.some((action) => action.kind === 'keep')) return true;
  const covering = child.incoming.find(
    ({ edge }) =>
      edge.from === foreignKey.parent &&
      edge.toColumns.length === foreignKey.columns.length &&
      edge.toColumns.every(
        (column, index) =>
          foreignKey.parentColumns[foreignKey.columns.indexOf(column)] === edge.fromColumns[index],
      ),
  );
  if (covering === undefined) return staying.has(foreignKey.child) || canStay(child);
  const action = covering.action === undefined ? undefined : child.actions[covering.action];
  const cut = covering.cut === undefined ? undefined : child.cuts[covering.cut];
  if (cut?.onlyWhenShared === false) return false;
  return action?.kind !== 'delete' || staying.has(foreignKey.child);
}

interface CompileCollectionOptions {
  readonly found: Matched;
  readonly matched: ReadonlyMap<string, Matched>;
  readonly tables: ReadonlyMap<string, LiveTable>;
  readonly foreignKeys: readonly CompiledForeignKey[];
  readonly eraseProblems: string[];
}

function compileCollection(options: CompileCollectionOptions): CompiledCollection {
  const { found, matched, foreignKeys, eraseProblems } = options;
  const { planned, live } = found;
  const { name, collection } = planned.node;
  const { key, kind } = compileKey(collection, live);
  const columns = [...new Set(collection.fields.map((field) => columnOf(field.name, live)))];
  const tied = tiedColumns(live, options.tables);
  const problem = (text: string) => eraseProblems.push(text);
  const mask = maskCompiler({ name, live, tied, problem });
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
  if (actions.some((action) => action.kind === 'delete') && !live.privileges.delete)
    problem(`This user may not delete from the table "${live.shape.name}".`);
  const changes = cuts.length > 0 || actions.some((action) => 'masks' in action && action.masks.length > 0);
  if (changes && !live.privileges.update) problem(`This user may not update the table "${live.shape.name}".`);
  const compileEdge = edgeCompiler(matched);
  const incoming = planned.incoming.map(compileEdge);
  const ways = incoming.filter((edge) => edge.bits > 0);
  const isFoundOnce =
    planned.node.roots.length === 0 &&
    ways.length === 1 &&
    ways.every((edge) => edge.findsOnce && edge.from !== edge.to);
  const signature = createHash('sha256')
    .update(
      JSON.stringify([
        [live.schema, live.table, isFoundOnce],
        key.map((part) => [part.name, part.type]),
        cuts.map((cut) => cut.columns.length),
      ]),
    )
    .digest('hex')
    .slice(0, 24);
  return {
    name,
    planned,
    live,
    table: `${quoteIdentifier(live.schema)}.${quoteIdentifier(live.table)}`,
    key,
    keyKind: kind,
    signature,
    found: `pg_temp.habeas_found_${signature}`,
    columns,
    actions,
    cuts,
    roots: planned.node.roots.flatMap((root) => {
      const column = live.columns.get(root.column);
      return column === undefined ? [] : [{ ...root, live: column }];
    }),
    rootBits: planned.rootAction === undefined ? 0 : 2 ** planned.rootAction,
    incoming,
    isFoundOnce,
    leaf: undefined,
    pointedAt: pointersTo(live, options.tables),
    outgoing: planned.outgoing.map(compileEdge),
    remarks: remarksOn(name, { live, columns, kind }),
  };
}

/** Rows of any table that the store lets point at a row, whether the datasets name that table or not. */
function pointersTo(
  live: LiveTable,
  tables: ReadonlyMap<string, LiveTable>,
): readonly ((row: string) => string)[] {
  return [...tables.values()].flatMap((table) =>
    table.references
      .filter((reference) => reference.target === live.shape.name)
      .map((reference) => {
        const condition = equalPairs(
          columnsOf(live, reference.targetColumns),
          columnsOf(table, reference.columns),
        );
        const name = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.table)}`;
        return (row: string) => `exists (select from ${name} c where ${condition(row, 'c')})`;
      }),
  );
}

/** Columns that cannot be given any other value but null: they are in the key, or a foreign key ties them. */
function tiedColumns(
  live: LiveTable,
  tables: ReadonlyMap<string, LiveTable>,
): ReadonlyMap<string, 'child' | 'fixed'> {
  const tied = new Map<string, 'child' | 'fixed'>();
  for (const reference of live.references) for (const column of reference.columns) tied.set(column, 'child');
  for (const column of live.shape.primaryKey) tied.set(column, 'fixed');
  for (const other of tables.values()) {
    for (const reference of other.references) {
      if (reference.target !== live.shape.name) continue;
      for (const column of reference.targetColumns) tied.set(column, 'fixed');
    }
  }
  return tied;
}

type MaskAll = (targets: readonly Target[]) => readonly CompiledMask[];

function maskCompiler(options: {
  readonly name: string;
  readonly live: LiveTable;
  readonly tied: ReadonlyMap<string, 'child' | 'fixed'>;
  readonly problem: (text: string) => void;
}): MaskAll {
  const { name, live, tied } = options;
  const told = new Set<string>();
  const problem = (text: string) => {
    if (told.has(text)) return;
    told.add(text);
    options.problem(text);
  };
  return (targets) => {
    const masks = new Map<string, CompiledMask>();
    for (const target of targets) {
      const columnName = columnOf(target.field.name, live);
      const column = live.columns.get(columnName);
      // PostgreSQL computes it again from the columns that are masked.
      if (column === undefined || column.generated === 'stored' || masks.has(columnName)) continue;
      const compiled = compileMask(target, column);
      if (typeof compiled === 'string') {
        problem(`"${name}.${columnName}" ${compiled}.`);
        continue;
      }
      const tie = tied.get(columnName);
      if (
        tie === 'fixed' ||
        (tie === 'child' && compiled.value !== 'null') ||
        column.generated === 'always'
      ) {
        problem(
          `"${name}.${columnName}" cannot be masked, because it is part of a key or a reference: delete the row, keep the field with a reason, or correct its category.`,
        );
        continue;
      }
      masks.set(columnName, compiled);
    }
    return [...masks.values()];
  };
}

function compileAction(options: {
  readonly action: Action;
  readonly actionName: string;
  readonly mask: MaskAll | undefined;
}): CompiledAction {
  const { action, actionName, mask } = options;
  if (action.kind === 'delete') return { name: actionName, kind: 'delete' };
  if (action.kind === 'keep') {
    const { keep } = action;
    const ends = keep.until !== null && 'column' in keep.until;
    return {
      name: actionName,
      kind: 'keep',
      keep,
      isOver: ends ? (alias) => isOver(keep, alias) : undefined,
    };
  }
  return { name: actionName, kind: action.kind, masks: mask?.(action.targets) ?? [], kept: action.kept };
}

/** Whether a row of the collection that was found can be there after the erasure. */
function canStay(planned: PlannedCollection): boolean {
  return (
    planned.cuts.length > 0 ||
    planned.incoming.some(({ edge }) => edge.share === 'shared') ||
    planned.actions.some((action) => action.kind !== 'delete' && action.kind !== 'stay')
  );
}

function edgeCompiler(matched: ReadonlyMap<string, Matched>): (planned: PlannedEdge) => CompiledEdge {
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
      condition: equalPairs(fromColumns, toColumns),
      findsOnce: unique.some(
        (key) => key.length > 0 && key.every((column) => edge.fromColumns.includes(column)),
      ),
    };
  };
}

/** Foreign keys that would change rows which no reference of the datasets finds: the store would erase them unseen. */
function cascadesNotNamed(
  collections: ReadonlyMap<string, CompiledCollection>,
  tables: ReadonlyMap<string, LiveTable>,
): readonly string[] {
  const deletable = new Map(
    [...collections.values()]
      .filter((collection) => collection.actions.some((action) => action.kind === 'delete'))
      .map((collection) => [collection.live.shape.name, collection]),
  );
  const byShape = new Map(
    [...collections.values()].map((collection) => [collection.live.shape.name, collection]),
  );
  const problems: string[] = [];
  for (const table of tables.values()) {
    for (const reference of table.references) {
      const parent = deletable.get(reference.target);
      if (parent === undefined || reference.onDelete === 'no action' || reference.onDelete === 'restrict')
        continue;
      const child = byShape.get(table.shape.name);
      const named = child?.incoming.some(
        (edge) =>
          edge.from === parent.name &&
          edge.toColumns.length === reference.columns.length &&
          edge.toColumns.every(
            (column, index) =>
              reference.targetColumns[reference.columns.indexOf(column)] === edge.fromColumns[index],
          ),
      );
      if (named === true) continue;
      problems.push(
        `PostgreSQL itself would change rows of "${table.shape.name}" (${reference.name}, on delete ${reference.onDelete}) when rows of "${parent.name}" are deleted, and the dataset does not say so: add the reference from ${parent.name} to ${table.shape.name}.`,
      );
    }
  }
  return problems;
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

function columnsOf(live: LiveTable, names: readonly string[]): readonly LiveColumn[] {
  return names.flatMap((name) => live.columns.get(name) ?? []);
}
