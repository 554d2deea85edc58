import { resolve } from 'node:path';
import type { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import { type CliContext, clientFor, type ServerOptions, withServerOptions } from '../context.ts';
import { cutList, type ListPiece } from '../cut-list.ts';
import type { ListSource } from '../list-source.ts';
import { openReport } from '../open-report.ts';
import { positiveNumber } from '../option-values.ts';
import type { Run } from '../verb.ts';

type ListFormat = 'csv' | 'json-lines' | 'parquet';

interface ImportOptions extends ServerOptions {
  readonly name?: string;
  readonly format?: ListFormat;
  readonly config?: string;
  readonly dryRun?: true;
  readonly fromLine?: number;
  readonly refused?: string;
}

/** Refused rows that a person is shown; `--refused` has all. */
const SHOWN = 20;
/** So large that the round trip does not count, and so small that a server can take several at once. */
const PIECE = { rows: 5_000, bytes: 4 * 1_024 * 1_024 };
/** The next piece is read and checked while the one before is stored. */
const AT_ONCE = 2;

/** `habeas consent import`: what people agreed to elsewhere. */
export function consentImportVerb(consent: Command, run: Run): void {
  withServerOptions(
    consent
      .command('import')
      .description(
        'store what people said as a list has it (CSV, JSON lines, Parquet); run it again to go on where it stopped',
      )
      .argument('<file>', 'or s3://bucket/key; see docs/import-consent.md for its columns')
      .option(
        '--name <name>',
        'of the list: each row is stored once under it, ever (default: the name of the file)',
      )
      .addOption(
        new Option(
          '--format <format>',
          'what the file is (default: csv or parquet if its name ends so)',
        ).choices(['csv', 'json-lines', 'parquet']),
      )
      .option(
        '--config <file>',
        'configuration file with the connection of the bucket (default: habeas.yaml)',
      )
      .option('--dry-run', 'only look at every row; store nothing')
      .option('--from-line <n>', 'leave out what stands before this line, or row of Parquet', positiveNumber)
      .option(
        '--refused <file>',
        'write there which lines were refused and why, as JSON lines; with --from-line, add them',
      ),
  ).action((file: string, options: ImportOptions) => run((context) => importList(context, file, options)));
}

async function importList(context: CliContext, file: string, options: ImportOptions) {
  const client = clientFor(context, options);
  const format = options.format ?? formatOf(file);
  const { openListSource, requirePlain } = await import('../list-source.ts');
  await using source = await openListSource(context, file, options);
  await requirePlain(source, { list: file, format });
  const name = await nameOf(options.name ?? source.name);
  const fromLine = options.fromLine ?? 1;
  await using refused =
    options.refused === undefined
      ? undefined
      : await openReport(resolve(context.folder, options.refused), {
          list: resolve(context.folder, file),
          goesOn: fromLine > 1,
        });
  const total = { rows: 0, stored: 0, repeated: 0, checked: 0, refused: 0 };
  /** All before this line is done. */
  let doneUntil = fromLine;
  const send = async ({ body, firstLine, nextLine }: ListPiece) => ({
    nextLine,
    answer: await client.importConsent(
      { name, dry_run: options.dryRun === true ? 'true' : 'false', first_line: firstLine },
      { body, type: format === 'csv' ? 'text/csv' : 'application/x-ndjson' },
    ),
  });
  const settle = async (piece: ReturnType<typeof send>) => {
    const { nextLine, answer } = await piece;
    add(total, answer);
    // Together: of a list of which all is wrong, each by itself would take most of the time.
    if (answer.refused.length > 0)
      await refused?.write(answer.refused.map((row) => `${JSON.stringify(row)}\n`).join(''));
    for (const row of answer.refused) {
      total.refused += 1;
      if (options.json !== true && total.refused <= SHOWN)
        context.terminal.out(`line ${row.line}: ${row.reason} (${row.code})\n`);
    }
    doneUntil = nextLine;
    context.terminal.note(`${total.rows} rows, until line ${nextLine - 1}\n`);
  };
  const under: ReturnType<typeof send>[] = [];
  try {
    for await (const piece of piecesOf(source, { format, fromLine, signal: context.signal })) {
      context.signal.throwIfAborted();
      const sent = send(piece);
      sent.catch(() => undefined);
      under.push(sent);
      if (under.length >= AT_ONCE) await settle(under.shift() as ReturnType<typeof send>);
    }
    for (const piece of under) await settle(piece);
  } catch (error) {
    if (doneUntil > fromLine)
      context.terminal.note(`All before line ${doneUntil} is done; go on with --from-line ${doneUntil}.\n`);
    throw error;
  }
  if (options.json === true) context.terminal.out(`${JSON.stringify({ name, ...total })}\n`);
  else context.terminal.out(`${summary(total)}\n`);
  return total.refused > 0 ? 'failed' : 'done';
}

/** Throws BAD_INPUT for a name that no list can have. */
async function nameOf(name: string): Promise<string> {
  const { api } = await import('@habeas/contract');
  if (api.consentImportQuerySchema.shape.name.safeParse(name).success) return name;
  throw new HabeasError(
    'BAD_INPUT',
    `${name} cannot be the name of a list: up to 64 letters, digits, dots, _ and -. Give it another one by --name, and the same one each time.`,
  );
}

function formatOf(file: string): ListFormat {
  const end = file.toLowerCase().split('.').at(-1);
  return end === 'csv' || end === 'parquet' ? end : 'json-lines';
}

/** Rows of Parquet are sent as lines of JSON. */
async function* piecesOf(
  { access }: ListSource,
  {
    format,
    fromLine,
    signal,
  }: { readonly format: ListFormat; readonly fromLine: number; readonly signal: AbortSignal },
): AsyncGenerator<ListPiece, void, undefined> {
  if (format === 'parquet') {
    const { cutParquet } = await import('../cut-parquet.ts');
    yield* cutParquet(access, { ...PIECE, fromLine, signal });
    return;
  }
  const { chunksOf } = await import('../list-source.ts');
  yield* cutList(chunksOf(access), {
    ...PIECE,
    fromLine,
    format: format === 'csv' ? 'csv' : 'lines',
    openQuote: 'own-row',
  });
}

interface Total {
  rows: number;
  stored: number;
  repeated: number;
  checked: number;
  refused: number;
}

function add(total: Total, { rows, stored, repeated, checked }: api.ConsentImportResult): void {
  total.rows += rows;
  total.stored += stored;
  total.repeated += repeated;
  total.checked += checked;
}

function summary({ stored, repeated, checked, refused }: Total): string {
  return checked > 0
    ? `${checked} rows can be stored, ${refused} cannot.`
    : `${stored} rows stored, ${repeated} were there, ${refused} refused.`;
}
