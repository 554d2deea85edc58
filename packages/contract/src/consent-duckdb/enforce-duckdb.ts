import type { ConsentExport } from '../consent-export/index.ts';
import { requireHarmless } from './duckdb-functions.ts';
import { type DuckDbConnection, parseDuckDb, sameTree, type Tree } from './duckdb-tree.ts';
import { requireSameColumns } from './narrowed-columns.ts';
import { type BaseTable, folded, readDuckDbStatement, type TableRead } from './read-duckdb-statement.ts';
import { SqlRefusedError } from './sql-refused-error.ts';
import { type TableSpan, tableSpans } from './table-span.ts';

export type { DuckDbConnection } from './duckdb-tree.ts';

/** Whose rows a table has, or that it has none of people. */
export type DuckDbTable =
  | {
      /** With its schema, or without it in `main`: `events`, `shop.events`. */
      readonly table: string;
      /** The column that names people by the identity type of the export. */
      readonly column: string;
      /** Who agreed, or refused: a Parquet file that `openConsentExport` has checked. */
      readonly consent: ConsentExport;
    }
  | { readonly table: string; readonly open: true };

export interface EnforceDuckDbOptions {
  /** To the database in which it will run; nothing is run but DuckDB's parser. */
  readonly connection: DuckDbConnection;
  /** Code of the purpose, which the exports have to be for. */
  readonly purpose: string;
  readonly tables: readonly DuckDbTable[];
}

/** A statement as it may run, until the first of the exports expires. */
export interface EnforcedDuckDb {
  readonly sql: string;
  readonly purpose: string;
  /** What was narrowed, how, and why so. */
  readonly relations: readonly {
    readonly schema: string;
    readonly name: string;
    readonly form: 'semi-join' | 'anti-join';
    readonly why: string;
  }[];
  /** undefined: nothing of people is read. */
  readonly expiresAt: Date | undefined;
}

type Declared = DuckDbTable & { readonly schema: string; readonly name: string };

/** Names a row of a table within what replaces it. */
const ROW = 'habeas_row';

/**
 * The statement, narrowed to the rows of people whose data may be used for the purpose: each table with rows of people is replaced where it stands
 * by those rows, and the result is parsed again and must be exactly what was intended. Rejects with {@link SqlRefusedError} with the reason, and
 * with `ConsentExportError` when an export has expired.
 */
export async function enforceDuckDb(sql: string, options: EnforceDuckDbOptions): Promise<EnforcedDuckDb> {
  try {
    return await enforceWithin(sql, options);
  } catch (cause) {
    // Deeper than the stack of who walks over the tree.
    if (cause instanceof RangeError)
      throw new SqlRefusedError('The statement cannot be read: it is nested too deeply.', { cause });
    throw cause;
  }
}

async function enforceWithin(sql: string, options: EnforceDuckDbOptions): Promise<EnforcedDuckDb> {
  const { connection, purpose } = options;
  const tables = options.tables.map(declared);
  for (const one of tables)
    if ('consent' in one && one.consent.purpose !== purpose)
      throw new SqlRefusedError(
        `The export for ${one.table} is for the purpose ${one.consent.purpose}, and not for ${purpose}.`,
      );
  const tree = await parseDuckDb(connection, sql);
  const { reads, calls, columns } = readDuckDbStatement(tree);
  await requireHarmless(connection, calls);
  const found = reads.map((read) => ({ read, table: find(read.node, tables) }));
  const narrowed = found.flatMap(({ read, table }) => ('consent' in table ? [{ read, table }] : []));
  for (const table of new Set(narrowed.map((one) => one.table))) await requireComparable(connection, table);
  await requireSameColumns(connection, columns, narrowed);
  const inner = new Map<Narrowed, Tree>();
  for (const { table } of narrowed)
    if (!inner.has(table)) inner.set(table, await parseDuckDb(connection, queryOf(table).slice(1, -1)));
  const replaced = found.flatMap(({ read, table }) => {
    if ('consent' in table) return [narrowedTo(read, table, inner.get(table) as Tree)];
    return read.node.schema_name === '' ? [qualified(read, table)] : [];
  });
  if (replaced.length === 0) return { sql, purpose, relations: [], expiresAt: undefined };
  const text = spliced(sql, replaced);
  for (const { intend } of replaced) intend();
  if (!sameTree(await parseRewritten(connection, text), tree)) throw new SqlRefusedError(UNSAFE_NAME);
  const each = new Map(narrowed.map(({ table }) => [`${table.schema}.${table.name}`, table]));
  return {
    sql: text,
    purpose,
    relations: [...each.values()].map(relationOf),
    expiresAt:
      narrowed.length === 0
        ? undefined
        : new Date(Math.min(...narrowed.map(({ table }) => table.consent.expiresAt.getTime()))),
  };
}

