import type {
  KeyQuery,
  KeySource,
  SqlTransaction,
  StoredBatch,
  StoredColumn,
  Text,
  TextRow,
} from '../../sql/index.ts';
import { LONGEST_TEXT, TEXT, typed } from './redshift-values.ts';

/** Most bytes of one part of the keys of a batch: it is sent as one text. */
const MOST_BYTES = LONGEST_TEXT - 5_535;

/** A text that may be nothing. */
const THERE = '=';

/**
 * Batches of keys: for each column the text of a JSON array with its values in the order of the keys. Redshift has no arrays and no aggregate
 * that makes one, so that they are put together here, from rows that come one after the other.
 */
export async function* keyBatches(
  transaction: SqlTransaction,
  parts: readonly KeyQuery[],
  most: number,
): AsyncGenerator<StoredBatch> {
  for (const [index, { values, keyParts, rows, order }] of parts.entries()) {
    let open = new OpenBatch(keyParts);
    const names = values.map((value, at) => `${value} as v${at + 1}`);
    for await (const batch of transaction.stream(`select ${names.join(', ')} from ${rows} order by ${order}`))
      for (const row of batch) {
        if (open.count >= most || !open.hasRoomFor(row)) {
          yield { index, count: open.count, keys: open.keys };
          open = new OpenBatch(keyParts);
        }
        open.add(row);
      }
    if (open.count > 0) yield { index, count: open.count, keys: open.keys };
  }
}

class OpenBatch {
  count = 0;
  readonly #keyParts: number;
  #columns: string[][] = [];
  #bytes: number[] = [];

  constructor(keyParts: number) {
    this.#keyParts = keyParts;
  }

  get keys(): readonly string[] {
    return this.#columns.map((values) => `[${values.join(',')}]`);
  }

  hasRoomFor(row: TextRow): boolean {
    const texts = this.#textsOf(row);
    return texts.every((text, at) => (this.#bytes[at] ?? 0) + Buffer.byteLength(text) < MOST_BYTES);
  }

  add(row: TextRow): void {
    for (const [at, text] of this.#textsOf(row).entries()) {
      const values = this.#columns[at] ?? [];
      values.push(text);
      this.#columns[at] = values;
      this.#bytes[at] = (this.#bytes[at] ?? 0) + Buffer.byteLength(text) + 1;
    }
    this.count += 1;
  }

  /** What a reference pointed at may be null, which JSON's null is not for certain. */
  #textsOf(row: TextRow): readonly string[] {
    return row.map((value: Text, at) =>
      JSON.stringify(at < this.#keyParts ? (value ?? '') : value === null ? '' : `${THERE}${value}`),
    );
  }
}

const DIGITS = Array.from({ length: 10 }, (_, digit) => `select ${digit}${digit === 0 ? ' as d' : ''}`);
const DIGIT = `(${DIGITS.join(' union all ')})`;
/** 0 to 999: Redshift makes no rows of a text or a series beside its tables. */
const NUMBERS = `(select a.d + 10 * b.d + 100 * c.d as n from ${DIGIT} a cross join ${DIGIT} b cross join ${DIGIT} c)`;

/** The keys as rows: the n-th element of each array, for each n that the arrays have. */
export function keySource(
  columns: readonly StoredColumn[],
  arrays: readonly (readonly string[])[],
): KeySource {
  const batches = arrays[0]?.length ?? 0;
  const values: string[] = [];
  const selects = Array.from({ length: batches }, (_, batch) => {
    const sent = columns.map((_, at) => {
      values.push(arrays[at]?.[batch] ?? '[]');
      return `cast($${values.length} as ${TEXT}) as a${at + 1}`;
    });
    const selected = columns.map(({ name, column }, at) => {
      const text = `json_extract_array_element_text(j.a${at + 1}, n.n)`;
      return `${keyValue(text, column, at)} as ${name}`;
    });
    return `select ${selected.join(', ')} from (select ${sent.join(', ')}) j cross join ${NUMBERS} n where n.n < json_array_length(j.a1)`;
  });
  return { source: `(${selects.join(' union all ')})`, values };
}

function keyValue(text: string, column: StoredColumn['column'], at: number): string {
  if (column !== undefined) return typed(text, column);
  // The first one is the hash of a row; behind a key is what a reference pointed at.
  return at === 0
    ? `cast(${text} as ${TEXT})`
    : `cast(case when ${text} = '' then null else substring(${text}, 2) end as ${TEXT})`;
}
