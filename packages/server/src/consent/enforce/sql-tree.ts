import { HabeasError } from '../../foundation/index.ts';

/** A node of PostgreSQL's own syntax tree, as libpg-query writes it: `{ SelectStmt: {…} }`, and fields in lower case. */
export type Tree = { [field: string]: unknown };

/** Longer statements are refused, in characters. Nobody writes them, and a parser is no place to find out what they do. */
export const LONGEST_SQL = 1_000_000;

/** What the parser says beside its message. */
interface ParserError extends Error {
  readonly sqlDetails?: { readonly message: string; readonly cursorPosition: number };
}

let parser: typeof import('libpg-query') | undefined;

/** To be awaited once before {@link parseStatement}: the parser is WebAssembly, which takes memory as soon as it is loaded. */
export async function loadParser(): Promise<void> {
  parser ??= await import('libpg-query');
  await parser.loadModule();
}

/**
 * The tree of the one statement that the text is, by PostgreSQL's own parser. Throws SQL_REFUSED, with line and column, for what is
 * no SQL, for two statements, and for none. What was made of a statement may be longer than a statement.
 */
export function parseStatement(sql: string, longest = LONGEST_SQL): Tree {
  if (sql.length > longest)
    throw refused(`The statement has ${sql.length} characters; up to ${longest} are read.`);
  // To the parser, which is written in C, the text would end there; to somebody else it might not.
  if (sql.includes('\0')) throw refused('The statement contains a NUL character. Remove it.');
  if (sql.trim() === '') throw refused('There is no statement. Write one.');
  const { stmts = [] } = parse(sql) as { stmts?: readonly { stmt: Tree }[] };
  const [first] = stmts;
  if (first === undefined) throw refused('There is no statement, only comments. Write one.');
  if (stmts.length > 1)
    throw refused(`There are ${stmts.length} statements. Write each into a job of its own.`);
  return first.stmt;
}

/** The text of the one statement, without the semicolon and whatever follows it. Throws as {@link parseStatement}. */
export function statementText(sql: string): string {
  const { stmts = [] } = parse(sql) as { stmts?: readonly { stmt_location?: number; stmt_len?: number }[] };
  const { stmt_location: start = 0, stmt_len: length } = stmts[0] ?? {};
  // The parser counts bytes.
  return length === undefined
    ? sql
    : Buffer.from(sql)
        .subarray(0, start + length)
        .toString();
}

function parse(sql: string): unknown {
  if (parser === undefined) throw new HabeasError('INTERNAL', 'The parser of SQL was not loaded.');
  try {
    return parser.parseSync(sql);
  } catch (error) {
    const { sqlDetails } = error as ParserError;
    if (sqlDetails === undefined) {
      // A statement that is nested deeper than the stack of the parser.
      throw tooDeep(error);
    }
    throw refused(`The statement is no SQL of PostgreSQL: ${sqlDetails.message}`, {
      cause: error,
      ...placeOf(sql, sqlDetails.cursorPosition),
    });
  }
}

export function tooDeep(cause: unknown): HabeasError {
  return refused('The statement cannot be read: it is nested too deeply.', { cause });
}

export interface RefusedOptions {
  readonly cause?: unknown;
  readonly line?: number;
  readonly column?: number;
}

/** SQL that is not run, and why. */
export function refused(reason: string, { cause, line, column }: RefusedOptions = {}): HabeasError {
  const where = line === undefined ? '' : ` (line ${line}, column ${column})`;
  return new HabeasError('SQL_REFUSED', `${reason}${where}`, cause === undefined ? {} : { cause });
}

/** Line and column, from 1, of a place in a text. */
export function placeOf(sql: string, index: number): { readonly line: number; readonly column: number } {
  const before = sql.slice(0, Math.max(0, index)).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Says where a thing was written, or what the parser worked out from the text; not what the statement means. */
const NO_MEANING = new Set([
  'location',
  'stmt_len',
  'stmt_location',
  'list_start',
  'list_end',
  'rexpr_list_start',
  'rexpr_list_end',
]);

/** Whether two trees mean the same, wherever their texts stand. */
export function sameTree(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => sameTree(item, other[index]));
  }
  const fields = fieldsOf(one as Tree);
  if (fields.length !== fieldsOf(other as Tree).length) return false;
  return fields.every((field) => sameTree((one as Tree)[field], (other as Tree)[field]));
}

function fieldsOf(tree: Tree): readonly string[] {
  return Object.keys(tree).filter((field) => !NO_MEANING.has(field) && tree[field] !== undefined);
}