const UNSAFE_NAME =
  'The statement names a table in a way that cannot be rewritten safely. Name it as `schema.table as alias`.';

/** What was written was SQL: if what was made of it is none, a name stands where nothing else can. */
async function parseRewritten(connection: DuckDbConnection, text: string): Promise<Tree> {
  try {
    return await parseDuckDb(connection, text, Number.POSITIVE_INFINITY);
  } catch (cause) {
    throw new SqlRefusedError(UNSAFE_NAME, { cause });
  }
}

interface Replacement {
  readonly node: BaseTable;
  /** What replaces the name. */
  readonly text: string;
  /** Does to the tree what is done to the text. */
  readonly intend: () => void;
}

/** @param inner - what the parser makes of the rows that may be read */
function narrowedTo({ node, replace }: TableRead, table: Narrowed, inner: Tree): Replacement {
  const alias = node.alias === '' ? ` as ${quoted(node.table_name)}` : '';
  return { node, text: `${queryOf(table)}${alias}`, intend: () => replace(subquery(inner, node)) };
}

/** A table with its schema, because in another one it might be another table; it keeps its name as alias. */
function qualified({ node }: TableRead, { schema, name }: Declared): Replacement {
  const intend = () => Object.assign(node, { schema_name: schema, table_name: name });
  return { node, text: `${quoted(schema)}.${quoted(name)}`, intend };
}

type Narrowed = Extract<Declared, { readonly consent: ConsentExport }>;

function declared(table: DuckDbTable): Declared {
  const parts = table.table.split('.');
  const [schema = '', name = ''] = parts.length === 1 ? ['main', parts[0]] : parts;
  if (parts.length > 2 || schema === '' || name === '')
    throw new SqlRefusedError(`"${table.table}" is no table such as events or shop.events.`);
  return { ...table, schema, name };
}

function find(node: BaseTable, tables: readonly Declared[]): Declared {
  const shown = [node.catalog_name, node.schema_name, node.table_name]
    .filter((part) => part !== '')
    .join('.');
  if (node.catalog_name !== '')
    throw new SqlRefusedError(`"${shown}" is named with its database. Leave that out.`);
  const schema = folded(node.schema_name === '' ? 'main' : node.schema_name);
  const name = folded(node.table_name);
  const table = tables.find((one) => folded(one.schema) === schema && folded(one.name) === name);
  if (table === undefined)
    throw new SqlRefusedError(
      `"${shown}" is not known. Say in \`tables\` whose rows it has, or that it has none of people.`,
    );
  if (node.at_clause !== null) throw new SqlRefusedError(`"${shown}" is read as it was at another time.`);
  if ('consent' in table && node.sample !== null)
    throw new SqlRefusedError(`TABLESAMPLE of "${shown}" would count people who are left out.`);
  return table;
}

