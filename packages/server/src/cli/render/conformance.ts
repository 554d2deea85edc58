import type { ConformanceResult } from '../../connectors/index.ts';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { count, padEnd, printable } from './text.ts';
import { duration } from './time.ts';

export interface ConformanceLook {
  /** All cases, so that their names are as wide as each other. */
  readonly cases: readonly { readonly name: string }[];
  /** In columns. */
  readonly width: number;
  readonly paint: Paint;
}

/** One case: whether it held, what the contract asks for, and what came instead. */
export function conformanceLines(
  result: ConformanceResult,
  { cases, width, paint }: ConformanceLook,
): readonly string[] {
  const nameWidth = Math.max(...cases.map(({ name }) => name.length));
  const indent = 2 + nameWidth + 2;
  const { mark, tone } = {
    passed: { mark: '✓', tone: paint.good },
    failed: { mark: '✗', tone: paint.bad },
    skipped: { mark: '–', tone: paint.quiet },
  }[result.outcome];
  const label = `${tone(mark)} ${padEnd(printable(result.name), nameWidth)}  `;
  return [
    ...paragraph(label, printable(result.rule), width, indent),
    ...(result.detail === ''
      ? []
      : paragraph(' '.repeat(indent), printable(result.detail), width).map(
          result.outcome === 'failed' ? paint.bad : paint.quiet,
        )),
  ];
}

/** How many held, did not hold, and were skipped. */
export function conformanceEndLines(
  results: readonly ConformanceResult[],
  milliseconds: number,
  paint: Paint,
): readonly string[] {
  const of = (outcome: ConformanceResult['outcome']) =>
    results.filter((result) => result.outcome === outcome).length;
  const failed = of('failed');
  const skipped = of('skipped') === 0 ? '' : `, ${of('skipped')} skipped`;
  const text =
    failed === 0
      ? `${paint.good('✓')} ${paint.strong(`${count(of('passed'), 'case')} passed`)}${skipped}`
      : `${paint.bad('✗')} ${paint.strong(`${failed} of ${count(results.length, 'case')} failed`)}${skipped}`;
  return ['', `${text}  ${paint.quiet(duration(milliseconds))}`];
}
