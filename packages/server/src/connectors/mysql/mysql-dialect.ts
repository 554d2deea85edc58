import {
  assigned,
  keyColumns,
  keyNames,
  type LiveTable,
  maskInsideText,
  matchesKey,
  quoteIdentifier,
  type SqlDialect,
  type TextJson,
  tried,
} from '../sql/index.ts';
import { classOf, isTextClass } from './column-class.ts';
import { compareWithValues, hasPrinted } from './compare-values.ts';
import { insideJson } from './inside-json.ts';
import type { Product } from './product.ts';
import { keyBatches, keySource } from './stored-keys.ts';
import { binaryText, fromStored, keyType, print, quoteLiteral, stored } from './values.ts';

/** The `json` of MariaDB is a text as well, and that of MySQL is read alike. */
const TEXT_JSON: TextJson = {
  literal: quoteLiteral,
  type: (json, path) => `lower(cast(json_type(json_extract(${json}, ${path})) as char))`,
  isText: (json, path, text) =>
    `cast(json_unquote(json_extract(${json}, ${path})) as binary) = cast(${quoteLiteral(text)} as binary)`,
};

/** What both have in common, in the modes that product.ts sets: identifiers in `"`, no escapes in texts, `||` joins texts. */
const commonDialect = (product: Product): SqlDialect => ({
  name: product,
  plainSchema: '',
  tableOf: tableName,
  joinFromFew: 'join',
  temporary: (name) => name,
  createTemporary({ name, columns, key, rows }) {
    const index = `${rows === 'several' ? 'key' : 'primary key'} (${key.join(', ')})`;
    return emptyTable(name, `${columns.join(', ')}, ${index}`);
  },
  keyType,
  textType: `varchar(700) ${binaryText(product)}`,

  text: (sql) => `cast(${sql} as char)`,
  print,
  stored,
  // A whole number stays one in JSON.
  storedKey: (column, at) => (classOf(column) === 'integer' ? at : stored(column, at)),
  sameText: (a, b) => `${a} = ${b}`,
  rowHash(alias, live) {
    const values = [...live.columns.values()].map((column) => {
      const value = stored(column, `${alias}.${quoteIdentifier(column.name)}`);
      return `coalesce(concat(char_length(${value}), ':', ${value}), '-')`;
    });
    return `sha2(concat(${values.join(', ')}), 256)`;
  },
  typed: (sql) => sql,
  literal: quoteLiteral,
  isLiteral(column, at, text) {
    const literal = quoteLiteral(text);
    if (isTextClass(classOf(column))) return `coalesce(${print(column, at)} = ${literal}, true)`;
    return `coalesce(${at} = ${classOf(column) === 'json' ? fromStored(column, literal) : literal}, true)`;
  },
  maskInside: (column, values) =>
    ['text', 'json'].includes(classOf(column)) ? maskInsideText(column, values, TEXT_JSON) : undefined,
  inside: (column, path) => insideJson(column, path, product),
  equal(a, b) {
    const [one, other] = [classOf(a), classOf(b)];
    const isSame = one === other && a.letters?.collation === b.letters?.collation;
    return isSame ? (atA, atB) => `${atB} = ${atA}` : (atA, atB) => `${print(b, atB)} = ${print(a, atA)}`;
  },
  compareWithValues: (options) => compareWithValues(options, product),
  hasPrinted,
  foldCase: (text) => `lower(${text})`,
  placeOf: (text, character) => `instr(${text}, '${character}')`,
  saltedHash: (text) => `sha2(concat(@habeas_salt, ${text}), 256)`,
  matches: (text, pattern) => `(${text} regexp '${pattern}')`,
  now: 'cast(@habeas_now as datetime(6))',
  later: (column, { count, unit }) => `date_add(cast(${column} as datetime(6)), interval ${count} ${unit})`,
  printTime: (time) => `date_format(${time}, '%Y-%m-%dT%H:%i:%sZ')`,
  nowIn: () => 'cast(@habeas_now as datetime(6))',
  set: (name) => `set @habeas_${name} = $1`,

  keySource: (columns, texts) => keySource(columns, texts, product),
  keysAre: 'tuples',
  keyBatches,

  addFound(transaction, collection, select, values) {
    const { found } = collection;
    return transaction.change(
      `insert into ${found} (${keyColumns(collection)}, bits, tick, pending) ${select}
       on duplicate key update bits = ${found}.bits | values(bits), tick = coalesce(${found}.tick, values(tick)),
         pending = greatest(${found}.pending, values(pending))`,
      values,
    );
  },
  // An update may not read the table that it changes; an insertion may.
  updateFound(collection, { column, value }, where) {
    const { found, table } = collection;
    const keys = keyNames(collection);
    return `insert into ${found} (${keys.join(', ')}, bits, tick, pending)
      select ${keys.map((name) => `f.${name}`).join(', ')}, f.bits, f.tick, f.pending
        from ${found} f join ${table} t on ${matchesKey(collection, 't', 'f')} where ${where}
      on duplicate key update ${column} = ${value(`${found}.${column}`)}`;
  },
  formerRow: 't',
  update: ({ table, alias, set, from, where }) =>
    `update ${table} ${alias} join ${from} set ${assigned(set.map(([column, value]) => [`${alias}.${column}`, value]))} where ${where}`,
  delete({ table, alias, from, where, absent = [] }) {
    const joins = absent.map(({ row, on }) => ` left join ${row} on ${on}`);
    const without = absent.map(({ column }) => ` and ${column} is null`);
    return `delete ${alias} from ${table} ${alias} join ${from}${joins.join('')} where ${where}${without.join('')}`;
  },
  lock: ({ rows, order }) => `select 1 from ${rows} order by ${order} for update`,
  checksForeignKeys: 'at each row',
  enforcesKeys: true,
  hasSavepoints: true,
  walk: () => [],
  checkNow: [],

  async canonical(transaction, column, text, keeps) {
    const definition = `${column.type}${column.letters === undefined ? '' : ` character set ${column.letters.charset} collate ${column.letters.collation}`}`;
    await transaction.script(emptyTable('habeas_value', `v ${definition} null`));
    const isNumber = ['integer', 'unsigned', 'decimal'].includes(classOf(column));
    const whole = isNumber && keeps === 'whole' ? 'v = cast($1 as decimal(65, 30))' : 'true';
    return await tried(transaction, async () => {
      await transaction.change('insert into habeas_value (v) values ($1)', [text]);
      const values = whole === 'true' ? [] : [text];
      const [row] = await transaction.rows(
        `select ${print(column, 'v')} from habeas_value where ${whole}`,
        values,
      );
      return row?.[0] ?? undefined;
    });
  },
});

