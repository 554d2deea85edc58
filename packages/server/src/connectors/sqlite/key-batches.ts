import type { KeyQuery, SqlTransaction, StoredBatch, Text, TextRow } from '../sql/index.ts';

/** Batches that one fetch brings, and how many times larger one may be where rows are read a range at a time. */
const FETCH_BATCHES = 20;
/** Ranges that are on their way while one is used, so that the file's thread need not wait for this one. */
const RANGES_AHEAD = 16;

/**
 * For each column the texts of JSON arrays. Their order is of no use, because whoever erases has locked the file.
 *
 * The rows are read along the table of found rows that leads to them: `most` of its keys are a range, whose rows are put together as they come.
 * Only a range with far more rows, such as those of one person who wrote all messages, is written down first; and one in which a key may be
 * incomplete, which SQLite then refuses.
 */
export async function* keyBatches(
  transaction: SqlTransaction,
  parts: readonly KeyQuery[],
  most: number,
): AsyncGenerator<StoredBatch> {
  const ranges = rangesOf(parts, { most, edges: await findEdges(transaction, parts, most) });
  const ahead: { readonly of: Range; readonly row: Promise<TextRow> }[] = [];
  const readOn = (): void => {
    const { value: range } = ranges.next();
    if (range !== undefined) ahead.push({ of: range, row: readRange(transaction, range) });
  };
  for (let count = 0; count < RANGES_AHEAD; count += 1) readOn();
  for (let first = ahead.shift(); first !== undefined; first = ahead.shift()) {
    const { index, part } = first.of;
    const [count = '0', ...keys] = await first.row;
    readOn();
    if (Number(count) > most * FETCH_BATCHES || mayHaveNull(keys.slice(0, part.keyParts)))
      yield* numberedBatches(transaction, first.of);
    else if (Number(count) > 0)
      yield { index, count: Number(count), keys: keys.map((array) => array ?? '[]') };
  }
}

interface Range {
  /** The number of the part. */
  readonly index: number;
  readonly part: KeyQuery;
  /** A condition that follows others, and the numbers of its edges. */
  readonly range: string;
  readonly edges: readonly number[];
  readonly most: number;
}

/** Writes down every `most`-th key of the found rows of each part. Gives their numbers; the file's thread is asked for all at once. */
async function findEdges(
  transaction: SqlTransaction,
  parts: readonly KeyQuery[],
  most: number,
): Promise<readonly number[]> {
  await transaction.script(
    parts.flatMap((_, index) => [
      `drop table if exists temp.${edgesOf(index)}`,
      `create table temp.${edgesOf(index)} (number integer primary key, at)`,
    ]),
  );
  const counts = parts.map(({ along: { table, column } }, index) => {
    const edge = (where: string) =>
      `select ${column} from ${table} ${where} order by ${column} limit 1 offset ${most - 1}`;
    return transaction.change(
      `insert into temp.${edgesOf(index)} (at)
       with recursive e (at) as (select (${edge('')}) union all select (${edge(`where ${column} > e.at`)}) from e where e.at is not null)
       select at from e where at is not null`,
    );
  });
  return await Promise.all(counts);
}

function edgesOf(index: number): string {
  return `habeas_edges_${index}`;
}

/** For each part conditions of which each row fulfils one: the edges lie between them. */
function* rangesOf(
  parts: readonly KeyQuery[],
  { most, edges }: { readonly most: number; readonly edges: readonly number[] },
): Generator<Range, undefined> {
  for (const [index, part] of parts.entries()) {
    const { at } = part.along;
    const count = edges[index] ?? 0;
    // Of all ranges but the first and the last the text is one, so that the file's thread reads it once.
    const edge = (place: number) => `(select at from temp.${edgesOf(index)} where number = $${place})`;
    for (let before = 0; before <= count; before += 1) {
      const edges = [...(before === 0 ? [] : [before]), ...(before === count ? [] : [before + 1])];
      const after = before === 0 ? '' : ` and ${at} > ${edge(1)}`;
      const range = before === count ? after : `${after} and ${at} <= ${edge(edges.length)}`;
      yield { index, part, range, edges, most };
    }
  }
}

/** How many rows a range has, and for each column the array of its values. Reads few more rows than may be used. */
function readRange(transaction: SqlTransaction, range: Range): Promise<TextRow> {
  const row =
    range.part.whole === undefined ? readValues(transaction, range) : readNumbers(transaction, range);
  // Its failure is thrown when it is waited for; until then it must not count as unhandled.
  row.catch(() => undefined);
  return row;
}

/**
 * To look at what each value is costs as much as to read it. So those that seem to be whole numbers are printed as they are: whatever is none looks
 * other than one in JSON, and is then read again with what it is. Bytes have no place in JSON, and pass for null.
 */
async function readNumbers(transaction: SqlTransaction, range: Range): Promise<TextRow> {
  const numbers = (range.part.whole ?? []).map((at) => `iif(${at} >= x'', null, ${at})`);
  const row = await readRow(transaction, range, numbers);
  const [, ...keys] = row;
  return keys.every((array) => array !== null && /^[[\],\d-]*$/.test(array))
    ? row
    : readValues(transaction, range);
}

function readValues(transaction: SqlTransaction, range: Range): Promise<TextRow> {
  return readRow(transaction, range, range.part.values);
}

async function readRow(
  transaction: SqlTransaction,
  { part, range, edges, most }: Range,
  values: readonly string[],
): Promise<TextRow> {
  const names = namesOf(part);
  const selected = values.map((value, at) => `${value} as ${names[at]}`);
  const [row = []] = await transaction.rows(
    `select cast(count(*) as text), ${names.map((name) => `json_group_array(${name})`).join(', ')}
       from (select ${selected.join(', ')} from ${part.rows}${range} limit ${most * FETCH_BATCHES + 1})`,
    edges,
  );
  return row;
}

/**
 * The keys of any number of rows: they are written down in a temporary table first, which numbers them. Batches are then ranges of it, which
 * costs a fraction of `row_number()` and of rows that are made here.
 */
async function* numberedBatches(
  transaction: SqlTransaction,
  { part, range, edges, most, index }: Range,
): AsyncGenerator<StoredBatch> {
  const names = namesOf(part);
  const columns = names.map((name, at) => `${name}${at < part.keyParts ? ' not null' : ''}`);
  await transaction.script([
    'drop table if exists temp.habeas_batches',
    `create table temp.habeas_batches (number integer primary key, ${columns.join(', ')})`,
  ]);
  const count = await transaction.change(
    `insert into temp.habeas_batches (${names.join(', ')}) select ${part.values.join(', ')} from ${part.rows}${range}`,
    edges,
  );
  const arrays = names.map(
    (name) =>
      `(select json_group_array(k.${name}) from temp.habeas_batches k where k.number > b.first and k.number <= b.first + ${most})`,
  );
  const batches = transaction.stream(
    `with recursive b (first) as (select 0 union all select first + ${most} from b where first + ${most} < ${count})
     select ${arrays.join(', ')} from b`,
    { mostRows: FETCH_BATCHES },
  );
  let left = count;
  for await (const fetched of batches)
    for (const row of fetched) {
      yield { index, count: Math.min(left, most), keys: row.map((array) => array ?? '[]') };
      left -= most;
    }
}

/** An old table may have a primary key without a value. Texts that hold this word are taken for one too. */
function mayHaveNull(arrays: readonly Text[]): boolean {
  return arrays.some((array) => array?.includes('null') === true);
}

/** What the parts of a query are called where it is read again. */
function namesOf({ values }: KeyQuery): readonly string[] {
  return values.map((_, at) => `v${at + 1}`);
}
