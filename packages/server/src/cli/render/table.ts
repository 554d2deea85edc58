import type { Paint } from './paint.ts';
import { padEnd, padStart, printable, truncate, widthOf, wrap } from './text.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Which side the text leans to. (Default: left) */
  readonly align?: 'left' | 'right';
  /** The column that gives way when the table is too wide: its text is wrapped. (Default: false) */
  readonly flexible?: boolean;
  /** Colours a cell; gets the text as it will be shown. */
  readonly paint?: (text: string, row: Row) => string;
}

export interface TableOptions<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Columns of the screen. */
  readonly width: number;
  readonly paint: Paint;
  /** Spaces before each line. (Default: 0) */
  readonly indent?: number;
}

const GAP = 2;
const LEAST_FLEXIBLE_WIDTH = 16;

/** A table without lines: titles, then one row per entry; no line is wider than the screen where that is possible. */
export function table<Row>(options: TableOptions<Row>): readonly string[] {
  const { columns, rows, paint } = options;
  const indent = ' '.repeat(options.indent ?? 0);
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...cells.map((row) => widthOf(row[index] ?? ''))),
  );
  shrink(widths, columns, options.width - indent.length);

  const titles = columns.map((column, index) => align(column.title, column, widths[index] ?? 0));
  const lines = [paint.quiet(`${indent}${titles.join(' '.repeat(GAP))}`.trimEnd())];
  for (const [number, row] of rows.entries()) {
    const parts = columns.map((column, index) =>
      fit(cells[number]?.[index] ?? '', column, widths[index] ?? 0),
    );
    const height = Math.max(1, ...parts.map((part) => part.length));
    for (let line = 0; line < height; line += 1) {
      const text = columns.map((column, index) => {
        const cell = align(parts[index]?.[line] ?? '', column, widths[index] ?? 0);
        return column.paint === undefined || cell.trim() === '' ? cell : column.paint(cell, row);
      });
      lines.push(`${indent}${text.join(' '.repeat(GAP))}`.trimEnd());
    }
  }
  return lines;
}

/** Takes what is too much from the flexible columns, widest first. */
function shrink(widths: number[], columns: readonly Column<never>[], available: number): void {
  const total = () => widths.reduce((sum, width) => sum + width + GAP, -GAP);
  for (let excess = total() - available; excess > 0; excess = total() - available) {
    const candidates = columns
      .map((column, index) => ({ index, width: widths[index] ?? 0, flexible: column.flexible === true }))
      .filter(({ flexible, width }) => flexible && width > LEAST_FLEXIBLE_WIDTH)
      .sort((a, b) => b.width - a.width);
    const [widest, second] = candidates;
    if (widest === undefined) return;
    const floor = Math.max(LEAST_FLEXIBLE_WIDTH, second === undefined ? 0 : second.width - 1);
    widths[widest.index] = Math.max(widest.width - excess, Math.min(floor, widest.width - 1));
  }
}

function fit(text: string, column: Column<never>, width: number): readonly string[] {
  if (widthOf(text) <= width) return [text];
  return column.flexible === true ? wrap(text, width) : [truncate(text, width)];
}

function align(text: string, column: Column<never>, width: number): string {
  return column.align === 'right' ? padStart(text, width) : padEnd(text, width);
}
