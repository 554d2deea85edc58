import { crc32 } from 'node:zlib';
import type { RandomAccess } from '../objects/row-format.ts';
import { asBuffer, type Chunk } from './footer.ts';
import { damaged } from './refusals.ts';
import { readThrift, type ThriftStruct, writeThrift } from './thrift.ts';

/** Fields of `PageHeader` in parquet.thrift. */
const PAGE = { type: 1, unpacked: 2, packed: 3, crc: 4, data: 5, dictionary: 7, dataV2: 8 };
const PAGE_TYPES = ['data', 'index', 'dictionary', 'data-v2'] as const;
/** Fields of `DataPageHeader`. */
export const DATA = { values: 1, encoding: 2, definition: 3, repetition: 4, statistics: 5 };
/** Fields of `DataPageHeaderV2`. */
export const DATA_V2 = {
  values: 1,
  nulls: 2,
  rows: 3,
  encoding: 4,
  definitionBytes: 5,
  repetitionBytes: 6,
  isPacked: 7,
  statistics: 8,
};
/** Fields of `DictionaryPageHeader`. */
export const DICTIONARY = { values: 1, encoding: 2, isSorted: 3 };

export type PageType = (typeof PAGE_TYPES)[number];

/** A page as it lies in a file. */
export interface Page {
  readonly type: PageType;
  /** `PageHeader` with everything in it. */
  readonly header: ThriftStruct;
  /** The header of its type. */
  readonly about: ThriftStruct;
  /** The header as it is written. */
  readonly head: Buffer;
  /** What follows the header, packed. */
  readonly body: Buffer;
  /** Length of the body when it is unpacked. */
  readonly unpacked: number;
}

/** Bytes that are asked for at once, where a column is too long to be held. */
const WINDOW_BYTES = 4 << 20;
/** More than a header with the longest statistics that writers leave in it. */
const HEADER_BYTES = 1 << 20;
/** A column that is read at once. */
const WHOLE_BYTES = 32 << 20;

/** The pages of a column, one after the other. */
export async function* readPages(source: RandomAccess, chunk: Chunk): AsyncGenerator<Page> {
  const window = new Window(source, chunk);
  for (let at = 0; at < chunk.length; ) {
    const page = await pageAt(window, at);
    at += page.head.length + page.body.length;
    yield page;
  }
}

async function pageAt(window: Window, at: number): Promise<Page> {
  const { struct: header, length } = readThrift(await window.atMost(at, HEADER_BYTES));
  const type = PAGE_TYPES[header.int(PAGE.type) ?? -1];
  const packed = header.int(PAGE.packed) ?? -1;
  const unpacked = header.int(PAGE.unpacked) ?? -1;
  if (type === undefined || packed < 0 || unpacked < 0) throw damaged('a page has no header');
  const bytes = await window.exactly(at, length + packed);
  const body = bytes.subarray(length);
  const crc = header.int(PAGE.crc);
  if (crc !== undefined && crc >>> 0 !== crc32(body)) throw damaged('a page does not fit its checksum');
  const about = aboutOf(header, type);
  return { type, header, about, head: bytes.subarray(0, length), body, unpacked };
}

function aboutOf(header: ThriftStruct, type: PageType): ThriftStruct {
  if (type === 'index') return header;
  const field = type === 'data' ? PAGE.data : type === 'dictionary' ? PAGE.dictionary : PAGE.dataV2;
  const about = header.struct(field);
  if (about === undefined) throw damaged('a page has no header of its type');
  return about;
}

/** A page with another body, in the place of this one. */
export function changedPage(
  page: Page,
  { about, body, unpacked }: Pick<Page, 'about' | 'body' | 'unpacked'>,
): Page {
  const header = page.header.copy();
  header.set(PAGE.unpacked, 'i32', unpacked).set(PAGE.packed, 'i32', body.length);
  if (header.has(PAGE.crc)) header.set(PAGE.crc, 'i32', crc32(body) | 0);
  const field = page.type === 'data' ? PAGE.data : page.type === 'dictionary' ? PAGE.dictionary : PAGE.dataV2;
  header.set(field, 'struct', about);
  return { type: page.type, header, about, head: writeThrift(header), body, unpacked };
}

/** Reads ahead within a column. */
class Window {
  readonly #source: RandomAccess;
  readonly #chunk: Chunk;
  #from = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(source: RandomAccess, chunk: Chunk) {
    this.#source = source;
    this.#chunk = chunk;
  }

  atMost(at: number, length: number): Promise<Buffer> {
    return this.exactly(at, Math.min(length, this.#chunk.length - at));
  }

  async exactly(at: number, length: number): Promise<Buffer> {
    const { offset, length: whole } = this.#chunk;
    if (at + length > whole) throw damaged('a page is longer than its column');
    if (at < this.#from || at + length > this.#from + this.#bytes.length) {
      const wanted = whole <= WHOLE_BYTES ? whole : Math.max(length, WINDOW_BYTES);
      this.#bytes = asBuffer(await this.#source.read(offset + at, Math.min(wanted, whole - at)));
      this.#from = at;
    }
    return this.#bytes.subarray(at - this.#from, at - this.#from + length);
  }
}
