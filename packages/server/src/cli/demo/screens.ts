import type { api } from '@habeas/contract';
import { gapLines, holdersLines, paragraph, serviceLines } from '../render/map.ts';
import type { Paint } from '../render/paint.ts';
import { stagesOf } from '../render/plan.ts';
import { retainedLines } from '../render/receipt.ts';
import { table } from '../render/table.ts';
import { count, padEnd, widthOf } from '../render/text.ts';
import { bytes, shortTime } from '../render/time.ts';
import type {
  AccessStory,
  ErasureStory,
  Held,
  MapStory,
  ReceiptStory,
  RequestStory,
  TraceStory,
} from './story.ts';
import { sum } from './story.ts';

export interface Screen {
  readonly width: number;
  readonly paint: Paint;
}

const INDENT = '   ';

/** The title of a chapter, with a remark on the right. */
export function chapterTitle(
  number: number,
  title: string,
  remark: string,
  { width, paint }: Screen,
): readonly string[] {
  const gap = Math.max(2, width - 3 - widthOf(title) - widthOf(remark));
  return [
    '',
    `${paint.accent(String(number))}  ${paint.strong(title)}${' '.repeat(gap)}${paint.quiet(remark)}`,
    '',
  ];
}

/** Who holds and who moves e-mail, and what is missing. */
export function mapScreen({ map, holders }: MapStory, screen: Screen): readonly string[] {
  const inner = screen.width - INDENT.length;
  return indented([
    ...serviceLines(map.services, inner, screen.paint),
    '',
    ...holdersLines(holders, inner, screen.paint),
    ...(map.gaps.length === 0 ? [] : ['', ...gapLines(map.gaps, inner, screen.paint)]),
  ]);
}

/** A plan in one line for each step: what is done side by side, and where. */
export function planScreen(plan: api.PlanView, screen: Screen): readonly string[] {
  const stages = stagesOf(plan.tasks);
  const shown = plan.tasks.filter((task) => task.kind !== 'gate');
  const words = new Map(
    Object.entries({
      resolve: 'ask for identities',
      'resolve-again': 'ask once more',
      locate: 'store the keys of',
      collect: 'collect from',
      erase: plan.dry_run ? 'count in' : 'erase in',
      verify: 'read again',
      confirm: 'read a last time',
      ticket: 'ticket for',
      package: 'build the package',
    }),
  );
  const doingOf = (key: string) => key.split(':')[0] ?? key;
  const groups = [
    ...Map.groupBy(shown, (task) => `${stages.get(task.key)} ${doingOf(task.key)}`).values(),
  ].sort((a, b) => stageOf(a, stages) - stageOf(b, stages));
  const title = `${count(shown.length, 'task')} on ${count(new Set(shown.flatMap((task) => task.system ?? [])).size, 'system')}`;
  return indented([
    screen.paint.quiet(`The plan: ${title}`),
    ...groups.flatMap((tasks) => {
      const [first] = tasks;
      const kind = first?.kind ?? 'gate';
      const doing = doingOf(first?.key ?? '');
      const where = tasks
        .flatMap((task) => (kind === 'ticket' ? `team ${task.team}` : (task.system ?? [])))
        .join(', ');
      return paragraph(`  ${padEnd(words.get(doing) ?? doing, 20)}`, where, screen.width - INDENT.length).map(
        (line) => line.trimEnd(),
      );
    }),
  ]);
}

function stageOf(tasks: readonly { readonly key: string }[], stages: ReadonlyMap<string, number>): number {
  return stages.get(tasks[0]?.key ?? '') ?? 0;
}

/** What the team did by itself, and what went wrong. */
export function requestScreen(story: RequestStory, { paint, width }: Screen): readonly string[] {
  return indented([
    ...story.tickets.flatMap(({ team, script, lines, verb }) =>
      paragraph(
        '',
        `Team ${team} ran its own script (${script}): ${count(lines, 'line')} ${verb}.`,
        width - INDENT.length,
      ),
    ),
    ...(story.trouble === undefined
      ? []
      : paragraph(`${paint.bad('✗')} `, story.trouble, width - INDENT.length, 2)),
  ]);
}

/** What is in the package. */
export function packageScreen({ package: pack }: AccessStory, { paint, width }: Screen): readonly string[] {
  if (pack === undefined) return [];
  const bySystem = [...Map.groupBy(pack.collections, ({ system }) => system)];
  const systems = [...bySystem.map(([system]) => system), ...pack.not_included.map(({ system }) => system)];
  const label = Math.max(0, ...systems.map(widthOf));
  return indented([
    `${paint.strong('Saved')} ${pack.file} ${paint.quiet(`(${bytes(pack.bytes)}, ${count(pack.files.length, 'file')}, each fits its SHA-256)`)}`,
    ...bySystem.flatMap(([system, collections]) =>
      paragraph(
        `  ${padEnd(system, label)}  `,
        collections.map(({ collection, rows }) => `${collection} ${rows.toLocaleString('en-US')}`).join(', '),
        width - INDENT.length,
      ),
    ),
    ...pack.not_included.flatMap(({ system, reason }) =>
      paragraph(`  ${padEnd(system, label)}  `, `not included: ${reason}`, width - INDENT.length),
    ),
  ]);
}

