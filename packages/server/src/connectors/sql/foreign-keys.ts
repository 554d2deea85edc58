import type { PlannedCollection } from '../../catalog/index.ts';
import type { CompiledCollection, CompiledForeignKey } from './compiled.ts';
import { equalPairs } from './equal-pairs.ts';
import type { LiveTable } from './live-table.ts';
import { columnsOf, type Matched } from './match-table.ts';
import type { SqlDialect } from './sql-dialect.ts';

/** The store's own foreign keys between collections of the datasets. */
export function foreignKeysBetween(
  matched: ReadonlyMap<string, Matched>,
  tables: ReadonlyMap<string, LiveTable>,
  dialect: SqlDialect,
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
          condition: equalPairs(dialect, own, target),
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

/** Whether a row of the collection that was found can be there after the erasure. */
function canStay(planned: PlannedCollection): boolean {
  return (
    planned.cuts.length > 0 ||
    planned.incoming.some(({ edge }) => edge.share === 'shared') ||
    planned.actions.some((action) => action.kind !== 'delete' && action.kind !== 'stay')
  );
}

/** Foreign keys that would change rows which no reference of the datasets finds: the store would erase them unseen. */
export function cascadesNotNamed(
  collections: ReadonlyMap<string, CompiledCollection>,
  tables: ReadonlyMap<string, LiveTable>,
  dialect: SqlDialect,
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
        `${dialect.name} itself would change rows of "${table.shape.name}" (${reference.name}, on delete ${reference.onDelete}) when rows of "${parent.name}" are deleted, and the dataset does not say so: add the reference from ${parent.name} to ${table.shape.name}.`,
      );
    }
  }
  return problems;
}

/** Rows of any table that the store lets point at a row, whether the datasets name that table or not. */
export function pointersTo(
  live: LiveTable,
  tables: ReadonlyMap<string, LiveTable>,
  dialect: SqlDialect,
): readonly ((row: string) => string)[] {
  return [...tables.values()].flatMap((table) =>
    table.references
      .filter((reference) => reference.target === live.shape.name)
      .map((reference) => {
        const condition = equalPairs(
          dialect,
          columnsOf(live, reference.targetColumns),
          columnsOf(table, reference.columns),
        );
        const name = dialect.tableOf(table);
        return (row: string) => `exists (select 1 from ${name} c where ${condition(row, 'c')})`;
      }),
  );
}
