import type { Identity } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { parseLossless } from '../lossless-json.ts';
import { createRowSearch, type RowSearch, type SoughtRow } from '../objects/row-search.ts';
import { soughtRows } from '../objects/sought-rows.ts';
import type { DocumentCollection } from './compile-sphinx.ts';
import type { IndexShape } from './index-shape.ts';
import { quoted, type SphinxClient, type SphinxRow } from './sphinx-client.ts';

const DOCUMENTS_AT_ONCE = 1_000;
const MOST = { uint: 2n ** 32n - 1n, other: 2n ** 63n - 1n };

export interface FindDocuments {
  readonly client: SphinxClient;
  readonly collection: DocumentCollection;
  readonly shape: IndexShape;
  readonly signal: AbortSignal;
}

/** A document as it is given: its attributes, JSON read. */
export type Document = Readonly<Record<string, unknown>> & { readonly id: string };

/**
 * The person's documents, each once. searchd compares attributes, more loosely than people are told apart where case does not matter, and
 * what it finds is compared once more. Throws SCHEMA_MISMATCH where it could not tell the person's documents from those of nobody.
 */
export async function* findDocuments(
  identities: readonly Identity[],
  options: FindDocuments,
): AsyncGenerator<Document> {
  const { collection, shape } = options;
  const sought = soughtRows(collection, identities, 0);
  if (sought.length === 0) return;
  const search = createRowSearch(sought);
  const seen = new Set<string>();
  const conditions = new Map(sought.flatMap((row) => conditionsOf(row, shape)).map((one) => [one.text, one]));
  for (const { text, collation } of conditions.values())
    for await (const row of matching(text, collation, options)) {
      const document = documentOf(row, shape);
      if (seen.has(document.id) || !isTheirs(document, search)) continue;
      seen.add(document.id);
      yield document;
    }
}

/** The documents with these ids that are still the person's. At most 1,000 ids. */
export async function theirsAmong(
  ids: readonly string[],
  identities: readonly Identity[],
  { client, collection, shape, signal }: FindDocuments,
): Promise<readonly string[]> {
  const sought = soughtRows(collection, identities, 0);
  if (ids.length === 0 || sought.length === 0) return [];
  const search = createRowSearch(sought);
  const rows = await client.ask(
    `SELECT * FROM ${collection.index} WHERE id IN (${ids.join(',')}) LIMIT ${ids.length} OPTION max_matches=${ids.length}`,
    { signal },
  );
  return rows
    .map((row) => documentOf(row, shape))
    .filter((document) => isTheirs(document, search))
    .map(({ id }) => id);
}

async function* matching(
  condition: string,
  collation: 'binary' | 'utf8_general_ci',
  { client, collection, signal }: FindDocuments,
): AsyncGenerator<SphinxRow> {
  let after = '0';
  for (;;) {
    const rows = await client.ask(
      `SELECT * FROM ${collection.index} WHERE ${condition} AND id > ${after} ORDER BY id ASC LIMIT ${DOCUMENTS_AT_ONCE} OPTION max_matches=${DOCUMENTS_AT_ONCE}`,
      { signal, collation },
    );
    yield* rows;
    if (rows.length < DOCUMENTS_AT_ONCE) return;
    after = rows.at(-1)?.id ?? '';
  }
}

interface Condition {
  readonly text: string;
  readonly collation: 'binary' | 'utf8_general_ci';
}

/** Conditions that together find every document that may have all of these values. */
function conditionsOf({ all }: SoughtRow, shape: IndexShape): readonly Condition[] {
  let texts: readonly string[] = [''];
  for (const { column, value } of all) {
    const [attribute = ''] = column.path;
    const name = column.path.join('.');
    const type = attribute === 'id' ? 'id' : (shape.attributes.get(attribute) ?? '');
    const written = writtenAs({ name, type, value, isExact: column.match === 'exact' });
    texts = texts.flatMap((text) =>
      written.map((one) => `${text === '' ? '' : `${text} AND `}${name}=${one}`),
    );
  }
  const isExact = all.every(({ column }) => column.match === 'exact');
  return texts.map((text) => ({ text, collation: isExact ? 'binary' : 'utf8_general_ci' }));
}

/** How statements write a value that an attribute of this type may have. */
function writtenAs({
  name,
  type,
  value,
  isExact,
}: {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly isExact: boolean;
}): readonly string[] {
  const forms = isExact ? [value] : [value, value.toLowerCase(), value.toUpperCase()];
  const texts = [...new Set(forms.flatMap((one) => [one, one.normalize('NFC'), one.normalize('NFD')]))].map(
    quoted,
  );
  const isNumber = /^(?:0|-?[1-9]\d{0,18})$/.test(value);
  const fits = (least: bigint, most: bigint) => isNumber && BigInt(value) >= least && BigInt(value) <= most;
  if (type === 'json') return fits(-MOST.other - 1n, MOST.other) ? [value, ...texts] : texts;
  // There is no empty value: where nobody gave one, a number is 0 and a text is empty.
  if (type !== 'id' && (value === '' || (type !== 'string' && value === '0')))
    throw new HabeasError(
      'SCHEMA_MISMATCH',
      `Sphinx writes 0 and an empty text where an attribute has no value, so that documents of a person whose "${name}" is that cannot be told from those of nobody. Keep it in a JSON attribute; nothing was changed.`,
    );
  if (type === 'string') return texts;
  if (type === 'bigint') return fits(-MOST.other - 1n, MOST.other) ? [value] : [];
  return fits(1n, type === 'id' ? MOST.other : MOST.uint) ? [value] : [];
}

function documentOf(row: SphinxRow, shape: IndexShape): Document {
  const read = Object.entries(row).map(([name, text]) => [
    name,
    shape.attributes.get(name) === 'json' && text !== null && text !== '' ? parseLossless(text) : text,
  ]);
  return { ...Object.fromEntries(read), id: row.id ?? '' };
}

function isTheirs(document: Document, search: RowSearch): boolean {
  const row = search.columns.map(({ path }, column) =>
    [...textsAt(document, path)].flatMap((value) => search.textOf(column, value) ?? []),
  );
  return search.whose(row).size > 0;
}

function* textsAt(value: unknown, [first, ...more]: readonly string[]): Iterable<unknown> {
  if (first === undefined) yield value;
  else if (typeof value === 'object' && value !== null && Object.hasOwn(value, first))
    yield* textsAt(Reflect.get(value, first), more);
}
