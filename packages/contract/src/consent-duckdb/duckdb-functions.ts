import type { DuckDbConnection } from './duckdb-tree.ts';
import { type Call, folded } from './read-duckdb-statement.ts';
import { SqlRefusedError } from './sql-refused-error.ts';

/** Built-in functions that read settings, the environment, the catalog, files or statistics over all rows, change something, or run a text as SQL. */
const HARMFUL =
  /^(?:pg_|has_|duckdb_|getenv$|getvariable$|current_|session_user$|user$|nextval$|currval$|setseed$|set_|in_search_path$|txid_|write_|add_parquet_key$|json_execute|json_serialize_plan$|stats$|enum_|read_|sniff_|col_description$|obj_description$|shobj_description$|format_pg|test_|checkpoint$|force_checkpoint$|error$|sleep)/;

/** Of functions that stand in `from`: those that make rows of what they are given. */
const TABLE_FUNCTIONS = new Set(['range', 'generate_series', 'unnest', 'json_each', 'json_tree']);

/** Throws {@link SqlRefusedError} for a function that is not known to be harmless. Functions are read anew each time: somebody may have made a macro. */
export async function requireHarmless(connection: DuckDbConnection, calls: readonly Call[]): Promise<void> {
  if (calls.length === 0) return;
  const rows = (
    await connection.runAndReadAll(
      `select function_name, bool_and(internal), bool_or(function_type <> 'table_macro') from duckdb_functions()
       where function_type in ('scalar', 'aggregate', 'macro', 'table_macro') group by function_name`,
    )
  ).getRowsJson();
  const own = new Set<string>();
  const known = new Set<string>();
  for (const [name, isBuiltIn, isExpression] of rows)
    if (String(isBuiltIn) !== 'true') own.add(folded(String(name)));
    else if (String(isExpression) === 'true') known.add(folded(String(name)));
  for (const { name, kind } of calls) {
    const reason = reasonOf(folded(name), kind, { own, known });
    if (reason !== undefined)
      throw new SqlRefusedError(`The function "${name}" may not be called: ${reason}`);
  }
}

function reasonOf(
  name: string,
  kind: Call['kind'],
  { own, known }: { readonly own: ReadonlySet<string>; readonly known: ReadonlySet<string> },
): string | undefined {
  if (own.has(name)) return 'it is a macro of your own, which may read any table.';
  if (kind === 'table')
    return TABLE_FUNCTIONS.has(name) ? undefined : 'it is not known to leave tables and files alone.';
  if (PLANNED.has(name) || (known.has(name) && !HARMFUL.test(name))) return undefined;
  return 'it is not known to leave tables, files and settings alone.';
}

/** Not among the scalar functions: the planner knows them. */
const PLANNED = new Set([
  'unnest',
  'row_number',
  'rank',
  'dense_rank',
  'percent_rank',
  'cume_dist',
  'ntile',
  'lag',
  'lead',
  'first_value',
  'last_value',
  'nth_value',
  'fill',
]);
