import type { PlainValues } from './encodings.ts';
import { countOf, type PageContent, type PageValues } from './page-content.ts';
import type { RowSet } from './row-set.ts';

/** From `from` on and before `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Which entries of a page belong to these rows, in order. `firstRow`: the row that begins first in the page, or would; a page may begin
 * within the row before it.
 */
export function entriesOfRows(content: PageContent, rows: RowSet, firstRow: number): readonly Range[] {
  const { repetition, entries } = content;
  const ranges: Range[] = [];
  if (repetition === undefined) {
    for (const row of rows.between(firstRow, firstRow + entries))
      add(ranges, { from: row - firstRow, to: row - firstRow + 1 });
    return ranges;
  }
  const hit = new Set(rows.between(firstRow - 1, firstRow + entries));
  let row = firstRow - 1;
  for (let entry = 0; entry < entries; entry += 1) {
    if (repetition[entry] === 0) row += 1;
    if (hit.has(row)) add(ranges, { from: entry, to: entry + 1 });
  }
  return ranges;
}

function add(ranges: Range[], range: Range): void {
  const last = ranges.at(-1);
  if (last?.to === range.from) ranges[ranges.length - 1] = { from: last.from, to: range.to };
  else ranges.push(range);
}

/** Where the values of these entries lie among the values. */
export function valueRanges(
  { definition }: PageContent,
  ranges: readonly Range[],
  maxDefinition: number,
): readonly Range[] {
  if (definition === undefined) return ranges;
  const found: Range[] = [];
  let value = 0;
  let entry = 0;
  const skipTo = (to: number) => {
    for (; entry < to; entry += 1) if (definition[entry] === maxDefinition) value += 1;
  };
  for (const { from, to } of ranges) {
    skipTo(from);
    const first = value;
    skipTo(to);
    if (value > first) add(found, { from: first, to: value });
  }
  return found;
}

/** The content without these entries. */
export function withoutEntries(
  content: PageContent,
  ranges: readonly Range[],
  { width, maxDefinition }: { readonly width: number; readonly maxDefinition: number },
): PageContent {
  const gone = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  return {
    entries: content.entries - gone,
    repetition: content.repetition === undefined ? undefined : cutNumbers(content.repetition, ranges),
    definition: content.definition === undefined ? undefined : cutNumbers(content.definition, ranges),
    values: cutValues(content.values, valueRanges(content, ranges, maxDefinition), width),
  };
}

/** The values without those of these ranges. */
export function cutValues(values: PageValues, ranges: readonly Range[], width: number): PageValues {
  if (ranges.length === 0) return values;
  if (values.kind === 'indices') return { kind: 'indices', indices: cutNumbers(values.indices, ranges) };
  return { ...values, plain: cutPlain(values.plain, ranges, width) };
}

function cutPlain(
  { data, count, starts }: PlainValues,
  ranges: readonly Range[],
  width: number,
): PlainValues {
  const at = (index: number): number => (starts === undefined ? index * width : (starts[index] as number));
  const kept = keptRanges(ranges, count);
  const parts = kept.map(({ from, to }) => data.subarray(at(from), at(to)));
  const left = kept.reduce((sum, { from, to }) => sum + to - from, 0);
  return {
    data: Buffer.concat(parts),
    count: left,
    starts: starts === undefined ? undefined : cutStarts(starts, kept, left),
  };
}

function cutStarts(starts: Uint32Array, kept: readonly Range[], count: number): Uint32Array {
  const cut = new Uint32Array(count + 1);
  let at = 0;
  let index = 0;
  for (const { from, to } of kept) {
    const moved = at - (starts[from] as number);
    for (let old = from; old < to; old += 1) {
      cut[index] = (starts[old] as number) + moved;
      index += 1;
    }
    at = (starts[to] as number) + moved;
  }
  cut[count] = at;
  return cut;
}

function keptRanges(ranges: readonly Range[], count: number): readonly Range[] {
  const kept: Range[] = [];
  let at = 0;
  for (const { from, to } of [...ranges, { from: count, to: count }]) {
    if (from > at) kept.push({ from: at, to: from });
    at = to;
  }
  return kept;
}

function cutNumbers<Of extends Uint8Array | Uint32Array>(numbers: Of, ranges: readonly Range[]): Of {
  const kept = keptRanges(ranges, numbers.length);
  const length = kept.reduce((sum, { from, to }) => sum + to - from, 0);
  const cut = (numbers instanceof Uint8Array ? new Uint8Array(length) : new Uint32Array(length)) as Of;
  let at = 0;
  for (const { from, to } of kept) {
    cut.set(numbers.subarray(from, to), at);
    at += to - from;
  }
  return cut;
}

/** Values that are not there. */
export function nullsIn(content: PageContent): number {
  return content.entries - countOf(content.values);
}
