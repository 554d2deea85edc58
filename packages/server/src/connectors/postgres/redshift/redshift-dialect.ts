import {
  assigned,
  type Comparison,
  type FoundTable,
  keyNames,
  type LiveColumn,
  matchesKey,
  quoteIdentifier,
  type SqlDialect,
  type SqlTransaction,
  type ValuesToCompare,
} from '../../sql/index.ts';
import { bytesOf } from '../compare-sql.ts';
import { keyBatches, keySource } from './redshift-keys.ts';
import {
  asText,
  fitsColumn,
  isBetween,
  isInteger,
  isText,
  literal,
  print,
  TEXT,
  typed,
} from './redshift-values.ts';

/** What the transaction puts the values of settings for; see redshift-session.ts. */
export const SETTING: Readonly<Record<'now' | 'salt', string>> = {
  now: `'{habeas.now}'`,
  salt: `'{habeas.salt}'`,
};

/**
 * Amazon Redshift's SQL: PostgreSQL 8.0 without arrays, row locks, savepoints, `on conflict`, `returning` and functions that make rows; keys and
 * foreign keys are declared and not enforced. (Amazon Redshift Database Developer Guide, "Amazon Redshift and PostgreSQL")
 */
export const redshiftDialect: SqlDialect = {
  name: 'Redshift',
  plainSchema: 'public',
  tableOf: ({ schema, table }) => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`,
  joinFromFew: 'join',
  temporary: (name) => name,
  // No `on commit delete rows`, and `truncate` would end the transaction. A second table takes new keys in before they are told apart.
  createTemporary: ({ name, columns, rows }) =>
    (rows === 'several' ? [name] : [name, newKeys(name)]).flatMap((table) => [
      `create temporary table if not exists ${table} (${columns.join(', ')})`,
      `delete from ${table}`,
    ]),
  keyType: ({ type }) => type,
  textType: TEXT,

  text: asText,
  print,
  stored: print,
  storedKey: (column, at) => (isInteger(column) ? at : print(column, at)),
  sameText: (a, b) => `${a} = ${b}`,
  /** A hash of hashes, because a text ends at 65,535 bytes. */
  rowHash(alias, live) {
    const values = [...live.columns.values()].map(
      (column) => `coalesce(sha2(${print(column, `${alias}.${quoteIdentifier(column.name)}`)}, 256), '-')`,
    );
    return `sha2(${values.join(' || ')}, 256)`;
  },
  typed,
  literal,
  isLiteral: (column, at, text) =>
    `coalesce(${print(column, at)} = ${print(column, typed(literal(text), column))}, true)`,
  // Of a SUPER nothing can be taken out: it is masked as a whole.
  maskInside: () => undefined,
  inside: () => undefined,
  equal(a, b) {
    const isSame = (isText(a) && isText(b)) || (isInteger(a) && isInteger(b)) || hasSameEquality(a, b);
    return isSame ? (atA, atB) => `${atB} = ${atA}` : (atA, atB) => `${print(b, atB)} = ${print(a, atA)}`;
  },
  compareWithValues,
  hasPrinted: (column, at, printed) => `${print(column, at)} = ${printed}`,
  foldCase: (text) => `lower(${text})`,
  placeOf: (text, character) => `strpos(${text}, '${character}')`,
  saltedHash: (text) => `sha2(${SETTING.salt} || ${text}, 256)`,
  // A backslash in a text would have to be written twice.
  matches: (text, pattern) => `${text} ~ '${pattern.replaceAll('\\.', '[.]')}'`,
  now: `cast(${SETTING.now} as timestamp)`,
  later: (column, { count, unit }) => `dateadd('${unit}', ${count}, cast(${column} as timestamp))`,
  printTime: (time) => `to_char(${time}, 'YYYY-MM-DD') || 'T' || to_char(${time}, 'HH24:MI:SS') || 'Z'`,
  nowIn: ({ type }) => `cast(cast(${SETTING.now} as timestamp) as ${type})`,
  set: () => undefined,

  keySource,
  keysAre: 'columns',
  keyBatches,

  addFound,
  updateFound: (collection, { column, value }, where) =>
    `update ${collection.found} f set ${column} = ${value(`f.${column}`)} from ${collection.table} t
      where ${matchesKey(collection, 't', 'f')} and ${where}`,
  formerRow: 't',
  update: ({ table, alias, set, from, where }) =>
    `update ${table} ${alias} set ${assigned(set)} from ${from} where ${where}`,
  delete: ({ table, alias, from, where }) => `delete from ${table} ${alias} using ${from} where ${where}`,
  // A transaction that changes what another one changed since it began fails as a whole, and is tried again.
  lock: () => undefined,
  checksForeignKeys: 'never',
  enforcesKeys: false,
  hasSavepoints: false,
  walk: () => [],
  checkNow: [],

  async canonical(transaction, column, text, keeps) {
    if (!fitsColumn(column, text, keeps)) return undefined;
    const [row] = await transaction.rows(`select ${print(column, typed(`cast($1 as ${TEXT})`, column))}`, [
      text,
    ]);
    return row?.[0] ?? undefined;
  },
};

function newKeys(found: string): string {
  return `${found}_new`;
}

/** There is no `on conflict`: keys that are known already are changed, and the others are added. */
async function addFound(
  transaction: SqlTransaction,
  collection: FoundTable,
  select: string,
  values?: readonly unknown[],
): Promise<number> {
  const { found } = collection;
  const names = [...keyNames(collection), 'bits', 'tick', 'pending'];
  const same = keyNames(collection).map((name) => `f.${name} = n.${name}`);
  await transaction.change(`delete from ${newKeys(found)}`);
  const count = await transaction.change(
    `insert into ${newKeys(found)} (${names.join(', ')}) ${select}`,
    values,
  );
  if (count === 0) return 0;
  const changed = await transaction.change(
    `update ${found} f set bits = f.bits | n.bits, tick = coalesce(f.tick, n.tick), pending = (f.pending or n.pending)
       from ${newKeys(found)} n
      where ${same.join(' and ')}
        and (f.bits | n.bits <> f.bits or (f.tick is null and n.tick is not null) or (n.pending and not f.pending))`,
  );
  const added = await transaction.change(
    `insert into ${found} (${names.join(', ')})
     select distinct ${names.map((name) => `n.${name}`).join(', ')} from ${newKeys(found)} n
      where not exists (select 1 from ${found} f where ${same.join(' and ')})`,
  );
  return changed + added;
}

/** Types whose equality is that of their printed form or better. */
function hasSameEquality(a: LiveColumn, b: LiveColumn): boolean {
  return a.baseType === b.baseType && ['N', 'D', 'B'].includes(a.category);
}

/** One parameter for each value. */
function compareWithValues({ column, values, match, spelled }: ValuesToCompare): Comparison | undefined {
  const fitting = values.flatMap((value) => candidatesOf(column, value));
  if (fitting.length === 0) return undefined;
  const parameters = fitting.map((_, index) => `$${index + 1}`);
  const among = (own: (at: string) => string, list: readonly string[]): Comparison => ({
    sql: (at) => `${own(at)} in (${list.join(', ')})`,
    values: fitting,
  });
  if (isInteger(column))
    return among(
      (at) => at,
      parameters.map((given) => `cast(${given} as bigint)`),
    );
  if (column.baseType === 'numeric')
    return among(
      (at) => at,
      parameters.map((given) => `cast(${given} as ${column.type})`),
    );
  // Hexadecimal digits are written in either case.
  const isFolded = isText(column) ? match === 'case-insensitive' : column.baseType === 'binary varying';
  const folded = (text: string) => (isFolded ? `lower(${text})` : text);
  const fold = (isText(column) ? spelled : undefined) ?? folded;
  return among(
    (at) => fold(print(column, at)),
    parameters.map((given) => fold(`cast(${given} as ${TEXT})`)),
  );
}

/** `007` is not the user 7. */
const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/** What the column would hold for an identity value. */
function candidatesOf(column: LiveColumn, value: string): readonly string[] {
  if (isInteger(column)) return isBetween(value, -(2n ** 63n), 2n ** 63n - 1n) ? [value] : [];
  switch (column.baseType) {
    case 'numeric':
      return DECIMAL.test(value) && fitsColumn(column, value, 'whole') ? [value] : [];
    case 'binary varying':
      return bytesOf(value).map((bytes) => bytes.slice(2).toLowerCase());
    default:
      return value.includes('\0') ? [] : [value];
  }
}
