import type { CollectionShape, FieldShape, ReferenceShape } from './collection-shape.ts';
import type { DatasetGraph, Edge, Node } from './dataset-graph.ts';
import { at, atField, type Report } from './lint-report.ts';
import { didYouMean } from './suggest.ts';

/** Compares the datasets of one connection with its live schema, both ways. */
export function lintShapes(graph: DatasetGraph, shapes: readonly CollectionShape[], report: Report): void {
  const byName = new Map(shapes.map((shape) => [shape.name, shape]));
  const matched = new Map<string, CollectionShape>();
  for (const node of graph.nodes.values()) {
    const shape = byName.get(node.collection.table.replace(/^public\./, ''));
    if (shape === undefined) {
      report(
        'error',
        'table-missing',
        at(node),
        `The table "${node.collection.table}" does not exist in the store, or is a view.${didYouMean(node.collection.table, byName.keys())}`,
      );
      continue;
    }
    matched.set(node.name, shape);
    if (node.collection.skip) continue;
    lintColumns(node, shape, report);
    lintKey(node, shape, report);
  }
  const named = new Set([...matched.values()].map((shape) => shape.name));
  const [first] = graph.nodes.values();
  for (const shape of shapes) {
    if (named.has(shape.name) || first === undefined) continue;
    report(
      'info',
      'table-not-named',
      { dataset: first.dataset, path: [] },
      `The store has a table "${shape.name}" that no dataset names; requests never look at it.`,
    );
  }
  const context: Context = {
    graph,
    matched,
    nodeOf: new Map([...matched].map(([name, shape]) => [shape.name, name])),
    pointingAt: referencesByTarget(shapes),
    report,
  };
  for (const node of graph.nodes.values()) {
    for (const edge of node.incoming) lintEdge(edge, context);
    const shape = matched.get(node.name);
    if (shape === undefined || node.collection.skip) continue;
    lintComposites(node, shape, context);
    lintCascades(node, shape, context);
  }
}

interface Context {
  readonly graph: DatasetGraph;
  readonly matched: ReadonlyMap<string, CollectionShape>;
  /** Table → the collection that is it. */
  readonly nodeOf: ReadonlyMap<string, string>;
  /** Table → foreign keys of other tables, and of itself, that lead to it. */
  readonly pointingAt: ReadonlyMap<string, readonly Pointing[]>;
  readonly report: Report;
}

interface Pointing {
  readonly table: string;
  readonly reference: ReferenceShape;
}

function referencesByTarget(shapes: readonly CollectionShape[]): ReadonlyMap<string, readonly Pointing[]> {
  const byTarget = new Map<string, Pointing[]>();
  for (const shape of shapes) {
    for (const reference of shape.references) {
      const list = byTarget.get(reference.target);
      if (list === undefined) byTarget.set(reference.target, [{ table: shape.name, reference }]);
      else list.push({ table: shape.name, reference });
    }
  }
  return byTarget;
}

function lintColumns(node: Node, shape: CollectionShape, report: Report): void {
  const live = new Map(shape.fields.map((field) => [field.name, field]));
  const named = new Set<string>();
  for (const field of node.collection.fields) {
    const column = live.has(field.name) ? field.name : (field.name.split('.')[0] ?? field.name);
    named.add(column);
    if (live.has(column)) continue;
    report(
      'error',
      'column-missing',
      atField(node, field),
      `The column "${column}" does not exist in the table "${shape.name}".${didYouMean(column, live.keys())}`,
    );
  }
  for (const column of node.collection.key) {
    if (live.has(column)) continue;
    report(
      'error',
      'column-missing',
      at(node),
      `The key column "${column}" does not exist in the table "${shape.name}".${didYouMean(column, live.keys())}`,
    );
  }
  const unnamed = shape.fields.filter((field) => !named.has(field.name)).map((field) => field.name);
  if (unnamed.length > 0) {
    report(
      'warning',
      'column-not-named',
      at(node),
      `The table "${shape.name}" also has ${unnamed.map((column) => `"${column}"`).join(', ')}, which the dataset does not name: not exported, and not masked.`,
    );
  }
}

function lintKey(node: Node, shape: CollectionShape, report: Report): void {
  const declared = node.collection.fields.filter((field) => field.primaryKey);
  if (shape.primaryKey.length === 0 && shape.uniqueKeys.length === 0 && node.collection.key.length === 0) {
    report(
      'warning',
      'primary-key-unknown',
      at(node),
      `The table "${shape.name}" has no key, so each step reads all of it. Add a primary key, or name columns that tell rows apart with \`habeas: { key: […] }\`.`,
    );
  }
  for (const field of declared) {
    if (shape.primaryKey.length === 0 || shape.primaryKey.includes(field.name)) continue;
    report(
      'warning',
      'primary-key-differs',
      atField(node, field),
      `"${field.name}" is not part of the primary key of "${shape.name}" (${shape.primaryKey.join(', ')}); the store's own key is used.`,
    );
  }
}

