import type { Target } from '../../catalog/index.ts';
import type { CompiledMask } from './compiled.ts';
import type { LiveTable } from './live-table.ts';
import { compileMask } from './mask-sql.ts';
import { columnOf } from './match-table.ts';
import type { InsideMask, SqlDialect } from './sql-dialect.ts';

/** Columns that cannot be given any other value but null: they are in the key, or a foreign key ties them. */
export function tiedColumns(
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

/** Masks of several targets; what cannot be masked is told as a problem, once. */
export type MaskAll = (targets: readonly Target[]) => readonly CompiledMask[];

/** Makes the masks of one collection. */
export function maskCompiler(options: {
  readonly name: string;
  readonly live: LiveTable;
  readonly dialect: SqlDialect;
  readonly tied: ReadonlyMap<string, 'child' | 'fixed'>;
  readonly problem: (text: string) => void;
}): MaskAll {
  const { name, live, dialect, tied } = options;
  const told = new Set<string>();
  const problem = (text: string) => {
    if (told.has(text)) return;
    told.add(text);
    options.problem(text);
  };
  return (targets) => {
    const masks = new Map<string, CompiledMask>();
    for (const mask of insideMasks(targets, {
      dialect,
      live,
      problem: (text) => problem(`"${name}.${text}`),
    }))
      masks.set(mask.column.name, mask);
    for (const target of targets) {
      const columnName = columnOf(target.field.name, live);
      const column = live.columns.get(columnName);
      // The store computes it again from the columns that are masked.
      if (column === undefined || column.generated === 'stored' || masks.has(columnName)) continue;
      const compiled = compileMask(dialect, target, column);
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

/** Masks inside columns. Not of a column that is masked as a whole, nor where a date of the row decides. */
function insideMasks(
  targets: readonly Target[],
  options: {
    readonly dialect: SqlDialect;
    readonly live: LiveTable;
    readonly problem: (text: string) => void;
  },
): readonly CompiledMask[] {
  const { dialect, live, problem } = options;
  const byColumn = Map.groupBy(targets, ({ field }) => columnOf(field.name, live));
  return [...byColumn].flatMap(([columnName, own]) => {
    const column = live.columns.get(columnName);
    const isInside = own.every(({ field, after }) => field.name !== columnName && after === undefined);
    if (column === undefined || !isInside || column.generated === 'stored') return [];
    // Elsewhere the column is masked as a whole, in any way.
    if (dialect.maskInside(column, []) === undefined) return [];
    const values: InsideMask[] = [];
    for (const { field, mask } of own) {
      const path = field.name.slice(columnName.length + 1).split('.');
      if (mask === undefined || mask.strategy === 'null') values.push({ path, to: null });
      else if (mask.strategy === 'fixed') values.push({ path, to: mask.value });
      else problem(`${field.name}" lies inside a column: choose \`null\` or \`fixed\`.`);
    }
    const sql = dialect.maskInside(column, values);
    return sql === undefined ? [] : [{ ...sql, column, literal: undefined, isOver: undefined }];
  });
}
