import type { api } from '@habeas/contract';

/** Every right, in the order in which they are tried. */
export const RIGHTS: readonly api.Right[] = [
  'access',
  'portability',
  'erasure',
  'rectification',
  'restriction',
  'objection',
  'opt_out_of_sale',
  'limit_sensitive_data',
];

/** Which failpoints are tried: those of some rights, and of these one in so many. */
export interface Part {
  readonly rights: readonly api.Right[];
  readonly slice: Slice;
}

/** The `which`-th (from 1) of `of` parts that together are all: every `of`-th failpoint, from the `which`-th on. */
export interface Slice {
  readonly which: number;
  readonly of: number;
}

export const WHOLE: Part = { rights: RIGHTS, slice: { which: 1, of: 1 } };

/** Reads `--only access,erasure` and `--slice 2/5`; a text says what is wrong. */
export function readPart(given: {
  readonly only?: string | undefined;
  readonly slice?: string | undefined;
}): Part | string {
  const names = given.only?.split(',').map((name) => name.trim()) ?? RIGHTS;
  const unknown = names.find((name) => !RIGHTS.some((right) => right === name));
  if (unknown !== undefined)
    return `--only: there is no right "${unknown}". Name some of ${RIGHTS.join(', ')}, with commas between.`;
  const rights = RIGHTS.filter((right) => names.includes(right));
  if (given.slice === undefined) return { rights, slice: WHOLE.slice };
  const [which = 0, of = 0] = /^[1-9]\d{0,3}\/[1-9]\d{0,3}$/.test(given.slice)
    ? given.slice.split('/').map(Number)
    : [];
  if (which < 1 || which > of)
    return `--slice: "${given.slice}" is no part of a whole, such as 2/5, the second of five.`;
  return { rights, slice: { which, of } };
}

/** What of these is in the slice, in their order. */
export function sliceOf<Item>(items: readonly Item[], { which, of }: Slice): readonly Item[] {
  return items.filter((_, index) => index % of === which - 1);
}
