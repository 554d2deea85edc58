import type { Imported } from './declared-services.ts';
import { declarationsOf } from './declared-services.ts';
import { importFideslang } from './import-fideslang.ts';
import { readMapDocument } from './map-document.ts';

/** Reads what {@link exportMap} wrote as JSON or Fideslang, and Fideslang systems of anybody. Throws BAD_INPUT. */
export function importMap(text: string, file: string): Imported {
  const isExport = /^\s*\{/.test(text) && text.includes('"habeas.map"');
  return isExport ? declarationsOf(readMapDocument(text, file).map) : importFideslang(text, file);
}
