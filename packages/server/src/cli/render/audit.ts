import type { api } from '@habeas/contract';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { printable } from './text.ts';
import { shortTime } from './time.ts';

const INDENT = 21;

/** Entries of the audit log, newest first: when, what and who on one line, what it was about and the details below. */
export function auditLines(
  page: { readonly items: readonly api.AuditEntryView[]; readonly next: string | null },
  width: number,
  paint: Paint,
): readonly string[] {
  if (page.items.length === 0) return ['No entries.'];
  const lines = page.items.flatMap((entry) => [
    `${paint.quiet(shortTime(entry.at))}  ${paint.strong(printable(entry.action))}  by ${printable(entry.actor)}`,
    ...paragraph(' '.repeat(INDENT), printable([entry.subject, ...detailsOf(entry)].join('  ')), width),
  ]);
  return page.next === null ? lines : [...lines, paint.quiet('There are older entries; raise --limit.')];
}

function detailsOf({ details }: api.AuditEntryView): readonly string[] {
  return Object.entries(details).map(([name, value]) => `${name}=${value}`);
}
