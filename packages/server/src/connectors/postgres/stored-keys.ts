import type { KeyQuery, KeySource, SqlTransaction, StoredBatch, StoredColumn } from '../sql/index.ts';
import { isPlain } from './plain-types.ts';

/** Batches that one fetch brings. */
const FETCH_BATCHES = 20;

/**
 * One row for each batch: which query, how many keys, and for each column the text of an array of its values, in the order of the keys.
 * PostgreSQL reads these texts again, so that a key costs no work here. One statement for all queries, because each costs a few ways to the
 * server and back.
 */
export async function* keyBatches(
  transaction: SqlTransaction,
  parts: readonly KeyQuery[],
  most: number,
): AsyncGenerator<StoredBatch> {
  const width = Math.max(...parts.map(({ values }) => values.length));
  const selects = parts.map((part, index) => `(${selectBatches(part, { index, width, most })})`);
  for await (const rows of transaction.stream(selects.join(' union all '), { mostRows: FETCH_BATCHES })) {
    for (const [index, count, ...arrays] of rows) {
      const { values } = parts[Number(index)] as KeyQuery;
      yield { index: Number(index), count: Number(count), keys: values.map((_, at) => arrays[at] ?? '{}') };
    }
  }
}

function selectBatches(
  { values, rows, order }: KeyQuery,
  { index, width, most }: { readonly index: number; readonly width: number; readonly most: number },
): string {
  const names = values.map((_, at) => `v${at + 1}`);
  const arrays = names.map((name) => `array_agg(${name} order by number)::text`);
  const padding = Array.from({ length: width - arrays.length }, () => 'null::text');
  return `select '${index}'::text, count(*)::text, ${[...arrays, ...padding].join(', ')}
            from (select ${values.map((value, at) => `${value} as ${names[at]}`).join(', ')},
                         row_number() over (order by ${order}) as number
                    from ${rows}) numbered
           group by (number - 1) / ${most}
           order by (number - 1) / ${most}`;
}

/** The keys as they are stored: texts of arrays, which PostgreSQL wrote and reads again, so that nothing here takes them apart. */
export function keySource(
  columns: readonly StoredColumn[],
  arrays: readonly (readonly string[])[],
): KeySource {
  const parameters = columns.map(({ column }, index) => {
    const type = column?.type ?? 'text';
    const plain = isPlain(type);
    return {
      sql: `$${index + 1}::${plain ? type : 'text'}[]`,
      value: `{${(arrays[index] ?? []).map((array) => array.slice(1, -1)).join(',')}}`,
      cast: plain || type === 'text' ? '' : `::${type}`,
    };
  });
  const names = columns.map(({ name }) => name);
  const selected = names.map((name, index) => `${name}${parameters[index]?.cast ?? ''} as ${name}`);
  const [first] = columns;
  const isOnePlain = columns.length === 1 && isPlain(first?.column?.type ?? '');
  return {
    source: `(select ${selected.join(', ')}
                from unnest(${parameters.map(({ sql }) => sql).join(', ')}) u(${names.join(', ')}))`,
    values: parameters.map(({ value }) => value),
    array: isOnePlain ? parameters[0]?.sql : undefined,
  };
}
