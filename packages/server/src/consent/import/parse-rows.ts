import { api } from '@habeas/contract';
import { CsvError, parse } from 'csv-parse/sync';
import * as z from 'zod';
import { HabeasError } from '../../foundation/index.ts';
import type { Signal } from '../record/index.ts';
import { cutRecords, isOfRowSize } from './cut-records.ts';

/** A row of a list: a signal, or what is wrong with it. */
export type ParsedRow =
  | { readonly line: number; readonly signal: Signal }
  | { readonly line: number; readonly problem: string };

export interface ParseOptions {
  readonly format: 'csv' | 'json-lines';
  /** Of the list; names signals that have no id. */
  readonly name: string;
  /** Line of the list in which the first row stands. */
  readonly firstLine: number;
}

const rowSchema = z.strictObject({
  event_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,100}$/)
    .optional(),
  identity: api.identitySchema,
  said_at: z.iso.datetime({ offset: true }),
  choices: z.record(z.string().max(63), z.boolean()),
  notice: api.noticeSeenSchema.optional(),
});

/** Columns of comma-separated values that are no purposes. */
const COLUMNS = new Set([
  'event_id',
  'identity_type',
  'identity_value',
  'said_at',
  'notice_version',
  'notice_language',
  'notice_variant',
]);
const NEEDED = ['identity_type', 'identity_value', 'said_at'];
const CHOICES = new Map([
  ['true', true],
  ['1', true],
  ['granted', true],
  ['false', false],
  ['0', false],
  ['denied', false],
]);

/** Stands for bytes that are no UTF-8: several names would become one, and nobody's. */
const UNREADABLE = '\ufffd';
const NO_UTF8 = 'It has letters that are not in UTF-8.';

/** Reads a piece of a list. Throws BAD_INPUT where it cannot be told which rows there are; what is wrong with a row is said of the row. */
export function parseRows(list: string, options: ParseOptions): readonly ParsedRow[] {
  // Some programs write a byte order mark before all else.
  const text = list.replace(/^\ufeff/, '');
  return options.format === 'csv' ? parseTable(text, options) : parseLines(text, options);
}

function parseLines(text: string, options: ParseOptions): readonly ParsedRow[] {
  return text.split('\n').flatMap((row, index): ParsedRow[] => {
    const line = options.firstLine + index;
    if (row.trim() === '') return [];
    if (!isOfRowSize(row)) return [{ line, problem: 'The line is longer than 64 KiB.' }];
    if (row.includes(UNREADABLE)) return [{ line, problem: NO_UTF8 }];
    let value: unknown;
    try {
      value = JSON.parse(row);
    } catch {
      return [{ line, problem: 'The line is no JSON.' }];
    }
    return [read(value, line, options)];
  });
}

function parseTable(text: string, options: ParseOptions): readonly ParsedRow[] {
  const { header, rest } = headerOf(text);
  const rowOf = (record: readonly string[], line: number): ParsedRow => {
    if (record.length !== header.length)
      return { line, problem: `The row has ${record.length} cells, and the header ${header.length}.` };
    if (record.some((cell) => cell.includes(UNREADABLE))) return { line, problem: NO_UTF8 };
    const row = fromCells(header, record);
    return typeof row === 'string' ? { line, problem: row } : read(row, line, options);
  };
  const { whole, broken } = cutRecords(rest, (record) => 'signal' in rowOf(record, 0));
  const cells = cellsOf(whole.map((record) => record.text));
  const rows = whole.map(({ line }, index) => rowOf(cells[index] ?? [], options.firstLine + line));
  const problem =
    'A quote in it is not closed, it is longer than 64 KiB, or the row that goes on behind this line is wrong.';
  return [...rows, ...broken.map((place) => ({ line: options.firstLine + place, problem }))].toSorted(
    (one, other) => one.line - other.line,
  );
}

