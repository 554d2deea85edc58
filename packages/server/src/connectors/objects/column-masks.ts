import { createHash, randomBytes } from 'node:crypto';
import type { Target } from '../../catalog/index.ts';
import type { ColumnMask } from './row-format.ts';

/**
 * How the targets of a collection are masked in rows: `undefined` and `null` become nothing. Hashes are salted with a text that nobody keeps,
 * so that nobody can try values until one fits. Gives in words what cannot be masked so.
 */
export function columnMasks(targets: readonly Target[]): readonly (ColumnMask | string)[] {
  const salt = randomBytes(32);
  const hash = (value: unknown) =>
    `erased-${createHash('sha256').update(salt).update(String(value)).digest('hex').slice(0, 20)}`;
  return targets.map(({ field, mask, after }) => {
    const path = field.name.split('.');
    if (after !== undefined)
      return `"${field.name}" is kept until a date in its row, which rows of objects cannot be: give it a date, or keep it.`;
    switch (mask?.strategy) {
      case undefined:
      case 'null':
        return { path, mask: () => null };
      case 'fixed':
        return { path, mask: () => mask.value };
      case 'hash':
        return { path, mask: hash };
      case 'random-email':
        return { path, mask: (value) => `${hash(value)}@erased.invalid` };
      case 'deleted-mark':
        return `Rows of objects cannot be soft-deleted, and "${field.name}" would mark them: erase or mask them.`;
      default:
        return mask satisfies never;
    }
  });
}
