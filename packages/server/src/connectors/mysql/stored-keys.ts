import { HabeasError } from '../../foundation/index.ts';
import type { KeyQuery, KeySource, SqlTransaction, StoredBatch, StoredColumn } from '../sql/index.ts';
import { classOf } from './column-class.ts';
import type { Product } from './product.ts';
import { binaryText, fromStored } from './values.ts';

/** Batches that one fetch brings. */
const FETCH_BATCHES = 20;

/**
 * One row for each batch, whose keys are one JSON text, an array for each key, so that a key costs no work here. The server reads these texts
 * again.
 */
export async function* keyBatches(
  transaction: SqlTransaction,
  parts: readonly KeyQuery[],
  most: number,
): AsyncGenerator<StoredBatch> {
  for (const [index, part] of parts.entries())
    for await (const rows of transaction.stream(selectBatches(part, most), { mostRows: FETCH_BATCHES }))
      for (const [count, keys, length] of rows) {
        if (keys == null || length !== count) throw cutOff();
        yield { index, count: Number(count), keys: [keys] };
      }
}

function selectBatches({ values, rows, order }: KeyQuery, most: number): string {
  const names = values.map((_, at) => `v${at + 1}`);
  return `select cast(b.count as char), b.texts, cast(json_length(b.texts) as char) from (
            select count(*) as count, (number - 1) div ${most} as batch,
                   concat('[', group_concat(json_array(${names.join(', ')}) order by number separator ','), ']') as texts
              from (select ${values.map((value, at) => `${value} as ${names[at]}`).join(', ')},
                           row_number() over (order by ${order}) as number
                      from ${rows}) numbered
             group by batch) b
           order by b.batch`;
}

/** The server cuts off what is longer than a packet, and only warns. */
function cutOff(): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    'A thousand keys do not fit in one packet of the server; nothing was changed. Raise max_allowed_packet, of which 16 MB are the default.',
  );
}

/** The keys as a table that is read from one JSON text. */
export function keySource(
  columns: readonly StoredColumn[],
  texts: readonly (readonly string[])[],
  product: Product,
): KeySource {
  const isInteger = ({ column }: StoredColumn) => column !== undefined && classOf(column) === 'integer';
  const read = columns.map((stored, at) => {
    const type = isInteger(stored) ? 'bigint' : `varchar(2800) ${binaryText(product)}`;
    return `v${at} ${type} path '$[${at}]'`;
  });
  const selected = columns.map((stored, at) => {
    const { column, name } = stored;
    const value = `j.v${at}`;
    return `${column === undefined || isInteger(stored) ? value : fromStored(column, value)} as ${name}`;
  });
  const [batches = []] = texts;
  const source = (parts: number) =>
    `(select ${selected.slice(0, parts).join(', ')} from json_table($1, '$[*]' columns (${read.slice(0, parts).join(', ')})) j)`;
  const keys = `[${batches.map((batch) => batch.slice(1, -1)).join(',')}]`;
  return {
    source: source(columns.length),
    values: [keys],
    firsts:
      columns.length === 1
        ? undefined
        : {
            rows: (table, at) => `${table} t where ${at} in ${source(1)}`,
            get values() {
              return [keys.includes('"') ? keys : firstNumbers(keys)];
            },
          },
  };
}

/** Of keys that are whole numbers the first parts, without those that stand before as well: the lines of an order have its number. */
function firstNumbers(keys: string): string {
  const firsts: string[] = [];
  for (let at = keys.indexOf('[', 1); at >= 0; at = keys.indexOf('[', at + 1)) {
    const first = keys.slice(at, keys.indexOf(',', at));
    if (first !== firsts.at(-1)) firsts.push(first);
  }
  return `[${firsts.map((first) => `${first}]`).join(',')}]`;
}
