import { basename, resolve } from 'node:path';
import type { api } from '@habeas/contract';
import type { Command } from 'commander';
import { type CliContext, clientFor, type ServerOptions, withServerOptions } from '../context.ts';
import { cutList } from '../cut-list.ts';
import { openReport } from '../open-report.ts';
import { list, right } from '../option-values.ts';
import type { Run } from '../verb.ts';

interface ImportOptions extends ServerOptions {
  readonly name?: string;
  readonly right?: api.Right;
  readonly dryRun?: true;
  readonly delimiter?: string;
  readonly ignore?: readonly string[];
  readonly report?: string;
}

/** Refused rows that a person is shown; the report has all. */
const SHOWN = 20;

/** `habeas request import`: one request for each row of a list. */
export function requestImportVerb(request: Command, run: Run): void {
  withServerOptions(
    request
      .command('import')
      .description('make a request of each row of a list (CSV); run it again to go on where it stopped')
      .argument(
        '<file>',
        'CSV in UTF-8; its first line names the columns: right, reference, and identities such as email',
      )
      .option(
        '--name <name>',
        'of the list: each row makes one request under it, ever (default: the name of the file)',
      )
      .option('--right <right>', 'of rows without a column right: access or erase', right)
      .option('--dry-run', 'only look at every row; make nothing')
      .option('--delimiter <character>', ', or ; or tab (default: the one that the first line has)')
      .option('--ignore <column>', 'a column to leave out; repeatable', list)
      .option('--report <file>', 'write what became of each row there, as CSV'),
  ).action((file: string, options: ImportOptions) => run((context) => importList(context, file, options)));
}

async function importList(context: CliContext, file: string, options: ImportOptions) {
  const client = clientFor(context, options);
  const query = {
    name: options.name ?? basename(file),
    right: options.right,
    dry_run: options.dryRun === true ? 'true' : 'false',
    delimiter: options.delimiter,
    ignore: options.ignore?.join(','),
  };
  await using report =
    options.report === undefined
      ? undefined
      : await openReport(resolve(context.folder, options.report), { list: resolve(context.folder, file) });
  await report?.write('line,outcome,id,code,message\r\n');
  const counts = { made: 0, existed: 0, checked: 0, refused: 0 };
  let unreadFrom: number | null = null;
  for await (const { body, firstLine } of cutList(resolve(context.folder, file))) {
    context.signal.throwIfAborted();
    const result = await client.importRequests({ ...query, first_line: firstLine }, body);
    await report?.write(result.rows.map(reportLine).join(''));
    for (const row of result.rows) {
      counts[row.outcome] += 1;
      if (options.json === true) context.terminal.out(`${JSON.stringify(row)}\n`);
      else if (row.outcome === 'refused' && counts.refused <= SHOWN)
        context.terminal.out(`line ${row.line}: ${row.message} (${row.code})\n`);
    }
    unreadFrom = result.unread_from;
    if (unreadFrom !== null) break;
  }
  const failed = counts.refused > 0 || unreadFrom !== null;
  if (options.json !== true)
    context.terminal.out(`${summaryLines(counts, { unreadFrom, name: query.name }).join('\n')}\n`);
  return failed ? 'failed' : 'done';
}

function summaryLines(
  counts: Readonly<Record<api.ImportedRow['outcome'], number>>,
  { unreadFrom, name }: { readonly unreadFrom: number | null; readonly name: string },
): readonly string[] {
  const { made, existed, checked, refused } = counts;
  return [
    ...(refused > SHOWN ? [`… and ${refused - SHOWN} more; --report has all.`] : []),
    checked > 0 || (made === 0 && existed === 0)
      ? `${checked} rows can be taken, ${refused} cannot.`
      : `${made} requests made, ${existed} existed, ${refused} rows refused.`,
    ...(existed > 0
      ? [
          `Those that existed were made by a list named ${name} before; with another --name they are made anew.`,
        ]
      : []),
    ...(unreadFrom === null
      ? []
      : [
          `From line ${unreadFrom} on nothing was read: a quote there is not where it may be. Correct it and run this again.`,
        ]),
  ];
}

const reportLine = ({ line, outcome, id, code, message }: api.ImportResult['rows'][number]): string =>
  `${line},${outcome},${id ?? ''},${code ?? ''},"${(message ?? '').replaceAll('"', '""')}"\r\n`;
