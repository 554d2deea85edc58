import type { api } from '@habeas/contract';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { count, padEnd, printable, truncate, widthOf } from './text.ts';
import { shortTime } from './time.ts';

/** How the state of a task is drawn; the shape says it, the colour only helps. */
const MARKS: Record<api.TaskState, { readonly mark: string; readonly tone: keyof Paint }> = {
  pending: { mark: '·', tone: 'quiet' },
  ready: { mark: '·', tone: 'quiet' },
  running: { mark: '▸', tone: 'accent' },
  waiting: { mark: '◷', tone: 'accent' },
  succeeded: { mark: '✓', tone: 'good' },
  skipped: { mark: '–', tone: 'warn' },
  blocked: { mark: '✗', tone: 'bad' },
  cancelled: { mark: '–', tone: 'quiet' },
};

const KIND_ORDER: readonly api.TaskKind[] = [
  'resolve',
  'collect',
  'locate',
  'approval',
  'erase',
  'verify',
  'ticket',
];

/** What a kind of task does, as a person says it. */
const KIND_WORDS: Partial<Record<api.TaskKind, string>> = {
  resolve: 'identities',
  collect: 'collect',
  locate: 'keys',
  approval: 'approval',
  erase: 'erase',
  verify: 'read again',
  ticket: 'ticket',
  package: 'package',
};

/** Tasks that a person cares about: gates only keep the order. */
function shown(tasks: readonly api.TaskView[]): readonly api.TaskView[] {
  return tasks.filter((task) => task.kind !== 'gate');
}

export function isDone(task: api.TaskView): boolean {
  return ['succeeded', 'skipped', 'cancelled'].includes(task.state);
}

/** `███████░░░░░  7 of 11`. */
export function progressBar(tasks: readonly api.TaskView[], width: number, paint: Paint): string {
  const all = shown(tasks);
  const done = all.filter(isDone).length;
  const filled = all.length === 0 ? 0 : Math.round((done / all.length) * width);
  return `${paint.accent('█'.repeat(filled))}${paint.quiet('░'.repeat(width - filled))}  ${done} of ${all.length}`;
}

/**
 * One line for each system with the state of each of its tasks, and below it what is blocked and why:
 *
 *     orders     ✓ keys  ✓ erase  ▸ read again
 *     analytics  ◷ ticket
 */
export function taskMatrix(
  tasks: readonly api.TaskView[],
  options: { readonly width: number; readonly paint: Paint; readonly indent?: number },
): readonly string[] {
  const { width, paint } = options;
  const indent = ' '.repeat(options.indent ?? 0);
  const bySystem = Map.groupBy(shown(tasks), (task) => task.system ?? 'Habeas');
  const label = Math.min(24, Math.max(0, ...[...bySystem.keys()].map((name) => printable(name).length)));
  return [...bySystem].flatMap(([system, own]) => {
    const cells = [...Map.groupBy(own, (task) => task.kind).values()]
      .map(leastDone)
      .sort((a, b) => KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind))
      .map((task) => cell(task, paint));
    const name = padEnd(truncate(printable(system), label), label);
    return [
      ...rowsOf(cells, width - indent.length - label - 2).map(
        (row, index) => `${indent}${index === 0 ? name : ' '.repeat(label)}  ${row}`,
      ),
      ...own.flatMap((task) =>
        task.state === 'blocked' || isTriedAgain(task) ? trouble(task, width, paint) : [],
      ),
      ...own.flatMap((task) =>
        task.state === 'waiting' && task.kind === 'validate' && task.note !== null
          ? paragraph(`      ${paint.accent('◷')} `, `waits: ${printable(task.note)}`, width, 8)
          : [],
      ),
    ];
  });
}

/** Several tasks of one kind on one system, such as two rounds of asking for identities, are drawn as the one that is least done. */
function leastDone(tasks: readonly api.TaskView[]): api.TaskView {
  return tasks.reduce((least, task) =>
    URGENCY.indexOf(task.state) < URGENCY.indexOf(least.state) ? task : least,
  );
}

