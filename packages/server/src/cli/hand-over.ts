import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { HabeasError } from '../foundation/errors.ts';

/** Rows by collection. */
export type HandedOver = Record<string, Record<string, unknown>[]>;

/**
 * What a team hands over with a ticket: a JSON file of collections, `{ "events": [{ … }] }`, or a file of JSON lines, which is
 * one collection named after the file. Throws BAD_INPUT with the place; never repeats what the file holds.
 */
export async function readHandOver(file: string): Promise<HandedOver> {
  const bytes = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HabeasError('BAD_INPUT', `${file} cannot be read.`, { cause });
  });
  if (extname(file) === '.json') {
    const value = parse(bytes, file);
    if (isRow(value) && Object.values(value).every(isRows)) return value as HandedOver;
    throw new HabeasError(
      'BAD_INPUT',
      `${file}: it must be an object of lists of objects, rows by collection, such as {"events": [{"at": "…"}]}.`,
    );
  }
  const rows = bytes.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const row = parse(line, `${file}:${index + 1}`);
    if (isRow(row)) return [row];
    throw new HabeasError('BAD_INPUT', `${file}:${index + 1}: it must be an object, one a line.`);
  });
  return { [basename(file, extname(file))]: rows };
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the text.
    throw new HabeasError('BAD_INPUT', `${place}: not valid JSON.`);
  }
}

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRows(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRow);
}