function lintEdge(edge: Edge, context: Context): void {
  const from = context.matched.get(edge.from);
  const to = context.matched.get(edge.to);
  const node = context.graph.nodes.get(edge.heldBy === 'from' ? edge.from : edge.to);
  if (from === undefined || to === undefined || node === undefined) return;
  const place = { dataset: node.dataset, path: edge.reference.path };
  for (const [index, column] of edge.toColumns.entries()) {
    const a = fieldOf(from, edge.fromColumns[index]);
    const b = fieldOf(to, column);
    if (a === undefined || b === undefined || family(a) === family(b)) continue;
    context.report(
      'warning',
      'type-differs',
      place,
      `"${edge.from}.${a.name}" is ${a.type} and "${edge.to}.${b.name}" is ${b.type}; they are compared as text, and no index helps.`,
    );
  }
  const held = edge.heldBy === 'to' ? to : from;
  const columns = edge.heldBy === 'to' ? edge.toColumns : edge.fromColumns;
  const isNullable = columns.some((column) => fieldOf(held, column)?.nullable === true);
  if (edge.onErase.kind === 'delete' && edge.heldBy === 'to' && isNullable) {
    context.report(
      'info',
      'orphans-possible',
      place,
      `"${edge.to}.${columns.join(', ')}" may be empty. Rows without it belong to nobody that this reference can find; look whether they hold personal data.`,
    );
  }
}

/** A composite foreign key whose columns are followed one by one joins with OR what belongs together. */
function lintComposites(node: Node, shape: CollectionShape, context: Context): void {
  for (const reference of shape.references) {
    const parent = context.nodeOf.get(reference.target);
    if (parent === undefined || reference.columns.length < 2) continue;
    const between = [
      ...node.incoming.filter(({ from }) => from === parent).map((edge) => ({ edge, own: edge.toColumns })),
      ...node.outgoing.filter(({ to }) => to === parent).map((edge) => ({ edge, own: edge.fromColumns })),
    ];
    if (between.some(({ own }) => own.length > 1)) continue;
    const split = between.find(({ own }) => own.some((column) => reference.columns.includes(column)))?.edge;
    if (split === undefined) continue;
    context.report(
      'error',
      'composite-not-marked',
      { dataset: node.dataset, path: split.reference.path },
      `The foreign key "${reference.name}" has the columns ${reference.columns.join(', ')} together; followed one by one they find rows of others. Write it under \`habeas: { references: […] }\` of "${node.name}".`,
    );
  }
}

/** Foreign keys by which the store itself changes rows that no reference of the dataset finds. */
function lintCascades(node: Node, shape: CollectionShape, context: Context): void {
  if (!mayDelete(node)) return;
  for (const { table, reference } of context.pointingAt.get(shape.name) ?? []) {
    if (!changesRows(reference.onDelete)) continue;
    const child = context.nodeOf.get(table);
    const isNamed = node.outgoing.some(
      (edge) => edge.to === child && reference.columns.every((column) => edge.toColumns.includes(column)),
    );
    if (isNamed) continue;
    context.report(
      'error',
      'cascade-not-named',
      at(node),
      `When a row of "${node.name}" is deleted, the store changes rows of "${table}" by itself (${reference.name}, on delete ${reference.onDelete}). Name that reference in the dataset, so that these rows are counted and checked.`,
    );
  }
}

function changesRows(onDelete: string): boolean {
  return onDelete !== 'no action' && onDelete !== 'restrict';
}

function mayDelete(node: Node): boolean {
  return (
    (node.roots.length > 0 && node.collection.onErase.kind === 'delete') ||
    node.incoming.some((edge) => edge.onErase.kind === 'delete')
  );
}

function fieldOf(shape: CollectionShape, name: string | undefined): FieldShape | undefined {
  return shape.fields.find((field) => field.name === name);
}

/** Types of one family are compared as they are. */
function family(field: FieldShape): string {
  const base = field.type.replace(/\(.*\)/, '').trim();
  if (/^(smallint|integer|bigint)$/.test(base)) return 'integer';
  if (/^(text|character varying|character|citext|name)$/.test(base)) return 'text';
  return base;
}
