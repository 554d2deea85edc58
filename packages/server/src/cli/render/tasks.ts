import type { api } from '@habeas/contract';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { count, padEnd, printable, truncate } from './text.ts';

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

const KIND_ORDER: readonly api.TaskKind[] = ['resolve', 'collect', 'locate', 'erase', 'verify', 'ticket'];

/** What a kind of task does, as a person says it. */
const KIND_WORDS: Partial<Record<api.TaskKind, string>> = {
  resolve: 'identities',
  collect: 'collect',
  locate: 'keys',
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
    const cells = [...own]
      .sort((a, b) => KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind))
      .map((task) => cell(task, paint));
    const name = padEnd(truncate(printable(system), label), label);
    return [
      `${indent}${name}  ${cells.join('  ')}`,
      ...own.flatMap((task) => (task.state === 'blocked' ? trouble(task, width, paint) : [])),
    ];
  });
}

function cell(task: api.TaskView, paint: Paint): string {
  const { mark, tone } = MARKS[task.state];
  const word = KIND_WORDS[task.kind] ?? task.kind;
  return `${paint[tone](mark)} ${task.state === 'pending' || task.state === 'ready' ? paint.quiet(word) : word}`;
}

/** An error may list a whole schema; the picture stays small, and what is printed at the end has all of it. */
const TROUBLE_LINES = 4;
const EVENT_TEXT_WIDTH = 200;

/** Why a task is blocked, and what brings it on. */
function trouble(task: api.TaskView, width: number, paint: Paint): readonly string[] {
  const message = task.error === null ? 'blocked' : `${task.error.code}: ${printable(task.error.message)}`;
  const lines = paragraph(`      ${paint.bad('✗')} `, message, width, 8);
  return lines.length <= TROUBLE_LINES ? lines : [...lines.slice(0, TROUBLE_LINES), `${' '.repeat(8)}…`];
}

/** One line that says that a task came into a state, for logs and pipes. */
export function taskEventLine(task: api.TaskView): string {
  const records = Object.values(task.evidence?.counts ?? {}).reduce((sum, number) => sum + number, 0);
  const parts = [
    task.key,
    task.state,
    ...(task.state === 'succeeded' && records > 0 ? [count(records, 'record')] : []),
    ...(task.attempts > 1 ? [`try ${task.attempts}`] : []),
    ...(task.state === 'blocked' && task.error !== null
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

/** Tasks that came into a state worth telling between two moments, in the order of the plan. */
export function changedTasks(
  before: readonly api.TaskView[],
  now: readonly api.TaskView[],
): readonly api.TaskView[] {
  const states = new Map(before.map((task) => [task.id, task.state]));
  return shown(now).filter((task) => states.get(task.id) !== task.state && NEWS.has(task.state));
}
