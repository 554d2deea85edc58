import { HabeasError } from '../../foundation/index.ts';
import type { ColumnMask } from '../objects/row-format.ts';
import type { MaskValue } from './mask-page.ts';
import { physicalOf, shownValue } from './physical.ts';
import type { Leaf } from './schema.ts';

/** Makes the mask of one column of one row group. */
export type CompiledMask = () => MaskValue;

/** Throws SCHEMA_MISMATCH where what the mask gives for a value of the column's type cannot be in the column. */
export function compileMask({ path, mask }: ColumnMask, leaf: Leaf): CompiledMask {
  const masked = (value: Buffer): Buffer | null => {
    const text = mask(shownValue(leaf, value));
    if (text === null) {
      if (leaf.isOptional) return null;
      throw misfit(path, 'is required and cannot be emptied; give it another value');
    }
    const bytes = physicalOf(leaf, text);
    if (bytes === undefined) throw misfit(path, 'cannot have the value that masks it; empty it');
    return bytes;
  };
  masked(exampleOf(leaf));
  return () => {
    // A column may be read twice, and a mask that draws by chance must not give two values for one.
    const known = new Map<string, Buffer | null>();
    return (value) => {
      const text = value.toString('latin1');
      const before = known.get(text);
      if (before !== undefined) return before;
      const after = masked(value);
      known.set(text, after);
      return after;
    };
  };
}

function exampleOf({ width, meaning }: Leaf): Buffer {
  return width > 0 ? Buffer.alloc(width) : Buffer.from(meaning.kind === 'decimal' ? [0] : 'example');
}

function misfit(path: readonly string[], what: string): HabeasError {
  return new HabeasError(
    'SCHEMA_MISMATCH',
    `The column "${path.join('.')}" of a Parquet file ${what}, or delete the rows.`,
  );
}
