import type { TestResult } from '../../notify/index.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';

/** Which receivers took a test message. */
export function testResultLines(
  results: readonly TestResult[],
  width: number,
  paint: Paint,
): readonly string[] {
  if (results.length === 0) {
    return ['Nobody is told anything: the configuration has no receivers under teams and notify.'];
  }
  return table<TestResult>({
    columns: [
      { title: 'RECEIVER', value: ({ receiver }) => receiver },
      { title: 'TO', value: ({ to }) => to },
      {
        title: 'RESULT',
        value: ({ error }) => (error === null ? 'sent' : error.message),
        flexible: true,
        paint: (text, { error }) => (error === null ? paint.good(text) : paint.warn(text)),
      },
    ],
    rows: results,
    width,
    paint,
  });
}
