import type { HabeasError } from '../../foundation/errors.ts';
import type { Paint } from './paint.ts';
import { printable } from './text.ts';

/** An error as it is printed: `error CODE: text`, and one line for each detail that the text does not have. */
export function renderError(error: HabeasError, paint: Paint): readonly string[] {
  const [first = '', ...more] = error.message.split('\n').map(printable);
  const details = error.details.map(printable).filter((detail) => !error.message.includes(detail));
  return [
    `${paint.bad('error')} ${error.code}: ${first}`,
    ...more.map((line) => `  ${line}`),
    ...details.map((detail) => `  ${detail}`),
  ];
}
