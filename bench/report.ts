import type { Figure } from './figure.ts';

/** One line of JSON for programs. */
export function toJson(figure: Figure): string {
  const { name, value, unit, baseline, ratio, goal, pass } = figure;
  return JSON.stringify({ name, value, unit, baseline, ratio, goal, pass });
}

/** All figures for people: a table, then what each of them says. */
export function toTable(figures: readonly Figure[]): string {
  const head = ['figure', 'value', 'baseline', 'ratio', 'goal', ''];
  const rows = figures.map((figure) => [
    figure.name,
    `${number(figure.value)} ${figure.unit}`,
    `${number(figure.baseline)} ${figure.unit}`,
    number(figure.ratio),
    figure.goal,
    figure.pass ? 'pass' : 'MISSED',
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column >= 1 && column <= 3 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const explained = figures.flatMap((figure) => [
    '',
    figure.name,
    `  measured  ${figure.measured}`,
    `  baseline  ${figure.against}`,
    ...figure.notes.map((note) => `            ${note}`),
  ]);
  return `${[line(head), ...rows.map(line), ...explained].join('\n')}\n`;
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 3 });
}
