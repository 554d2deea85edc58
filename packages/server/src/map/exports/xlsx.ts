import { PassThrough, Readable } from 'node:stream';
import yazl from 'yazl';
import { xmlText } from './xml-text.ts';

/** How a cell looks: an index into the styles below. */
export const CELL_STYLES = { plain: 0, title: 1, head: 2, label: 3, missing: 4, quiet: 5 } as const;

export type CellStyle = keyof typeof CELL_STYLES;

export interface Cell {
  readonly text: string;
  /** (Default: plain) */
  readonly style?: CellStyle;
}

export interface Sheet {
  readonly name: string;
  /** Widths of the first columns, in characters. */
  readonly widths: readonly number[];
  /** Written as they come, never held together. */
  readonly rows: () => Iterable<readonly Cell[]>;
}

/** What a cell may hold at most (Excel's specification); more is cut off with a mark. */
const LONGEST_CELL = 32_767;
/** Rows of a sheet; the last one says that there are more. */
const MOST_ROWS = 1_048_576;
/** Every part has this time, so that the same workbook has the same bytes. */
const PART_TIME = new Date(Date.UTC(1980, 0, 2));

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const DOCUMENT = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const HEADER = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/**
 * A workbook (Office Open XML, ECMA-376) as a stream of bytes. All cells are text (`t="inlineStr"`), which no program runs as a
 * formula. The same sheets give the same bytes.
 */
export async function* workbook(sheets: readonly Sheet[]): AsyncIterable<Buffer> {
  const names = sheetNames(sheets.map(({ name }) => name));
  const zip = new yazl.ZipFile();
  const failure = new AbortController();
  const add = (path: string, parts: () => Iterable<string>): void => {
    zip.addReadStreamLazy(path, { mtime: PART_TIME, mode: 0o100644, forceDosTimestamp: true }, (give) => {
      const stream = Readable.from(chunked(parts()), { objectMode: false });
      stream.on('error', (error) => failure.abort(error));
      give(null, stream);
    });
  };
  add('[Content_Types].xml', () => [contentTypes(sheets.length)]);
  add('_rels/.rels', () => [relations([['officeDocument', 'xl/workbook.xml']])]);
  add('xl/workbook.xml', () => [workbookPart(names)]);
  add('xl/_rels/workbook.xml.rels', () => [
    relations([
      ...sheets.map((_, index): readonly [string, string] => [
        'worksheet',
        `worksheets/sheet${index + 1}.xml`,
      ]),
      ['styles', 'styles.xml'],
    ]),
  ]);
  add('xl/styles.xml', () => [STYLES]);
  for (const [index, sheet] of sheets.entries())
    add(`xl/worksheets/sheet${index + 1}.xml`, () => sheetPart(sheet));
  zip.end();
  const output = zip.outputStream.pipe(new PassThrough());
  zip.on('error', (error) => output.destroy(error));
  failure.signal.addEventListener('abort', () => output.destroy(failure.signal.reason));
  yield* output;
}

/** Names that Excel takes: at most 31 characters, none of []:*?/\, no apostrophe at an end, each once where case does not count. */
export function sheetNames(names: readonly string[]): readonly string[] {
  const taken = new Set(['history']);
  return names.map((name) => {
    const plain = name
      .toWellFormed()
      .replaceAll(/[\p{Cc}[\]:*?/\\\ufffe\uffff]/gu, ' ')
      .replaceAll(/^[' ]+|[' ]+$/g, '');
    const base = plain === '' ? 'Sheet' : plain;
    for (let number = 1; ; number += 1) {
      const end = number === 1 ? '' : ` (${number})`;
      const short = `${cut(base, 31 - end.length)}${end}`;
      if (taken.has(short.toLowerCase())) continue;
      taken.add(short.toLowerCase());
      return short;
    }
  });
}

