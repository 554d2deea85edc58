import {
  assigned,
  keyColumns,
  type LiveColumn,
  matchesKey,
  quoteIdentifier,
  type SqlDialect,
  tried,
} from '../sql/index.ts';
import { compareWithValues, hasEquality, isComparable } from './compare-sql.ts';
import { insideJsonb } from './inside-jsonb.ts';
import { maskInside } from './mask-inside.ts';
import { isPlain } from './plain-types.ts';
import { quoteLiteral } from './quote-literal.ts';
import { keyBatches, keySource } from './stored-keys.ts';

/** PostgreSQL's SQL. */
export const postgresDialect: SqlDialect = {
  name: 'PostgreSQL',
  plainSchema: 'public',
  tableOf: ({ schema, table }) => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`,
  joinFromFew: 'join',
  temporary: (name) => `pg_temp.${name}`,
  createTemporary({ name, columns, key, rows }) {
    const index = rows === 'unique' ? [`primary key (${key.join(', ')})`] : [];
    return [
      `create temporary table if not exists ${name} (${[...columns, ...index].join(', ')}) on commit delete rows`,
    ];
  },
  keyType: ({ type }) => type,
  textType: 'text',

  text: (sql) => `${sql}::text`,
  print,
  stored: (_, at) => `${at}::text`,
  storedKey: ({ type }, at) => (isPlain(type) ? at : `${at}::text`),
  sameText: (a, b) => `${a} = ${b}`,
  rowHash: (alias) => `encode(sha256(convert_to((${alias}.*)::text, 'UTF8')), 'hex')`,
  typed: (sql, { type }) => `(${sql})::${type}`,
  literal: quoteLiteral,
  // As text, because not every type can be compared.
  isLiteral: ({ type }, at, text) => `coalesce(${at}::text = (${quoteLiteral(text)}::${type})::text, true)`,
  maskInside,
  inside: insideJsonb,
  equal(a, b) {
    const cast = isComparable(a, b) && hasEquality(a) && hasEquality(b) ? '' : '::text';
    return (atA, atB) => `${atB}${cast} = ${atA}${cast}`;
  },
  compareWithValues,
  hasPrinted: ({ type }, at, printed) => `${at} = ${printed}::${type}`,
  foldCase: (text) => `lower(${text})`,
  placeOf: (text, character) => `strpos(${text}, '${character}')`,
  saltedHash: (text) =>
    `encode(sha256(convert_to(current_setting('habeas.salt') || ${text}, 'UTF8')), 'hex')`,
  matches: (text, pattern) => `${text} ~ '${pattern}'`,
  now: `current_setting('habeas.now')::timestamptz`,
  later: (column, { count, unit }) => `(${column}::timestamptz + interval '${count} ${unit}')`,
  printTime: (time) => `to_char((${time}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
  nowIn: ({ type }) => `current_setting('habeas.now')::timestamptz::${type}`,
  set: (name) => `select set_config('habeas.${name}', $1, true)`,

  keySource,
  keysAre: 'columns',
  keyBatches,

  /** A key that was found before remembers the new way; it becomes the person's at most once. */
  addFound(transaction, collection, select, values) {
    const insert = `insert into ${collection.found} as f (${keyColumns(collection)}, bits, tick, pending) ${select}`;
    if (collection.isFoundOnce) return transaction.change(insert, values);
    return transaction.change(
      `${insert} on conflict (${keyColumns(collection)}) do update
       set bits = f.bits | excluded.bits, tick = coalesce(f.tick, excluded.tick), pending = f.pending or excluded.pending
       where f.bits | excluded.bits <> f.bits or (f.tick is null and excluded.tick is not null) or (excluded.pending and not f.pending)`,
      values,
    );
  },
  updateFound: (collection, { column, value }, where) =>
    `update ${collection.found} f set ${column} = ${value(`f.${column}`)} from ${collection.table} t
      where ${matchesKey(collection, 't', 'f')} and ${where}`,
  formerRow: 't',
  update: ({ table, alias, set, from, where }) =>
    `update ${table} ${alias} set ${assigned(set)} from ${from} where ${where}`,
  delete({ table, alias, from, where, absent = [] }) {
    const without = absent.map(({ row, on }) => ` and not exists (select 1 from ${row} where ${on})`);
    return `delete from ${table} ${alias} using ${from} where ${where}${without.join('')}`;
  },
  lock: ({ rows, alias, order }) =>
    `select count(*)::text from (select 1 from ${rows} order by ${order} for update of ${alias}) locked`,
  checksForeignKeys: 'at the end',
  enforcesKeys: true,
  hasSavepoints: true,
  walk(how) {
    const setting = how === 'freely' ? 'on' : 'off';
    return ['hashjoin', 'mergejoin', 'seqscan', 'bitmapscan'].map(
      (way) => `set local enable_${way} = ${setting}`,
    );
  },
  checkNow: ['set constraints all immediate'],

  async canonical(transaction, column, text, keeps) {
    const { type, baseType } = column;
    const wide = widest(column);
    const same = WITHOUT_EQUALITY.has(baseType) ? 'true' : `(v)::${wide} = $1::text::${wide}`;
    const kept = keeps === 'whole' ? same : 'true';
    const rows = await tried(transaction, () =>
      transaction.rows(
        `select ${print(column, 'v')} from (select $1::text::${type} as v) typed where ${kept}`,
        [text],
      ),
    );
    return rows?.[0]?.[0] ?? undefined;
  },
};

/** Cast to a text, a single address would get the length of its network: `192.0.2.1/32`. */
function print({ baseType }: LiveColumn, at: string): string {
  return baseType === 'inet' ? `abbrev(${at})` : `${at}::text`;
}

const WITHOUT_EQUALITY: ReadonlySet<string> = new Set(['json', 'xml', 'point', 'polygon', 'line']);

/** A type in which any length and precision is kept, to see whether the column's own type loses something. */
function widest(column: LiveColumn): string {
  if (column.baseType === 'character') return 'bpchar';
  return column.baseType === 'bit' ? 'bit varying' : column.baseType;
}
