import type { Block } from './archive-file.ts';
import type { ManifestInput, PackagedCollection } from './manifest.ts';

export interface PageCollection extends PackagedCollection {
  /** Without the ending: `data/shop/orders`. */
  readonly path: string;
  /** The first rows, each cell as text and cut. */
  shown(): Promise<readonly (readonly string[])[]>;
}

export interface IndexPageInput extends Omit<ManifestInput, 'collections'> {
  readonly collections: readonly PageCollection[];
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; font-size: 1.25rem; } h3 { font-size: 1rem; margin-bottom: .25rem; }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { background: var(--soft); white-space: nowrap; } td { overflow-wrap: anywhere; min-width: 4rem; }
tr:last-child td { border-bottom: 0; } .note { opacity: .75; font-size: .875rem; } ul { padding-left: 1.2rem; }
`;

/**
 * `index.html`: readable offline by a person; no script, nothing from elsewhere. Block 0 is what stands before the collections;
 * one follows for each of them.
 */
export async function* pageBlocks(input: IndexPageInput, from: number): AsyncIterable<Block> {
  if (from === 0) yield { text: renderHead(input), last: false };
  const bySystem = Map.groupBy(input.collections, (collection) => collection.system);
  let block = 0;
  for (const [system, collections] of bySystem) {
    for (const [index, collection] of collections.entries()) {
      block += 1;
      if (block < from) continue;
      const heading = index === 0 ? `<h2>${escapeHtml(system)}</h2>\n` : '';
      yield { text: `${heading}${renderCollection(collection, await collection.shown())}\n`, last: false };
    }
  }
  yield { text: `${renderNotIncluded(input)}\n</main>\n</body>\n</html>\n`, last: true };
}

function renderHead(input: IndexPageInput): string {
  const systems = new Set(input.collections.map(({ system }) => system)).size;
  const rows = input.collections.reduce((sum, collection) => sum + collection.rows, 0);
  const summary =
    input.collections.length === 0
      ? '<p><strong>We hold no data about you in the systems that were asked.</strong></p>'
      : `<p>${count(rows, 'record')} in ${count(input.collections.length, 'collection')} of ${count(systems, 'system')}.</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Your data at ${escapeHtml(input.organization)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Your data at ${escapeHtml(input.organization)}</h1>
${summary}
<p class="note">Request <code>${escapeHtml(input.requestId)}</code>, received ${day(input.receivedAt)}, put together ${day(input.builtAt)}.
<code>manifest.json</code> lists every file with its SHA-256.</p>
`;
}

function renderCollection(collection: PageCollection, shown: readonly (readonly string[])[]): string {
  const header = collection.columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('');
  const body = shown
    .map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`)
    .join('\n');
  const files = `<a href="${encodeURI(collection.path)}.csv">CSV</a> · <a href="${encodeURI(collection.path)}.json">JSON</a>`;
  const more =
    collection.rows > shown.length ? ` The first ${shown.length} are shown; the files hold all.` : '';
  return `<h3>${escapeHtml(collection.name)}</h3>
<p class="note">${count(collection.rows, 'record')} · ${files}.${more}</p>
<div class="table"><table><thead><tr>${header}</tr></thead><tbody>
${body}
</tbody></table></div>`;
}

function renderNotIncluded(input: IndexPageInput): string {
  if (input.notIncluded.length === 0) return '';
  const items = input.notIncluded
    .map((entry) => `<li><strong>${escapeHtml(entry.system)}</strong>: ${escapeHtml(entry.reason)}</li>`)
    .join('\n');
  return `<h2>Not in this package</h2>\n<ul>\n${items}\n</ul>`;
}

/** Longer values are cut on the page; the files hold them whole. */
const CELL_CHARACTERS = 500;

/** What the page shows of a value. */
export function pageCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS)}…` : text;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
