import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { printable } from './text.ts';
import { shortTime } from './time.ts';

/** One legal hold and what it holds. */
export function holdLines(hold: api.LegalHoldView, paint: Paint): readonly string[] {
  const released = hold.released_at === null ? '' : `, released ${shortTime(hold.released_at)}`;
  return [
    paint.strong(`Legal hold ${hold.id} on ${scopeInWords(hold)}${released}`),
    `placed ${shortTime(hold.placed_at)} by ${printable(hold.placed_by)}: ${printable(hold.reason)}`,
    ...(hold.release_reason === null ? [] : [`released: ${printable(hold.release_reason)}`]),
    hold.requests.length === 0 ? 'It holds no request.' : `It holds ${hold.requests.join(', ')}.`,
  ];
}

/** Legal holds, newest first. */
export function holdListLines(
  page: { readonly items: readonly api.LegalHoldView[]; readonly next: string | null },
  width: number,
  paint: Paint,
): readonly string[] {
  if (page.items.length === 0) return ['No legal holds.'];
  const lines = table<api.LegalHoldView>({
    columns: [
      { title: 'HOLD', value: (hold) => hold.id },
      { title: 'ON', value: scopeInWords },
      { title: 'HOLDS', value: (hold) => String(hold.requests.length), align: 'right' },
      { title: 'SINCE', value: (hold) => hold.placed_at.slice(0, 10) },
      { title: 'UNTIL', value: (hold) => hold.released_at?.slice(0, 10) ?? '' },
      { title: 'WHY', value: (hold) => printable(hold.reason), flexible: true },
    ],
    rows: page.items,
    width,
    paint,
  });
  return page.next === null ? lines : [...lines, paint.quiet(`There are more: --cursor ${page.next}`)];
}

function scopeInWords(hold: api.LegalHoldView): string {
  if (hold.scope === 'subject') return `a person (${hold.identity_types.join(', ')})`;
  return printable(hold.system ?? hold.category ?? 'everything');
}
