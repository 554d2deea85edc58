import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { printable } from './text.ts';
import { shortTime } from './time.ts';

/** By when a request is due, how that is counted, and what moved it. */
export function deadlineLines(deadline: api.DeadlineView, paint: Paint): readonly string[] {
  const stopped = deadline.clock_stopped_at;
  return [
    paint.strong(`Due ${shortTime(deadline.due_at)} (${deadline.regime})`),
    ...(stopped === null ? [] : [paint.warn(`The clock stands still since ${shortTime(stopped)}.`)]),
    ...acknowledgementLines(deadline),
    ...(deadline.explanation.length === 0 ? [] : ['']),
    ...deadline.explanation.map((step) => `  ${printable(step)}`),
    ...(deadline.changes.length === 0 ? [] : ['', paint.quiet('What moved it, or could have:')]),
    ...deadline.changes.map(({ kind, at, actor, reason, due_before: before, due_after: after }) => {
      const why = reason === null ? '' : ` (${printable(reason)})`;
      const move = before === after ? '' : `: ${shortTime(before)} → ${shortTime(after)}`;
      return `  ${shortTime(at)}  ${kind}${why} by ${printable(actor)}${move}`;
    }),
  ];
}

function acknowledgementLines(deadline: api.DeadlineView): readonly string[] {
  const { acknowledge_by: by, acknowledged_at: at } = deadline;
  if (at !== null) return [`Receipt was confirmed ${shortTime(at)}.`];
  return by === null ? [] : [`Receipt is to be confirmed by ${shortTime(by)}.`];
}
