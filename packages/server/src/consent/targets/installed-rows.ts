import { HabeasError } from '../../foundation/index.ts';
import type { NumberedPurpose } from './choose-predicate.ts';
import type { Target, TargetPurpose } from './target.ts';
import type { Watermark } from './target-store.ts';

/** The row in which a target has whose it is, and which state of Habeas; null before the first sync. */
export interface InstalledRow {
  readonly organization: string;
  readonly snapshot: string | null;
  readonly as_of: Date | null;
}

export interface PurposeRow {
  readonly number: number;
  readonly code: string;
  readonly opt_out: boolean;
}

/** undefined: the target has no state yet. Throws CONFLICT if nothing is installed, or for somebody else. */
export function watermarkOf(
  target: Pick<Target, 'key' | 'organizationId'>,
  row: InstalledRow | undefined,
): Watermark | undefined {
  if (row === undefined) throw notInstalled(target.key);
  if (row.organization !== target.organizationId)
    throw new HabeasError(
      'CONFLICT',
      `The target ${target.key} belongs to the organization ${row.organization}.`,
    );
  return row.snapshot === null || row.as_of === null
    ? undefined
    : { snapshot: row.snapshot, asOf: row.as_of };
}

/** The purposes of the configuration with their numbers. Throws CONFLICT where the target knows them otherwise. */
export function purposesIn(
  target: Pick<Target, 'key' | 'purposes'>,
  rows: readonly PurposeRow[],
): readonly NumberedPurpose[] {
  return target.purposes.map((purpose) => {
    const row = rows.find(({ code }) => code === purpose.code);
    if (row?.opt_out !== purpose.optOut) throw notInstalled(target.key);
    return { ...purpose, number: row.number };
  });
}

/** Numbers are never used again: what people said about one purpose must not be read as said about another. */
export function withNumbers(
  purposes: readonly TargetPurpose[],
  rows: readonly Pick<PurposeRow, 'code' | 'number'>[],
): readonly NumberedPurpose[] {
  const numbers = new Map(rows.map(({ code, number }) => [code, number]));
  for (const { code } of purposes)
    if (!numbers.has(code)) numbers.set(code, Math.max(-1, ...numbers.values()) + 1);
  return purposes.map((purpose) => ({ ...purpose, number: numbers.get(purpose.code) ?? 0 }));
}

/** Throws CONFLICT where the target is somebody else's. */
export function requireOrganization({ organizationId }: Target, other: string | undefined): void {
  if (other !== undefined && other !== organizationId)
    throw new HabeasError(
      'CONFLICT',
      `The target belongs to the organization ${other}, not to ${organizationId}.`,
    );
}

/** Throws SCHEMA_MISMATCH if anything is wrong with the tables of the configuration. */
export function requireNothingWrong(wrong: readonly string[]): void {
  if (wrong.length > 0)
    throw new HabeasError('SCHEMA_MISMATCH', `${wrong.join('; ')}. Correct consent.targets.`, {
      details: wrong,
    });
}

export function notInstalled(key: string): HabeasError {
  return new HabeasError(
    'CONFLICT',
    `The target ${key} is not installed as the configuration says. Run: habeas consent install --target ${key}`,
  );
}
