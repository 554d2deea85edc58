import { readFileSync } from 'node:fs';
import { HabeasError } from '../errors.ts';

const TAIL_LINES = 12;

/** EMBEDDED_DATABASE_FAILED, with the last lines that the server wrote, which name the cause (a full disk, a broken file). */
export function failure(message: string, options: { readonly cause?: unknown; readonly log?: string } = {}) {
  const tail = lastLines(options.log ?? '');
  const text = tail === '' ? message : `${message}\nThe last lines of the server were:\n${tail}`;
  return new HabeasError('EMBEDDED_DATABASE_FAILED', text, { cause: options.cause });
}

/** What a log file holds from a byte position on; empty when there is no such file. */
export function logFrom(file: string, position: number): string {
  try {
    return readFileSync(file).subarray(position).toString('utf8');
  } catch {
    return '';
  }
}

function lastLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-TAIL_LINES)
    .map((line) => `  ${line}`)
    .join('\n');
}
