import type { api } from '@habeas/contract';
import { evidenceLines } from './evidence.ts';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { taskMatrix } from './tasks.ts';
import { padEnd, printable } from './text.ts';
import { bytes, shortTime } from './time.ts';

/** Requests, newest first. */
export function requestListLines(
  page: { readonly items: readonly api.RequestView[]; readonly next: string | null },
  width: number,
  paint: Paint,
): readonly string[] {
  if (page.items.length === 0) return ['No requests.'];
  const lines = table<api.RequestView>({
    columns: [
      { title: 'REQUEST', value: (request) => request.id },
      { title: 'RIGHT', value: (request) => (request.dry_run ? `${request.right}, dry run` : request.right) },
      {
        title: 'STATE',
        value: (request) => request.state,
        paint: (text, { state }) => stateTone(state, paint)(text),
      },
      { title: 'OPEN', value: ({ tasks }) => `${tasks.open} of ${tasks.total}`, align: 'right' },
      { title: 'DUE', value: (request) => request.due_at.slice(0, 10) },
    ],
    rows: page.items,
    width,
    paint,
  });
  return page.next === null ? lines : [...lines, paint.quiet(`There are more: --cursor ${page.next}`)];
}

const LABEL = 14;

/** One request with its tasks. */
export function requestLines(
  request: api.RequestView,
  tasks: readonly api.TaskView[],
  options: { readonly width: number; readonly paint: Paint },
): readonly string[] {
  const { width, paint } = options;
  const line = (name: string, value: string | null) =>
    value === null ? [] : paragraph(padEnd(name, LABEL), printable(value), width);
  const dry = request.dry_run ? ', dry run' : '';
  return [
    paint.strong(`Request ${request.id}`),
    `${padEnd('state', LABEL)}${stateTone(request.state, paint)(request.state)}`,
    ...line('right', `${request.right}${dry}`),
    ...line('identities', request.identity_types.join(', ')),
    ...line('received', shortTime(request.received_at)),
    ...line('law', request.regime === null ? null : `${request.regime}, ${request.subject_kind}`),
    ...line('answers', request.owner),
    ...line('due', shortTime(request.due_at)),
    ...line(
      'clock',
      request.clock_stopped_at === null ? null : `stands still since ${shortTime(request.clock_stopped_at)}`,
    ),
    ...line('appeal of', request.appeal_of),
    ...line('approval', request.approval === null ? null : approvalText(request.approval)),
    ...line('starts', request.waits_until === null ? null : shortTime(request.waits_until)),
    ...line('completed', request.completed_at === null ? null : shortTime(request.completed_at)),
    ...line('copies until', request.residual_until === null ? null : shortTime(request.residual_until)),
    ...line(
      'person known',
      request.matched === null ? null : request.matched ? 'yes' : 'no system knows them',
    ),
    ...line('package', request.package === null ? null : packageText(request.package)),
    ...line('reason', request.reason),
    ...(tasks.length === 0 ? [] : ['', ...taskMatrix(tasks, { width, paint })]),
    ...evidenceLines(tasks, { width, paint, dryRun: request.dry_run }),
  ];
}

function approvalText({ needed, given }: NonNullable<api.RequestView['approval']>): string {
  return `${given.length} of ${needed}${given.length === 0 ? '' : `: ${given.join(', ')}`}`;
}

function packageText(pack: NonNullable<api.RequestView['package']>): string {
  return `${bytes(pack.bytes)}, can be fetched until ${shortTime(pack.expires_at)}`;
}

export function stateTone(state: api.RequestState, paint: Paint): (text: string) => string {
  if (state === 'completed') return paint.good;
  if (state === 'blocked' || state === 'rejected') return paint.bad;
  return ['held', 'verifying', 'approving', 'waiting', 'cancelled', 'expired'].includes(state)
    ? paint.warn
    : paint.accent;
}
