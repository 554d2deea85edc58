import { parquetRows, type RandomAccess } from '../connectors/index.ts';
import type { ListPiece } from './cut-list.ts';

export interface CutParquetOptions {
  readonly rows: number;
  readonly bytes: number;
  readonly signal: AbortSignal;
}

type Row = Readonly<Record<string, unknown>>;

/** Columns that are no purposes, where each choice has a column of its own. */
const COLUMNS: ReadonlySet<string> = new Set([
  'event_id',
  'identity_type',
  'identity_value',
  'said_at',
  'notice_version',
  'notice_language',
  'notice_variant',
]);

const CHOICES: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  ['1', true],
  ['true', true],
  ['granted', true],
  [false, false],
  ['0', false],
  ['false', false],
  ['denied', false],
]);

/** Cuts a Parquet file of what people said into pieces of lines of JSON, a line for each row: its line is the row's number, from 1. */
export async function* cutParquet(
  source: RandomAccess,
  { rows: mostRows, bytes: mostBytes, signal }: CutParquetOptions,
): AsyncGenerator<ListPiece, void, undefined> {
  let lines: string[] = [];
  let size = 0;
  let row = 1;
  const piece = (): ListPiece => ({
    body: Buffer.from(lines.join('')),
    firstLine: row - lines.length,
    nextLine: row,
  });
  for await (const one of parquetRows(source, signal)) {
    const line = `${JSON.stringify(isNested(one) ? nested(one) : flat(one), plain)}\n`;
    lines.push(line);
    size += Buffer.byteLength(line);
    row += 1;
    if (lines.length < mostRows && size < mostBytes) continue;
    yield piece();
    lines = [];
    size = 0;
  }
  if (lines.length > 0) yield piece();
}

function isNested({ identity, choices }: Row): boolean {
  return identity !== undefined || choices !== undefined;
}

/** With structs, as lines of JSON have it; choices may be a map. What is null is not there. */
function nested(row: Row): Row {
  const { choices, ...rest } = row;
  return present({ ...rest, choices: Array.isArray(choices) ? ofMap(choices) : present(choices) });
}

function ofMap(entries: readonly unknown[]): Row {
  return present(
    Object.fromEntries(entries.map((entry) => [String((entry as Row).key), (entry as Row).value])),
  );
}

/** With a column for each purpose, as tables have it. What is no choice is left as it is, for the server to refuse the row. */
function flat(row: Row): Row {
  const {
    event_id,
    identity_type,
    identity_value,
    said_at,
    notice_version,
    notice_language,
    notice_variant,
  } = row;
  const choices = Object.entries(row).flatMap(([name, value]) => {
    if (COLUMNS.has(name) || value === null || value === undefined || value === '') return [];
    const text = typeof value === 'boolean' ? value : String(value).trim().toLowerCase();
    return [[name, CHOICES.get(text) ?? value] as const];
  });
  const version = notice_version ?? '';
  return present({
    event_id: event_id === '' ? null : event_id,
    identity: { type: identity_type, value: textOf(identity_value) },
    said_at,
    choices: Object.fromEntries(choices),
    notice:
      version === '' ? null : present({ version, language: notice_language ?? '', variant: notice_variant }),
  });
}

/** Numbers of people are identities, too. */
function textOf(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
}

function present(row: unknown): Row {
  if (typeof row !== 'object' || row === null) return {};
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== undefined));
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