/** MySQL assigns one column after the other, each with what those before it have become, and updates may read what they change. */
const mysqlDialect: SqlDialect = {
  ...commonDialect('MySQL'),
  updateFound: ({ found, table, ...collection }, { column, value }, where) =>
    `update ${found} f join ${table} t on ${matchesKey(collection, 't', 'f')} set f.${column} = ${value(`f.${column}`)} where ${where}`,
  formerRow: 'former',
  update({ table, alias, set, from, where, former = [] }) {
    const columns = former.map((name) => `${alias}.${quoteIdentifier(name)}`);
    const before = former.length === 0 ? '' : ` join lateral (select ${columns.join(', ')}) former`;
    const assignments = assigned(set.map(([column, value]) => [`${alias}.${column}`, value]));
    return `update ${table} ${alias} join ${from}${before} set ${assignments} where ${where}`;
  },
};

export const DIALECTS: Readonly<Record<Product, SqlDialect>> = {
  MariaDB: commonDialect('MariaDB'),
  MySQL: mysqlDialect,
};

/** Of another database than the connection's own, with that. */
export function tableName({ schema, table }: Pick<LiveTable, 'schema' | 'table'>): string {
  return [schema, table]
    .filter((name) => name !== '')
    .map(quoteIdentifier)
    .join('.');
}

function emptyTable(name: string, columns: string): readonly string[] {
  return [
    `drop temporary table if exists ${name}`,
    `create temporary table ${name} (${columns}) engine = InnoDB`,
  ];
}