/** So many UTF-16 units at most, and no half of a pair; no apostrophe or space at the end. */
function cut(text: string, length: number): string {
  let short = '';
  for (const character of text) {
    if (short.length + character.length > length) break;
    short += character;
  }
  return short.replaceAll(/[' ]+$/g, '') || '_';
}

function* sheetPart({ widths, rows }: Sheet): Iterable<string> {
  yield `${HEADER}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0" showGridLines="0"/></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>`;
  for (const [index, width] of widths.entries())
    yield `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"/>`;
  yield '</cols><sheetData>';
  let number = 0;
  for (const row of rows()) {
    number += 1;
    if (number === MOST_ROWS) {
      yield rowPart(number, [
        { text: 'There are more rows than a sheet holds; the CSV has all of them.', style: 'missing' },
      ]);
      break;
    }
    yield rowPart(number, row);
  }
  yield '</sheetData><pageMargins left="0.5" right="0.5" top="0.5" bottom="0.5" header="0.3" footer="0.3"/><pageSetup orientation="landscape" fitToHeight="0"/></worksheet>';
}

function rowPart(number: number, row: readonly Cell[]): string {
  const cells = row.map(({ text, style = 'plain' }, index) =>
    text === '' && style === 'plain'
      ? ''
      : `<c r="${columnName(index)}${number}" s="${CELL_STYLES[style]}" t="inlineStr"><is><t xml:space="preserve">${cellText(text)}</t></is></c>`,
  );
  return `<row r="${number}">${cells.join('')}</row>`;
}

/** Line breaks stay; other control characters go; `_x0041_`, which would be read as an escape, is escaped itself. */
function cellText(text: string): string {
  const whole = text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL - 2).toWellFormed()} …` : text;
  const lines = whole
    .split(/\r\n|\r|\n/)
    .map((line) => xmlText(line.replaceAll(/_(?=x[0-9a-f]{4}_)/gi, '_x005F_')));
  return lines.join('\n');
}

/** 0 → A, 26 → AA. */
function columnName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : columnName(Math.floor(index / 26) - 1) + letter;
}

/** Fewer, larger pieces: a cell a piece would cost more than the cell. */
function* chunked(parts: Iterable<string>): Iterable<Buffer> {
  let text = '';
  for (const part of parts) {
    text += part;
    if (text.length < 65_536) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function contentTypes(sheets: number): string {
  const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
  const overrides = Array.from(
    { length: sheets },
    (_, index) =>
      `<Override PartName="/xl/worksheets/sheet${index + 1}.xml" ContentType="${type}.worksheet+xml"/>`,
  );
  return `${HEADER}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="${type}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${type}.styles+xml"/>${overrides.join('')}</Types>`;
}

function relations(parts: readonly (readonly [type: string, target: string])[]): string {
  const list = parts.map(
    ([type, target], index) =>
      `<Relationship Id="rId${index + 1}" Type="${DOCUMENT}/${type}" Target="${target}"/>`,
  );
  return `${HEADER}<Relationships xmlns="${RELATIONS}">${list.join('')}</Relationships>`;
}

function workbookPart(names: readonly string[]): string {
  const sheets = names.map(
    (name, index) => `<sheet name="${xmlText(name)}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`,
  );
  return `${HEADER}<workbook xmlns="${MAIN}" xmlns:r="${DOCUMENT}"><sheets>${sheets.join('')}</sheets></workbook>`;
}

const FONT = '<name val="Calibri"/><family val="2"/>';
const WRAP = '<alignment vertical="top" wrapText="1"/>';
const FORMAT = 'numFmtId="49" xfId="0" applyAlignment="1"';

/** In the order of {@link CELL_STYLES}; number format 49 is text. */
const STYLES = `${HEADER}<styleSheet xmlns="${MAIN}"><fonts count="4"><font><sz val="11"/>${FONT}</font><font><b/><sz val="14"/>${FONT}</font><font><b/><sz val="11"/>${FONT}</font><font><sz val="10"/><color rgb="FF667085"/>${FONT}</font></fonts><fills count="4"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFE2E8F0"/></patternFill></fill><fill><patternFill patternType="solid"><fgColor rgb="FFFEF0C7"/></patternFill></fill></fills><borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border><left/><right/><top/><bottom style="thin"><color rgb="FFD0D5DD"/></bottom><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="6"><xf ${FORMAT} fontId="0" fillId="0" borderId="1">${WRAP}</xf><xf ${FORMAT} fontId="1" fillId="0" borderId="0"><alignment vertical="top"/></xf><xf ${FORMAT} fontId="2" fillId="2" borderId="1">${WRAP}</xf><xf ${FORMAT} fontId="2" fillId="0" borderId="1">${WRAP}</xf><xf ${FORMAT} fontId="2" fillId="3" borderId="1">${WRAP}</xf><xf ${FORMAT} fontId="3" fillId="0" borderId="0"><alignment vertical="top"/></xf></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;
