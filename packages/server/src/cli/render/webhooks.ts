import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { printable } from './text.ts';
import { shortTime } from './time.ts';

/** How webhooks are doing. */
export function webhookLines(
  webhooks: readonly api.WebhookView[],
  width: number,
  paint: Paint,
): readonly string[] {
  if (webhooks.length === 0) return ['The configuration has no webhooks.'];
  return table<api.WebhookView>({
    columns: [
      { title: 'WEBHOOK', value: ({ name }) => printable(name) },
      { title: 'HOST', value: ({ host }) => host },
      { title: 'WAITING', value: ({ waiting }) => String(waiting) },
      { title: 'DEAD', value: ({ dead_letters }) => String(dead_letters) },
      {
        title: 'STATE',
        value: stateOf,
        flexible: true,
        paint: (text) => (text === 'well' ? paint.good(text) : paint.warn(text)),
      },
    ],
    rows: webhooks,
    width,
    paint,
  });
}

function stateOf({ disabled_at, failing_since, error }: api.WebhookView): string {
  if (disabled_at !== null) return `disabled since ${shortTime(disabled_at)}: it answered 410`;
  if (failing_since !== null) return `failing since ${shortTime(failing_since)}: ${printable(error ?? '')}`;
  return 'well';
}

/** Messages that were given up. */
export function deadLetterLines(
  letters: readonly api.DeadLetterView[],
  width: number,
  paint: Paint,
): readonly string[] {
  if (letters.length === 0) return ['There are no dead letters.'];
  return table<api.DeadLetterView>({
    columns: [
      { title: 'EVENT', value: ({ event }) => event },
      { title: 'TYPE', value: ({ type }) => printable(type) },
      { title: 'WEBHOOK', value: ({ receiver }) => printable(receiver) },
      { title: 'GIVEN UP', value: ({ given_up_at }) => shortTime(given_up_at) },
      { title: 'WHY', value: ({ error }) => printable(error), flexible: true },
    ],
    rows: letters,
    width,
    paint,
  });
}
