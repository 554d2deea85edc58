import { cutValues } from './cut.ts';
import type { DictionaryChange } from './dictionary.ts';
import { countOf, type PageContent, type PageValues } from './page-content.ts';
import { type PlainValues, plainValues, type Range } from './plain-values.ts';
import type { Leaf } from './schema.ts';

/** What takes the place of a value; null: none. The same for the same value. */
export type MaskValue = (value: Buffer) => Buffer | null;

/** The content with other values in some entries. */
export function maskedContent(
  content: PageContent,
  {
    values,
    leaf,
    mask,
    dictionary,
  }: {
    /** Where their values lie. */
    readonly values: readonly Range[];
    readonly leaf: Leaf;
    readonly mask: MaskValue;
    readonly dictionary: DictionaryChange | undefined;
  },
): PageContent {
  const masks = masksOf(content.values, { values, mask, dictionary });
  const emptied = [...masks].flatMap(([index, value]) =>
    value === null ? [{ from: index, to: index + 1 }] : [],
  );
  const replaced = replacedValues(content.values, { masks, leaf, dictionary });
  const definition = emptied.length === 0 ? content.definition : withoutValues(content, masks, leaf);
  return { ...content, definition, values: cutValues(replaced, emptied) };
}

function masksOf(
  values: PageValues,
  {
    values: ranges,
    mask,
    dictionary,
  }: {
    readonly values: readonly Range[];
    readonly mask: MaskValue;
    readonly dictionary: DictionaryChange | undefined;
  },
): ReadonlyMap<number, Buffer | null> {
  const masks = new Map<number, Buffer | null>();
  for (const { from, to } of ranges) {
    for (let index = from; index < to; index += 1) {
      const old =
        values.kind === 'plain' ? values.plain.at(index) : dictionary?.value(values.indices[index] as number);
      if (old !== undefined) masks.set(index, mask(old));
    }
  }
  return masks;
}

interface Replacing {
  readonly masks: ReadonlyMap<number, Buffer | null>;
  readonly leaf: Leaf;
  readonly dictionary: DictionaryChange | undefined;
}

function replacedValues(values: PageValues, { masks, leaf, dictionary }: Replacing): PageValues {
  if ([...masks.values()].every((mask) => mask === null)) return values;
  if (values.kind === 'plain') return { ...values, plain: replacedPlain(values.plain, masks, leaf) };
  const indices = Uint32Array.from(values.indices);
  for (const [index, mask] of masks)
    if (mask !== null && dictionary !== undefined) indices[index] = dictionary.numberOf(mask);
  return { kind: 'indices', indices };
}

function replacedPlain(
  values: PlainValues,
  masks: ReadonlyMap<number, Buffer | null>,
  leaf: Leaf,
): PlainValues {
  const items = Array.from({ length: values.count }, (_, index) => masks.get(index) ?? values.at(index));
  return plainValues(items, leaf);
}

/** The levels, where a value that was emptied is null. */
function withoutValues(
  { definition, entries, values }: PageContent,
  masks: ReadonlyMap<number, Buffer | null>,
  leaf: Leaf,
): Uint8Array {
  const levels =
    definition === undefined ? new Uint8Array(entries).fill(leaf.maxDefinition) : Uint8Array.from(definition);
  let value = countOf(values);
  // Backwards, so that what is changed does not move what is counted.
  for (let entry = entries - 1; entry >= 0; entry -= 1) {
    if (levels[entry] !== leaf.maxDefinition) continue;
    value -= 1;
    if (masks.get(value) === null) levels[entry] = leaf.maxDefinition - 1;
  }
  return levels;
}