function headerOf(text: string): { readonly header: readonly string[]; readonly rest: string } {
  const end = text.indexOf('\n');
  const first = end < 0 ? text : text.slice(0, end + 1);
  // All of such a list would be its header, and no row would be missed.
  if (/\r(?!\n)/.test(first))
    throw new HabeasError(
      'BAD_INPUT',
      'The lines end in carriage returns without line feeds. Save the list with line feeds.',
    );
  const header = cellsOf([first])[0]?.map((name) => name.trim()) ?? [];
  const lacks = NEEDED.filter((name) => !header.includes(name));
  if (lacks.length > 0)
    throw new HabeasError(
      'BAD_INPUT',
      `The header lacks ${lacks.join(', ')}. Each other column is the code of a purpose.`,
    );
  const twice = header.findIndex((name, place) => name !== '' && header.indexOf(name) < place);
  if (twice >= 0)
    throw new HabeasError(
      'BAD_INPUT',
      `Column ${twice + 1} of the header has the name of an earlier one. Leave one of them.`,
    );
  return { header, rest: text.slice(first.length) };
}

function cellsOf(records: readonly string[]): readonly (readonly string[])[] {
  const quoted = records.filter((record) => record.includes('"'));
  const cells = quotedCellsOf(quoted).values();
  return records.map((record) => (record.includes('"') ? (cells.next().value ?? []) : plainCellsOf(record)));
}

/** Where no quote is, each comma ends a cell. */
function plainCellsOf(record: string): readonly string[] {
  const end = record.endsWith('\n') ? record.length - 1 : record.length;
  return record.slice(0, record[end - 1] === '\r' ? end - 1 : end).split(',');
}

function quotedCellsOf(records: readonly string[]): readonly (readonly string[])[] {
  const ended = records.map((record) => (record.endsWith('\n') ? record : `${record}\n`));
  const all = parsed(ended.join(''));
  if (all?.length === records.length) return all;
  // One of them is not what it looked like; each is read by itself.
  return ended.map((record) => {
    const [one, ...others] = parsed(record) ?? [];
    return one === undefined || others.length > 0 ? [] : one;
  });
}

/** undefined: it has a quote that is not closed. */
function parsed(text: string): readonly (readonly string[])[] | undefined {
  try {
    return parse(text, {
      relax_column_count: true,
      relax_quotes: true,
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
    });
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}

function fromCells(header: readonly string[], cells: readonly string[]): object | string {
  const named: Record<string, string> = {};
  const choices: Record<string, boolean> = {};
  for (const [index, name] of header.entries()) {
    const cell = cells[index] ?? '';
    if (COLUMNS.has(name)) named[name] = cell;
    else if (cell !== '') {
      const choice = CHOICES.get(cell.trim().toLowerCase());
      if (choice === undefined)
        return 'A choice is neither true, 1 or granted, nor false, 0 or denied, nor empty.';
      choices[name] = choice;
    }
  }
  const version = named.notice_version ?? '';
  return {
    ...(named.event_id ? { event_id: named.event_id } : {}),
    identity: { type: named.identity_type, value: named.identity_value },
    said_at: named.said_at,
    choices,
    ...(version === ''
      ? {}
      : {
          notice: { version, language: named.notice_language ?? '', variant: named.notice_variant ?? '' },
        }),
  };
}

function read(value: unknown, line: number, { name }: ParseOptions): ParsedRow {
  const result = rowSchema.safeParse(value);
  if (!result.success) {
    const fields = [...new Set(result.error.issues.map(({ path }) => plainName(path)))];
    return { line, problem: `These fields are missing, wrong or unknown: ${fields.join(', ')}.` };
  }
  const { event_id, identity, said_at, choices, notice: seen } = result.data;
  return {
    line,
    signal: {
      eventId: event_id ?? `${name}:${line}`,
      identity,
      saidAt: new Date(said_at),
      choices,
      source: 'file',
      ...(seen === undefined ? {} : { notice: seen }),
    },
  };
}

/** Of a path such as `identity.value`; a name that is not ours may be personal data. */
function plainName(path: readonly PropertyKey[]): string {
  const [first] = path;
  const known = first !== undefined && first in rowSchema.shape;
  if (!known) return 'the row';
  return first === 'choices' ? 'choices' : path.map(String).join('.');
}
