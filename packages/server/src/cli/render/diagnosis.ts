import type { Diagnosis } from '../diagnosis.ts';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { padEnd, printable, truncate } from './text.ts';

const WHAT_WIDTH = 22;
const INDENT = 6 + WHAT_WIDTH + 2;

/** What was found, and below it what to do. */
export function diagnosisLines(diagnosis: Diagnosis, width: number, paint: Paint): readonly string[] {
  const { what, verdict, finding, next } = diagnosis;
  const tone = { ok: paint.good, warn: paint.warn, fail: paint.bad }[verdict];
  const label = `${tone(padEnd(verdict, 4))}  ${padEnd(truncate(printable(what), WHAT_WIDTH), WHAT_WIDTH)}  `;
  return [
    ...paragraph(label, printable(finding), width, INDENT),
    ...(next === undefined ? [] : paragraph(`${' '.repeat(INDENT - 2)}→ `, printable(next), width, INDENT)),
  ];
}
