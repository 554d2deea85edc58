import type { Keep, KeepUnit, OnErase } from './dataset.ts';
import type { KeepSource, OnEraseSource } from './dataset-schema.ts';

const UNITS: Readonly<Record<string, KeepUnit>> = { d: 'day', w: 'week', mo: 'month', y: 'year' };

/** `on_erase` as it is written → what it means. */
export function fromOnEraseSource(source: OnEraseSource | undefined): OnErase | undefined {
  if (source === undefined) return undefined;
  if (source === 'mask' || source === 'anonymize') return { kind: source, mask: undefined };
  if (source === 'delete' || source === 'detach') return { kind: source };
  if ('mask' in source) return { kind: 'mask', mask: source.mask };
  if ('anonymize' in source) return { kind: 'anonymize', mask: source.anonymize };
  return { kind: 'keep', keep: { ...fromKeepSource(source.keep), detach: source.keep.detach } };
}

/** `keep` as it is written → what it means. */
export function fromKeepSource(source: KeepSource): Keep {
  return {
    reason: source.reason,
    legalBasis: source.legal_basis ?? null,
    until: fromUntilSource(source.until),
    detach: false,
  };
}

function fromUntilSource(source: KeepSource['until']): Keep['until'] {
  if (source === undefined) return null;
  if (typeof source === 'string') return { date: source };
  return { column: source.column, after: fromAgeSource(source.after) };
}

/** `7y` → 7 years. */
export function fromAgeSource(text: string): { readonly count: number; readonly unit: KeepUnit } {
  const [, count, unit] = /^(\d+)(\w+)$/.exec(text) ?? [];
  return { count: Number(count), unit: UNITS[unit ?? ''] ?? 'day' };
}