/** What a dry run counted, and whether it left everything as it was. */
export function dryRunScreen(
  { dryRun, dryRunChangedNothing }: Pick<ErasureStory, 'dryRun' | 'dryRunChangedNothing'>,
  { paint, width }: Screen,
): readonly string[] {
  const records = dryRun.tasks
    .filter(({ kind }) => kind === 'erase')
    .flatMap(({ evidence }) => Object.values(evidence?.counts ?? {}))
    .reduce((total, number) => total + number, 0);
  const lines = dryRun.tickets.reduce((total, ticket) => total + ticket.lines, 0);
  const unchanged = dryRunChangedNothing ? 'nothing changed.' : paint.bad('BUT SOMETHING CHANGED.');
  return indented([
    ...paragraph(
      `${paint.strong('Dry run')}  `,
      `would act on ${count(records, 'record')} and ${count(lines, 'line')} of event files; ${unchanged}`,
      width - INDENT.length,
      9,
    ),
  ]);
}

/** What each store held of the person before and holds now. */
export function tracesScreen(
  story: Pick<ErasureStory, 'traces'>,
  retained: readonly api.ReceiptView['receipt']['retained'][number][],
  screen: Screen,
): readonly string[] {
  const { paint, width } = screen;
  const total = sum(story.traces, 'after');
  return indented([
    ...paragraph(
      '',
      'The demonstration now looks into every store itself, past the services and past Habeas. Records that point at the person:',
      width - INDENT.length,
    ).map(paint.quiet),
    '',
    ...table<TraceStory>({
      columns: [
        { title: 'STORE', value: (trace) => trace.store },
        { title: 'PLACE', value: (trace) => trace.place },
        { title: 'BEFORE', value: (trace) => String(trace.before), align: 'right' },
        {
          title: 'NOW',
          value: (trace) => String(trace.after),
          align: 'right',
          paint: (text, trace) => (trace.after === 0 ? paint.good(text) : paint.bad(text)),
        },
        {
          title: '',
          value: (trace) => (trace.kept === 0 ? '' : `${trace.kept} kept, see below`),
        },
      ],
      rows: story.traces,
      width: width - INDENT.length,
      paint,
    }),
    '',
    total === 0
      ? `${paint.good('✓')} ${paint.strong('0 records')} are left${sum(story.traces, 'kept') === 0 ? '' : ' beside what has to be kept'}; ${sum(story.traces, 'before')} were there before.`
      : `${paint.bad('✗')} ${count(total, 'record')} still point at the person.`,
    ...(retained.length === 0 ? [] : ['', ...retainedLines(retained, width - INDENT.length, paint)]),
  ]);
}

type ReceiptSystem = api.ReceiptView['receipt']['systems'][number];

/** What the receipt says. */
export function receiptScreen(
  { view, file, trustFile, verified }: ReceiptStory,
  { paint, width }: Screen,
): readonly string[] {
  const { receipt } = view;
  return indented([
    ...table<ReceiptSystem>({
      columns: [
        { title: 'SYSTEM', value: (system) => system.system },
        {
          title: 'RECORDS',
          value: (system) => String(Object.values(system.counts).reduce((a, b) => a + b, 0)),
          align: 'right',
        },
        {
          title: 'PROOF',
          value: (system) =>
            system.assurance === 'attested'
              ? 'by the word of its team'
              : `read again ${shortTime(system.verified_at).slice(11)} UTC`,
        },
      ],
      rows: receipt.systems,
      width: width - INDENT.length,
      paint,
    }),
    '',
    `${paint.strong('Saved')} ${file}`,
    verified
      ? `${paint.good('✓')} It is signed and in the audit log: habeas verify ${file} --trust ${trustFile}`
      : `${paint.bad('✗')} It cannot be verified.`,
  ]);
}

/** How it ended: what did not hold, or that everything did. */
export function endScreen(checks: readonly Held[], seconds: number, { paint }: Screen): readonly string[] {
  const broken = checks.filter(({ held }) => !held);
  const time = `${seconds.toFixed(1)} s from start to receipt.`;
  if (broken.length === 0) {
    return ['', `${paint.good('✓')} ${paint.strong(`All ${checks.length} checks held.`)} ${time}`];
  }
  return [
    '',
    `${paint.bad('✗')} ${paint.strong(`${broken.length} of ${checks.length} checks did not hold.`)} ${time}`,
    ...broken.map(({ what }) => `${INDENT}${paint.bad('✗')} ${what}`),
  ];
}

export interface NextView {
  readonly url: string;
  readonly key: string;
  /** Somebody who is still there. */
  readonly email: string;
  /** Shows the mails of the example. */
  readonly mailsUrl: string;
}

/** What a person can try while the server stays up. */
export function nextScreen({ url, key, email, mailsUrl }: NextView, { paint }: Screen): readonly string[] {
  return [
    '',
    `The server stays up at ${paint.strong(url)} until Ctrl+C. In a browser, open`,
    `${url}/app and sign in with the key below.`,
    '',
    `A person asks at ${url}/privacy, such as`,
    `${email}; the mail with the code arrives at`,
    mailsUrl,
    '',
    'In another terminal:',
    '',
    `${INDENT}HABEAS_URL=${url}`,
    `${INDENT}HABEAS_API_KEY=${key}`,
    `${INDENT}export HABEAS_URL HABEAS_API_KEY`,
    `${INDENT}npx habeas map --data-type ip`,
    `${INDENT}npx habeas plan erase`,
    `${INDENT}npx habeas request access --email ${quoted(email)} --watch`,
    '',
  ];
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w.@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `${INDENT}${line}`));
}
