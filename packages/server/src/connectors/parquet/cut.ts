import { countOf, type PageContent, type PageValues } from './page-content.ts';
import type { Range } from './plain-values.ts';
import type { RowSet } from './row-set.ts';

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
  for (const { from, to } of ranges) {
    value += countBetween(definition, maxDefinition, { from: entry, to: from });
    const first = value;
    value += countBetween(definition, maxDefinition, { from, to });
    entry = to;
    if (value > first) add(found, { from: first, to: value });
  }
  return found;
}

function countBetween(levels: Uint8Array, level: number, { from, to }: Range): number {
  let count = 0;
  for (let at = from; at < to; at += 1) if (levels[at] === level) count += 1;
  return count;
}

/** The content without these entries. */
export function withoutEntries(
  content: PageContent,
  ranges: readonly Range[],
  maxDefinition: number,
): PageContent {
  const gone = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  return {
    entries: content.entries - gone,
    repetition: content.repetition === undefined ? undefined : cutNumbers(content.repetition, ranges),
    definition: content.definition === undefined ? undefined : cutNumbers(content.definition, ranges),
    memory: content.memory,
    values: cutValues(content.values, valueRanges(content, ranges, maxDefinition)),
  };
}

/** The values without those of these ranges. */
export function cutValues(values: PageValues, ranges: readonly Range[]): PageValues {
  if (ranges.length === 0) return values;
  if (values.kind === 'indices') return { kind: 'indices', indices: cutNumbers(values.indices, ranges) };
  return { ...values, plain: values.plain.without(ranges) };
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
