import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { printable } from './text.ts';
import { shortTime } from './time.ts';

/** What is paused, by whom and why. */
export function pauseLines(pauses: readonly api.PauseView[], width: number, paint: Paint): readonly string[] {
  if (pauses.length === 0) return ['Nothing is paused.'];
  return table<api.PauseView>({
    columns: [
      {
        title: 'PAUSED',
        value: ({ scope, system }) => (system === null ? `the ${scope}` : printable(system)),
        paint: (text) => paint.warn(text),
      },
      { title: 'SINCE', value: ({ paused_at }) => shortTime(paused_at) },
      { title: 'BY', value: ({ paused_by }) => paused_by },
      { title: 'WHY', value: ({ reason }) => printable(reason), flexible: true },
    ],
    rows: pauses,
    width,
    paint,
  });
}
