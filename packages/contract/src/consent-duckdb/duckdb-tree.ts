import { SqlRefusedError } from './sql-refused-error.ts';

/** A node of DuckDB's own syntax tree, as `json_serialize_sql` writes it. */
export type Tree = { [field: string]: unknown };

/** What of a connection of `@duckdb/node-api` is needed. */
export interface DuckDbConnection {
  runAndReadAll(sql: string, values?: string[]): Promise<{ getRowsJson(): readonly (readonly unknown[])[] }>;
}

/** Longer statements are refused, in characters. */
const LONGEST_SQL = 1_000_000;

interface Serialized {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly statements?: readonly Tree[];
}

/** The tree of the one `select` that the text is, by DuckDB's own parser; nothing is run. What was made of a statement may be longer than a statement. Throws {@link SqlRefusedError} for anything else. */
export async function parseDuckDb(
  connection: DuckDbConnection,
  sql: string,
  longest = LONGEST_SQL,
): Promise<Tree> {
  if (sql.length > longest)
    throw new SqlRefusedError(`The statement has ${sql.length} characters; up to ${longest} are read.`);
  if (sql.includes('\0')) throw new SqlRefusedError('The statement contains a NUL character. Remove it.');
  if (!sql.isWellFormed()) throw new SqlRefusedError('The statement is no text of Unicode.');
  const [[text] = []] = (
    await connection.runAndReadAll('select json_serialize_sql($1::varchar)::varchar', [sql])
  ).getRowsJson();
  const { error, error_type, error_message, statements = [] } = JSON.parse(String(text)) as Serialized;
  if (error)
    throw new SqlRefusedError(
      error_type === 'not implemented'
        ? 'Only a `select` is narrowed for DuckDB; put what it gives into a table or file in your program.'
        : `The statement is no SQL of DuckDB: ${error_message}`,
    );
  const [first, ...more] = statements;
  if (first === undefined) throw new SqlRefusedError('There is no statement. Write one.');
  if (more.length > 0)
    throw new SqlRefusedError(`There are ${statements.length} statements. Run each by itself.`);
  return first;
}

/** Whether two trees mean the same, wherever their texts stand. */
export function sameTree(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other))
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => sameTree(item, other[index]))
    );
  const fields = fieldsOf(one as Tree);
  return (
    fields.length === fieldsOf(other as Tree).length &&
    fields.every((field) => sameTree((one as Tree)[field], (other as Tree)[field]))
  );
}

function fieldsOf(tree: Tree): readonly string[] {
  return Object.keys(tree).filter((field) => field !== 'query_location');
}
