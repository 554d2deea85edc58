import type { Paint } from './paint.ts';
import { count } from './text.ts';

export interface InitView {
  /** Host and name, without user and password. */
  readonly database: string;
  readonly tables: number;
  readonly columns: number;
  readonly references: number;
  readonly config: string;
  readonly dataset: string;
  /** Lines for the configuration that exists; undefined if it was written. */
  readonly addToConfig: string | undefined;
  /** The variable in which the configuration expects the address. */
  readonly variable: string | undefined;
}

/** What was read and written, and what to do next. */
export function initLines(view: InitView, paint: Paint): readonly string[] {
  const read = `${count(view.tables, 'table')}, ${count(view.columns, 'column')}, ${count(view.references, 'reference')}`;
  const written = view.addToConfig === undefined ? `${view.config} and ${view.dataset}` : view.dataset;
  const steps = [
    ...(view.addToConfig === undefined
      ? []
      : [`Add this under \`connections:\` of ${view.config}:\n\n${indent(view.addToConfig, 6)}\n`]),
    ...(view.variable === undefined
      ? []
      : [`export ${view.variable}='…'   the address with its password; it was written to no file`]),
    `Look through ${view.dataset}: identities and categories are guesses by name.`,
    'habeas check   compares everything with the live schema',
    'habeas plan erase   (with `habeas serve` running) shows what would happen, before anything does',
  ];
  return [
    `Read the schema of ${view.database}: ${read}. No rows were read.`,
    `Wrote ${paint.strong(written)}.`,
    '',
    'Next:',
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
  ];
}

function indent(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => ' '.repeat(columns) + line)
    .join('\n');
}