const URGENCY: readonly api.TaskState[] = [
  'blocked',
  'running',
  'waiting',
  'ready',
  'pending',
  'cancelled',
  'skipped',
  'succeeded',
];

/** Cells side by side, in as many rows as the width asks for: a row that the terminal breaks could not be drawn over. */
function rowsOf(cells: readonly string[], width: number): readonly string[] {
  const rows: string[] = [];
  for (const next of cells) {
    const row = rows.at(-1);
    if (row !== undefined && widthOf(row) + 2 + widthOf(next) <= width)
      rows[rows.length - 1] = `${row}  ${next}`;
    else rows.push(next);
  }
  return rows;
}

function cell(task: api.TaskView, paint: Paint): string {
  const { mark, tone } = MARKS[task.state];
  const word = KIND_WORDS[task.kind] ?? task.kind;
  return `${paint[tone](mark)} ${task.state === 'pending' || task.state === 'ready' ? paint.quiet(word) : word}`;
}

/** An error may list a whole schema; the picture stays small, and what is printed at the end has all of it. */
const TROUBLE_LINES = 4;
const EVENT_TEXT_WIDTH = 200;

/** Whether it failed in a way that may pass. How often it was begun says nothing: asking how long work goes on is a start too. */
function isTriedAgain(task: api.TaskView): boolean {
  return task.state === 'ready' && task.error !== null && task.next_attempt_at !== null;
}

/** Why a task is blocked, or when it is tried again. */
function trouble(task: api.TaskView, width: number, paint: Paint): readonly string[] {
  const message = task.error === null ? 'blocked' : `${task.error.code}: ${printable(task.error.message)}`;
  const [mark, text] = isTriedAgain(task)
    ? [paint.warn('↻'), `${againAt(task)}. ${message}`]
    : [paint.bad('✗'), message];
  const lines = paragraph(`      ${mark} `, text, width, 8);
  return lines.length <= TROUBLE_LINES ? lines : [...lines.slice(0, TROUBLE_LINES), `${' '.repeat(8)}…`];
}

function againAt(task: api.TaskView): string {
  return `failed${timesOf(task)}, tried again at ${shortTime(task.next_attempt_at).slice(11)} UTC`;
}

/** ` 3 times in a row`, from the second time on. */
function timesOf({ failures }: api.TaskView): string {
  return failures > 1 ? ` ${failures} times in a row` : '';
}

/** One line that says that a task came into a state, or failed and is tried again, for logs and pipes. */
export function taskEventLine(task: api.TaskView): string {
  const records = Object.values(task.evidence?.counts ?? {}).reduce((sum, number) => sum + number, 0);
  const parts = [
    task.key,
    isTriedAgain(task) ? againAt(task) : task.state,
    ...(task.state === 'succeeded' && records > 0 ? [count(records, 'record')] : []),
    ...((task.state === 'blocked' || isTriedAgain(task)) && task.error !== null
      ? [truncate(`${task.error.code}: ${printable(task.error.message)}`, EVENT_TEXT_WIDTH)]
      : []),
    ...(task.state === 'waiting' && task.kind === 'ticket'
      ? [`ticket ${task.id} of team ${task.team ?? '?'}`]
      : []),
  ];
  return parts.map(printable).join('  ');
}

/** States that are worth a line in a log; a task is due and begun within the same moment. */
const NEWS: ReadonlySet<api.TaskState> = new Set(['waiting', 'succeeded', 'skipped', 'blocked', 'cancelled']);

/** Tasks that came into a state worth telling, or failed once more, between two moments, in the order of the plan. */
export function changedTasks(
  before: readonly api.TaskView[],
  now: readonly api.TaskView[],
): readonly api.TaskView[] {
  const known = new Map(before.map((task) => [task.id, task]));
  return shown(now).filter((task) => {
    const last = known.get(task.id);
    if (isTriedAgain(task)) return last?.next_attempt_at !== task.next_attempt_at;
    return last?.state !== task.state && NEWS.has(task.state);
  });
}
