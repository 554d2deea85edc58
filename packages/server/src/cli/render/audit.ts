import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { shortTime } from './time.ts';

/** Entries of the audit log, newest first. */
export function auditLines(
  page: { readonly items: readonly api.AuditEntryView[]; readonly next: string | null },
  width: number,
  paint: Paint,
): readonly string[] {
  if (page.items.length === 0) return ['No entries.'];
  const lines = table<api.AuditEntryView>({
    columns: [
      { title: 'WHEN (UTC)', value: (entry) => shortTime(entry.at), paint: paint.quiet },
      { title: 'WHO', value: (entry) => entry.actor, flexible: true },
      { title: 'WHAT', value: (entry) => entry.action },
      { title: 'ABOUT', value: (entry) => entry.subject },
      { title: 'DETAILS', value: (entry) => detailsOf(entry.details), flexible: true },
    ],
    rows: page.items,
    width,
    paint,
  });
  return page.next === null ? lines : [...lines, paint.quiet('There are older entries; raise --limit.')];
}

function detailsOf(details: api.AuditEntryView['details']): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
