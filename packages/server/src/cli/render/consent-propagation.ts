import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { printable } from './text.ts';
import { shortTime } from './time.ts';

/** What is told what people agree to. */
export function destinationLines(
  destinations: readonly api.ConsentDestination[],
  width: number,
  paint: Paint,
): readonly string[] {
  if (destinations.length === 0) return ['The configuration has no consent.destinations.'];
  return table<api.ConsentDestination>({
    columns: [
      { title: 'DESTINATION', value: ({ key }) => key },
      { title: 'BY', value: ({ by }) => by },
      {
        title: 'BEHIND',
        value: ({ lag_seconds: lag }) => (lag === null ? 'never told' : `${Math.ceil(lag)} s`),
      },
      { title: 'WAITING', value: ({ waiting }) => String(waiting) },
      { title: 'SENT', value: ({ sent }) => String(sent) },
      { title: 'GIVEN UP', value: ({ given_up }) => String(given_up) },
      {
        title: 'STATE',
        value: ({ error }) => printable(error ?? 'well'),
        flexible: true,
        paint: (text) => (text === 'well' ? paint.good(text) : paint.warn(text)),
      },
    ],
    rows: destinations,
    width,
    paint,
  });
}

/** What a destination has not acknowledged. */
export function messageLines(
  messages: readonly api.ConsentMessage[],
  width: number,
  paint: Paint,
): readonly string[] {
  if (messages.length === 0) return ['It has acknowledged everything.'];
  return table<api.ConsentMessage>({
    columns: [
      { title: 'MESSAGE', value: ({ id }) => id },
      { title: 'STATE', value: ({ state }) => state.replace('_', ' ') },
      { title: 'SINCE', value: ({ changed_at }) => shortTime(changed_at) },
      { title: 'FAILED', value: ({ failed_tries }) => String(failed_tries) },
      { title: 'WHY', value: ({ error }) => printable(error ?? ''), flexible: true },
    ],
    rows: messages,
    width,
    paint,
  });
}
