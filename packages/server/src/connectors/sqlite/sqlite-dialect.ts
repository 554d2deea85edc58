import {
  assigned,
  keyColumns,
  type LiveColumn,
  maskInsideText,
  matchesKey,
  quoteIdentifier,
  type SqlDialect,
  type TextJson,
} from '../sql/index.ts';
import { affinityOf } from './affinity.ts';
import { compareWithValues } from './compare-values.ts';
import { insideJson } from './inside-json.ts';
import { keyBatches } from './key-batches.ts';
import { keySource, tagged, taggedKey } from './stored-keys.ts';

const TEXT_JSON: TextJson = {
  literal: quoteLiteral,
  type: (json, path) => `json_type(${json}, ${path})`,
  isText: (json, path, text) => `json_extract(${json}, ${path}) = ${quoteLiteral(text)}`,
};

/** SQLite's SQL, with the functions of sqlite-functions.ts. */
export const sqliteDialect: SqlDialect = {
  name: 'SQLite',
  plainSchema: 'main',
  tableOf: ({ table }) => `main.${quoteIdentifier(table)}`,
  // SQLite knows nothing of a temporary table, and would rather read a large table from end to end.
  joinFromFew: 'cross join',
  temporary: (name) => `temp.${name}`,
  createTemporary({ name, columns, key, rows }) {
    const list = key.join(', ');
    const isKeyed = rows !== 'several';
    return [
      `drop table if exists temp.${name}`,
      `create table temp.${name} (${columns.join(', ')}${isKeyed ? `, primary key (${list})) without rowid` : ')'}`,
      ...(isKeyed ? [] : [`create index temp.${name}_key on ${name} (${list})`]),
    ];
  },
  keyType: ({ type }) => type,
  textType: 'text',

  text: (sql) => `cast(${sql} as text)`,
  print,
  stored: (_, at) => tagged(at),
  storedKey: (_, at) => taggedKey(at),
  seemsWhole: ({ type }) => affinityOf(type) === 'integer',
  sameText: (a, b) => `${a} = ${b}`,
  rowHash(alias, live) {
    const values = [...live.columns.keys()].map((name) => quoted(`${alias}.${quoteIdentifier(name)}`));
    return `habeas_hash(${values.join(` || ',' || `)})`;
  },
  typed: (sql) => sql,
  literal: quoteLiteral,
  isLiteral: (_, at, text) => `coalesce(${at} = ${quoteLiteral(text)} collate binary, true)`,
  maskInside: (column, values) => maskInsideText(column, values, TEXT_JSON),
  inside: insideJson,
  equal(a, b) {
    const [one, other] = [affinityOf(a.type), affinityOf(b.type)];
    // A number would be made of the text, so that `007` was `7`.
    const isMixed =
      one !== other && (one === 'text' || other === 'text') && one !== 'blob' && other !== 'blob';
    return isMixed
      ? (atA, atB) => `cast(${atB} as text) = cast(${atA} as text)`
      : (atA, atB) => `${atB} = ${atA}`;
  },
  compareWithValues,
  hasPrinted: (column, at, printed) => `(${at} = ${printed} and ${print(column, at)} = ${printed})`,
  foldCase: (text) => `habeas_fold(${text})`,
  placeOf: (text, character) => `instr(${text}, '${character}')`,
  saltedHash: (text) => `habeas_salted_hash(${text})`,
  matches: (text, pattern) => `habeas_matches(${text}, '${pattern}')`,
  now: 'habeas_now()',
  later: (column, { count, unit }) => `habeas_later(${column}, ${count}, '${unit}')`,
  printTime: (time) => `strftime('%Y-%m-%dT%H:%M:%SZ', ${time})`,
  nowIn: ({ baseType }) => (baseType.includes('int') ? `unixepoch(habeas_now())` : `datetime(habeas_now())`),
  set: () => undefined,

  keySource,
  keysAre: 'columns',
  keyBatches,

  addFound(transaction, collection, select, values) {
    const columns = keyColumns(collection);
    return transaction.change(
      `insert into ${collection.found} as f (${columns}, bits, tick, pending) ${select}
       on conflict (${columns}) do update
       set bits = f.bits | excluded.bits, tick = coalesce(f.tick, excluded.tick), pending = f.pending or excluded.pending
       where f.bits | excluded.bits <> f.bits or (f.tick is null and excluded.tick is not null) or (excluded.pending and not f.pending)`,
      values,
    );
  },
  updateFound: (collection, { column, value }, where) =>
    `update ${collection.found} as f set ${column} = ${value(`f.${column}`)} from ${collection.table} as t
      where ${matchesKey(collection, 't', 'f')} and ${where}`,
  formerRow: 't',
  update: ({ table, alias, set, from, where }) =>
    `update ${table} as ${alias} set ${assigned(set)} from ${from} where ${where}`,
  delete({ table, alias, from, where, key, absent = [] }) {
    const without = absent.map(({ row, on }) => ` and not exists (select 1 from ${row} where ${on})`);
    const own = key?.own.join(', ') ?? '';
    const rows =
      key === undefined
        ? `exists (select 1 from ${from} where ${where})`
        : `${key.own.length === 1 ? own : `(${own})`} in (select ${key.of.join(', ')} from ${from} where ${key.condition})`;
    return `delete from ${table} as ${alias} where ${rows}${without.join('')}`;
  },
  // The transaction has locked the file.
  lock: () => undefined,
  checksForeignKeys: 'at each row',
  enforcesKeys: true,
  hasSavepoints: true,
  walk: () => [],
  checkNow: [],

  async canonical(transaction, column, text, keeps) {
    await transaction.script(['drop table if exists temp.habeas_value']);
    await transaction.script([`create table temp.habeas_value (v ${column.type})`]);
    await transaction.change('insert into temp.habeas_value (v) values ($1)', [text]);
    const [row] = await transaction.rows(`select ${print(column, 'v')}, typeof(v) from temp.habeas_value`);
    const [printed, type = ''] = row ?? [];
    return fits(column, type ?? '', keeps) ? (printed ?? undefined) : undefined;
  },
};

/** As an SQL literal that tells all values apart: SQLite's own ends with the first character U+0000. */
function quoted(at: string): string {
  return `case when typeof(${at}) = 'text' and instr(${at}, char(0)) > 0 then 't' || hex(${at}) else quote(${at}) end`;
}

/** Bytes are printed as PostgreSQL prints them. */
function print(_: LiveColumn, at: string): string {
  return `case typeof(${at}) when 'blob' then '\\x' || lower(hex(${at})) else cast(${at} as text) end`;
}

/**
 * SQLite stores a text in a column of numbers, where it is none. Such a value does not fit; a column of dates, whose affinity is numeric
 * as well, holds texts.
 */
function fits({ type }: LiveColumn, stored: string, keeps: 'whole' | 'rounded'): boolean {
  const affinity = affinityOf(type);
  if (affinity === 'integer') return stored === 'integer' || (stored === 'real' && keeps === 'rounded');
  if (affinity === 'real' || /dec|num/i.test(type)) return stored === 'integer' || stored === 'real';
  return true;
}

function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
