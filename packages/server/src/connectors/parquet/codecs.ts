import { promisify } from 'node:util';
import zlib from 'node:zlib';
import snappy from 'snappy';
import { damaged, unsupported } from './refusals.ts';

/** How pages are packed, by number in the format (`CompressionCodec`). */
const CODECS = ['none', 'snappy', 'gzip', 'lzo', 'brotli', 'lz4', 'zstd', 'lz4-raw'] as const;

type Codec = 'none' | 'snappy' | 'gzip' | 'brotli' | 'zstd';

/** Nobody makes larger pages but by mistake or to do harm. */
const MOST_PAGE_BYTES = 512 << 20;

/** Throws SYSTEM_FAILED for a codec that cannot be written again. */
export function codecOf(number: number | undefined): Codec {
  const codec = CODECS[number ?? -1];
  if (codec === 'none' || codec === 'snappy' || codec === 'gzip' || codec === 'brotli' || codec === 'zstd')
    return codec;
  throw unsupported(`a column packed by ${codec ?? `a codec that is not known (${number})`}`);
}

const gunzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);
const unbrotli = promisify<zlib.InputType, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);
const brotli = promisify<zlib.InputType, zlib.BrotliOptions, Buffer>(zlib.brotliCompress);
const unzstd = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);
const zstd = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);

/** Unpacks to exactly `length` bytes. It is done beside the thread that asks for it. */
export async function unpackPage(codec: Codec, bytes: Buffer, length: number): Promise<Buffer> {
  if (length > MOST_PAGE_BYTES) throw unsupported(`a page of more than ${MOST_PAGE_BYTES} bytes`);
  let unpacked: Buffer;
  try {
    unpacked = await unpackBy(codec, bytes, length);
  } catch (error) {
    throw damaged('a page cannot be unpacked', error);
  }
  if (unpacked.length !== length) throw damaged('a page has another length than it says');
  return unpacked;
}

async function unpackBy(codec: Codec, bytes: Buffer, length: number): Promise<Buffer> {
  // One call gives all of it, where the default would give it in pieces of 16 KiB.
  const options = { chunkSize: Math.max(length, 64) + 64, maxOutputLength: length + 64 };
  switch (codec) {
    case 'none':
      return bytes;
    case 'snappy':
      refuseOtherLength(bytes, length);
      return (await snappy.uncompress(bytes, { asBuffer: true })) as Buffer;
    case 'gzip':
      return gunzip(bytes, options);
    case 'brotli':
      return unbrotli(bytes, options);
    case 'zstd':
      return unzstd(bytes, options);
    default:
      return codec satisfies never;
  }
}

/** Packed by Snappy, the length stands before the bytes, and as much memory is taken. */
function refuseOtherLength(bytes: Buffer, length: number): void {
  let told = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = bytes[at] ?? 0;
    told += (byte & 127) * 128 ** at;
    if (byte < 128) break;
  }
  if (told !== length) throw damaged('a page has another length than it says');
}

/** Levels from the fastest on; what a column was written with is not written down in the file. */
const LEVELS: Readonly<Record<Codec, readonly number[]>> = {
  none: [0],
  snappy: [0],
  gzip: [1, 6, 9],
  brotli: [1, 5, 11],
  zstd: [1, 3, 9, 19],
};

/** Packs the pages of one column about as tightly as they were, by the fastest level that does. */
export class Packer {
  readonly #codec: Codec;
  #level = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** `former`: how long the page was, packed and unpacked. */
  async pack(bytes: Buffer, former: { readonly packed: number; readonly unpacked: number }): Promise<Buffer> {
    const levels = LEVELS[this.#codec];
    const most = (bytes.length * former.packed * 1.01) / Math.max(former.unpacked, 1) + 64;
    let packed = await packBy(this.#codec, bytes, levels[this.#level] as number);
    while (packed.length > most && this.#level + 1 < levels.length) {
      const tighter = await packBy(this.#codec, bytes, levels[this.#level + 1] as number);
      this.#level += 1;
      if (tighter.length < packed.length) packed = tighter;
    }
    return packed;
  }
}

function packBy(codec: Codec, bytes: Buffer, level: number): Promise<Buffer> {
  const chunkSize = bytes.length + (bytes.length >> 8) + 256;
  switch (codec) {
    case 'none':
      return Promise.resolve(bytes);
    case 'snappy':
      return snappy.compress(bytes);
    case 'gzip':
      return gzip(bytes, { level, chunkSize });
    case 'brotli':
      return brotli(bytes, { chunkSize, params: { [zlib.constants.BROTLI_PARAM_QUALITY]: level } });
    case 'zstd':
      return zstd(bytes, { chunkSize, params: { [zlib.constants.ZSTD_c_compressionLevel]: level } });
    default:
      return codec satisfies never;
  }
}