/** Types of which each value is written in one way. Of a number with a fraction `7.0` and `7` would be two people. */
const WRITTEN_IN_ONE_WAY = /^(?:VARCHAR|U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|ENUM\(.*)$/s;

/** Throws {@link SqlRefusedError} where a column names people by values that may be written otherwise in the list. */
async function requireComparable(
  connection: DuckDbConnection,
  { schema, name, column, consent }: Narrowed,
): Promise<void> {
  const isNamed = (at: string, text: string) => `lower(${at}) = lower('${text.replaceAll("'", "''")}')`;
  const read = await connection.runAndReadAll(
    `select data_type, ${isNamed('column_name', column)} from duckdb_columns() where database_name in (current_database(), 'temp')
     and ${isNamed('schema_name', schema)} and ${isNamed('table_name', name)}`,
  );
  const columns = read.getRowsJson();
  // It is for another database, such as a statement that is rewritten at a shell.
  if (columns.length === 0) return;
  const types = columns.filter(([, isIt]) => String(isIt) === 'true').map(([type]) => String(type));
  if (types.length === 0)
    throw new SqlRefusedError(`"${schema}.${name}" has no column "${column}" in this database.`);
  // An identity in capital letters is the same uuid: whoever refused by one would not be found.
  const isKnown = (type: string) =>
    WRITTEN_IN_ONE_WAY.test(type) || (type === 'UUID' && consent.lists === 'granted');
  const other = types.find((type) => !isKnown(type));
  if (other !== undefined)
    throw new SqlRefusedError(
      `"${column}" of "${schema}.${name}" is of the type ${other}, in which a person can be written in several ways. Add a column with the text of the identity, and name that.`,
    );
}

function queryOf({ schema, name, column, consent }: Narrowed): string {
  const people = identityOf(consent.identityType, `${ROW}.${quoted(column)}`);
  const narrowed = `select ${ROW}.* from ${quoted(schema)}.${quoted(name)} as ${ROW}${consent.join(people.sql)}`;
  return people.where === undefined ? `(${narrowed})` : `(${narrowed} where ${people.where})`;
}

/** All that ECMAScript's `trim` takes away (ECMA-262 § 12.2 and § 12.3). */
const BLANKS =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';

/**
 * The identity of a row as exports have it, in composed form. DuckDB folds each letter by itself; Unicode has two that depend on others, and rows with an address in one of
 * these are left out, because nobody can tell there whose they are.
 */
function identityOf(type: string, at: string): { readonly sql: string; readonly where: string | undefined } {
  const text = `cast(${at} as varchar)`;
  const composed = `nfc_normalize(${text})`;
  // Letter by letter, whatever the collation of the column calls equal.
  const exact = 'collate "C"';
  if (type !== 'email') return { sql: `${composed} ${exact}`, where: undefined };
  const blanks = [...BLANKS].map((blank) => `chr(${blank.codePointAt(0)})`).join(' || ');
  return {
    sql: `lower(trim(${composed}, ${blanks})) ${exact}`,
    where: `coalesce(not regexp_matches(${text}, '[\u0130\u03a3]'), true)`,
  };
}

/** The text with each name replaced where it stands. */
function spliced(sql: string, replaced: readonly Replacement[]): string {
  const spans = tableSpans(
    sql,
    replaced.map(({ node }) => node),
  );
  const sorted = replaced
    .map(({ text }, index) => ({ text, span: spans[index] as TableSpan }))
    .toSorted((one, other) => one.span.start - other.span.start);
  const parts: string[] = [];
  let at = 0;
  for (const { text, span } of sorted) {
    parts.push(sql.slice(at, span.start), span.before, text);
    at = span.end;
  }
  return [...parts, sql.slice(at)].join('');
}

/** What the parser makes of `(query) as alias` in `from`. */
function subquery(inner: Tree, node: BaseTable): Tree {
  return {
    type: 'SUBQUERY',
    alias: node.alias === '' ? node.table_name : node.alias,
    sample: null,
    subquery: inner,
    column_name_alias: node.column_name_alias,
  };
}

function relationOf({ schema, name, column, consent }: Narrowed): EnforcedDuckDb['relations'][number] {
  const isGranted = consent.lists === 'granted';
  return {
    schema,
    name,
    form: isGranted ? 'semi-join' : 'anti-join',
    why: isGranted
      ? `${consent.purpose} needs consent: only those of whom "${column}" is in the list of who agreed`
      : `${consent.purpose} is allowed until refused: nobody of whom "${column}" is in the list of who refused`,
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
