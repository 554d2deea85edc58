import type { api } from '@habeas/contract';
import { HabeasError } from '../../foundation/index.ts';
import type { Outcome, Signal } from '../record/index.ts';
import { type ParseOptions, parseRows } from './parse-rows.ts';

/** Rows that share a transaction. */
const BATCH = 2_000;

export interface ImportRowsOptions extends ParseOptions {
  readonly text: string;
  readonly mostRows: number;
  /** Stores, or in a dry run only judges. */
  readonly take: (signals: readonly Signal[]) => Promise<readonly (Outcome | 'checked')[]>;
}

/**
 * Stores the rows of a piece of a list, some thousand at a time: what is stored stays stored if something fails later, and the piece can be
 * sent again. Throws BAD_INPUT for a list that cannot be read or has too many rows.
 */
export async function importRows(options: ImportRowsOptions): Promise<api.ConsentImportResult> {
  const rows = parseRows(options.text, options);
  if (rows.length > options.mostRows)
    throw new HabeasError(
      'BAD_INPUT',
      `The list has ${rows.length} rows; send at most ${options.mostRows} at once.`,
    );
  const refused: { line: number; code: string; reason: string }[] = [];
  const taken: { line: number; signal: Signal }[] = [];
  for (const row of rows) {
    if ('signal' in row) taken.push(row);
    else refused.push({ line: row.line, code: 'malformed-row', reason: row.problem });
  }
  const counts = { stored: 0, repeated: 0, checked: 0 };
  for (let at = 0; at < taken.length; at += BATCH) {
    const batch = taken.slice(at, at + BATCH);
    const outcomes = await options.take(batch.map(({ signal }) => signal));
    for (const [index, { line }] of batch.entries()) {
      const outcome = outcomes[index] ?? 'stored';
      if (typeof outcome === 'string') counts[outcome] += 1;
      else refused.push({ line, code: outcome.refused, reason: outcome.reason });
    }
  }
  return { rows: rows.length, ...counts, refused: refused.sort((one, other) => one.line - other.line) };
}
