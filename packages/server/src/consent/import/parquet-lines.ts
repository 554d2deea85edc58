import { parquetRows, type RandomAccess } from '../../connectors/index.ts';
import { HabeasError } from '../../foundation/index.ts';

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

/** Each row of a Parquet file of what people said as a line of JSON. Throws BAD_INPUT for a file that cannot be read, or with more than `mostRows`. */
export async function* parquetLines(
  source: RandomAccess,
  options: { readonly signal: AbortSignal; readonly mostRows?: number },
): AsyncGenerator<string, void, undefined> {
  for await (const row of parquetRows(source, options))
    yield `${JSON.stringify(isNested(row) ? nested(row) : flat(row), plain)}\n`;
}

export interface ParquetTextOptions {
  readonly mostRows: number;
  /** Of the lines: a small file may say the same long text for each row. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

/** The lines of a small file in memory. Throws BAD_INPUT for one that is too large when it is unpacked. */
export async function parquetText(
  file: Uint8Array,
  { mostRows, mostBytes, signal }: ParquetTextOptions,
): Promise<string> {
  const source = {
    size: file.length,
    // A copy, which the reader may change.
    read: async (offset: number, length: number) => file.slice(offset, offset + length),
  };
  const lines: string[] = [];
  let bytes = 0;
  for await (const line of parquetLines(source, { mostRows, signal })) {
    lines.push(line);
    bytes += Buffer.byteLength(line);
    if (bytes > mostBytes)
      throw new HabeasError('BAD_INPUT', `The rows have more than ${mostBytes} bytes; send fewer at once.`);
  }
  return lines.join('');
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

/** Numbers of people are identities, too. Of one with a fraction, or so large that its neighbours look like it, nobody can tell whose it is: it is left as it is, and refused. */
function textOf(value: unknown): unknown {
  return typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : value;
}

function present(row: unknown): Row {
  if (typeof row !== 'object' || row === null) return {};
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== undefined));
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
