import type { KeyQuery, SqlTransaction, StoredBatch, Text, TextRow } from '../sql/index.ts';

/** Batches that one fetch brings, and how many times larger one may be where rows are read a range at a time. */
const FETCH_BATCHES = 20;
/** Ranges that are on their way while one is used, so that the file's thread need not wait for this one. */
const RANGES_AHEAD = 4;

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
  for (const [index, part] of parts.entries()) {
    const ranges = (await rangesOf(transaction, part, most)).values();
    const ahead: { readonly range: string; readonly row: Promise<TextRow> }[] = [];
    const readOn = (): void => {
      const { value: range } = ranges.next();
      if (range !== undefined) ahead.push({ range, row: readRange(transaction, { part, range, most }) });
    };
    for (let count = 0; count < RANGES_AHEAD; count += 1) readOn();
    for (let first = ahead.shift(); first !== undefined; first = ahead.shift()) {
      const [count = '0', ...keys] = await first.row;
      readOn();
      if (Number(count) > most * FETCH_BATCHES || mayHaveNull(keys.slice(0, part.keyParts)))
        yield* numberedBatches(transaction, { part, range: first.range, most, index });
      else if (Number(count) > 0)
        yield { index, count: Number(count), keys: keys.map((array) => array ?? '[]') };
    }
  }
}

interface Range {
  readonly part: KeyQuery;
  /** A condition that follows others. */
  readonly range: string;
  readonly most: number;
}

/** Conditions of which each row fulfils one. Edges lie between them: every `most`-th key of the found rows. */
async function rangesOf(
  transaction: SqlTransaction,
  { along: { table, column, at } }: KeyQuery,
  most: number,
): Promise<readonly string[]> {
  const edge = (where: string) =>
    `select ${column} from ${table} ${where} order by ${column} limit 1 offset ${most - 1}`;
  await transaction.script([
    'drop table if exists temp.habeas_edges',
    'create table temp.habeas_edges (number integer primary key, at)',
  ]);
  const edges = await transaction.change(
    `insert into temp.habeas_edges (at)
     with recursive e (at) as (select (${edge('')}) union all select (${edge(`where ${column} > e.at`)}) from e where e.at is not null)
     select at from e where at is not null`,
  );
  const edgeAt = (number: number) => `(select at from temp.habeas_edges where number = ${number})`;
  return Array.from({ length: edges + 1 }, (_, before) => {
    const after = before === 0 ? '' : ` and ${at} > ${edgeAt(before)}`;
    return before === edges ? after : `${after} and ${at} <= ${edgeAt(before + 1)}`;
  });
}

/** How many rows a range has, and for each column the array of its values. Reads few more rows than may be used. */
function readRange(transaction: SqlTransaction, { part, range, most }: Range): Promise<TextRow> {
  const names = namesOf(part);
  const values = part.values.map((value, at) => `${value} as ${names[at]}`);
  const row = transaction
    .rows(
      `select cast(count(*) as text), ${names.map((name) => `json_group_array(${name})`).join(', ')}
         from (select ${values.join(', ')} from ${part.rows}${range} limit ${most * FETCH_BATCHES + 1})`,
    )
    .then(([only]) => only ?? []);
  // Its failure is thrown when it is waited for; until then it must not count as unhandled.
  row.catch(() => undefined);
  return row;
}

/**
 * The keys of any number of rows: they are written down in a temporary table first, which numbers them. Batches are then ranges of it, which
 * costs a fraction of `row_number()` and of rows that are made here.
 */
async function* numberedBatches(
  transaction: SqlTransaction,
  { part, range, most, index }: Range & { readonly index: number },
): AsyncGenerator<StoredBatch> {
  const names = namesOf(part);
  const columns = names.map((name, at) => `${name}${at < part.keyParts ? ' not null' : ''}`);
  await transaction.script([
    'drop table if exists temp.habeas_batches',
    `create table temp.habeas_batches (number integer primary key, ${columns.join(', ')})`,
  ]);
  const count = await transaction.change(
    `insert into temp.habeas_batches (${names.join(', ')}) select ${part.values.join(', ')} from ${part.rows}${range}`,
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
