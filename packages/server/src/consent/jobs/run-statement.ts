import { createHash } from 'node:crypto';
import type pg from 'pg';
import Cursor from 'pg-cursor';
import { identifierText, type WrittenRows } from '../enforce/index.ts';
import { openCursor } from '../open-cursor.ts';

/** What a statement did. */
export interface StatementResult {
  /** Rows that it gave, or wrote. */
  readonly rows: number;
  /** Of the CSV that it gave; left out where it gives none. */
  readonly output_sha256?: string;
  /** Of the rows that it wrote into tables, as CSV; left out where it wrote none, or gives rows of its own choice. */
  readonly written_sha256?: string;
}

export interface RunStatementOptions {
  readonly sql: string;
  readonly written: WrittenRows;
  /** Takes what it gives, as CSV, and says when it can take more. */
  readonly write: (text: string) => Promise<void>;
  /** Has it read no more rows: nothing can be cancelled in PostgreSQL while it waits for who takes them. */
  readonly signal: AbortSignal;
}

/** Runs a statement in the transaction that is open; nothing of its rows stays in memory. */
export async function runStatement(
  client: pg.ClientBase,
  { sql, written, write, signal }: RunStatementOptions,
): Promise<StatementResult> {
  const hash = createHash('sha256');
  if (written.kind === 'given') {
    const put = async (text: string) => {
      hash.update(text);
      await write(text);
    };
    const { rows, columns } = await readAll(client, sql, { put, signal });
    return columns === 0 ? { rows: rows ?? 0 } : { rows: rows ?? 0, output_sha256: hash.digest('hex') };
  }
  const put = async (text: string) => {
    hash.update(text);
  };
  if (written.kind === 'returned') {
    const { rows } = await readAll(client, sql, { put, signal });
    return { rows: rows ?? 0, written_sha256: hash.digest('hex') };
  }
  const { rows } = await readAll(client, sql, { put, signal });
  // The table was there before (`if not exists`), or is made without rows (`with no data`).
  if (rows === undefined) return { rows: 0 };
  await readAll(client, `select * from ${await nameOf(client, written.table)}`, { put, signal });
  return { rows, written_sha256: hash.digest('hex') };
}

/** With its schema: a name without one might be found elsewhere than where a new table is made. */
async function nameOf(
  client: pg.ClientBase,
  { schema, name }: { readonly schema: string | undefined; readonly name: string },
): Promise<string> {
  if (schema !== undefined) return `${identifierText(schema)}.${identifierText(name)}`;
  const { rows } = await client.query<{ schema: string }>('select current_schema() as schema');
  return `${identifierText(rows[0]?.schema ?? '')}.${identifierText(name)}`;
}

const ROWS = 1_000;

/** Values as PostgreSQL writes them, so that the same answer is always the same bytes. */
const AS_TEXT = { getTypeParser: () => (value: unknown) => value };

/** Gives the names of the columns and then the rows as CSV. `rows` is undefined where PostgreSQL counts none. */
async function readAll(
  client: pg.ClientBase,
  sql: string,
  { put, signal }: { readonly put: (text: string) => Promise<void> } & Pick<RunStatementOptions, 'signal'>,
): Promise<{ readonly rows: number | undefined; readonly columns: number }> {
  const cursor = openCursor(
    client,
    new Cursor<(string | null)[]>(sql, [], { rowMode: 'array', types: AS_TEXT as never }),
  );
  let rows = 0;
  try {
    for (;;) {
      signal.throwIfAborted();
      const { batch, result } = await cursor.read(ROWS);
      const columns = result.fields.map(({ name }) => name);
      const head = rows === 0 && columns.length > 0 ? lineOf(columns) : '';
      const text = head + batch.map(lineOf).join('');
      if (text !== '') await put(text);
      rows += batch.length;
      if (batch.length < ROWS)
        return { rows: columns.length > 0 ? rows : (result.rowCount ?? undefined), columns: columns.length };
    }
  } finally {
    await cursor.close();
  }
}

/**
 * One line after RFC 4180, with values as they are: programs read it, to which `'-5` is no number. As PostgreSQL's `copy` has it, nothing at all is
 * null, and a text without letters is in quotes.
 */
function lineOf(values: readonly (string | null)[]): string {
  return `${values.map(cellOf).join(',')}\r\n`;
}

function cellOf(value: string | null): string {
  if (value === null) return '';
  return value === '' || /[",\r\n]/.test(value) || value !== value.trim()
    ? `"${value.replaceAll('"', '""')}"`
    : value;
}
