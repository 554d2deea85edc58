import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { printable } from './text.ts';

/** How much of a tenant one collection holds. */
export interface TenantCount {
  readonly system: string;
  readonly collection: string;
  readonly count: number;
}

/** What would be erased with a tenant. */
export function tenantCountLines(
  counts: readonly TenantCount[],
  options: { readonly width: number; readonly paint: Paint },
): readonly string[] {
  if (counts.length === 0) return ['No system that Habeas counts in knows this tenant.'];
  return table<TenantCount>({
    columns: [
      { title: 'SYSTEM', value: ({ system }) => printable(system) },
      { title: 'COLLECTION', value: ({ collection }) => printable(collection), flexible: true },
      { title: 'FOUND', value: ({ count }) => String(count), align: 'right' },
    ],
    rows: counts,
    ...options,
  });
}
