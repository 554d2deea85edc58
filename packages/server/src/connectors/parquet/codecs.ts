import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { owned } from './memory.ts';
import { damaged, unsupported } from './refusals.ts';
import { packSnappy, unpackSnappy } from './snappy.ts';

/** How pages are packed, by number in the format (`CompressionCodec`). */
const CODECS = ['none', 'snappy', 'gzip', 'lzo', 'brotli', 'lz4', 'zstd', 'lz4-raw'] as const;

type Codec = 'none' | 'snappy' | 'gzip' | 'brotli' | 'zstd';

/** Nobody makes larger pages but by mistake or to do harm. */
const MOST_PAGE_BYTES = 512 << 20;

/** Throws a refusal for a codec that cannot be written again. */
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

/**
 * Unpacks to exactly `length` bytes. It is done beside the thread that asks for it. What is unpacked may be released when it is no longer
 * needed; bytes that were not packed are given as they are, and are not ours.
 */
export async function unpackPage(codec: Codec, bytes: Buffer, length: number): Promise<Buffer> {
  if (length > MOST_PAGE_BYTES) throw unsupported(`a page of more than ${MOST_PAGE_BYTES} bytes`);
  let unpacked: Buffer;
  try {
    unpacked = await unpackBy(codec, bytes, length);
  } catch (error) {
    throw damaged('a page cannot be unpacked', error);
  }
  if (unpacked.length !== length) throw damaged('a page has another length than it says');
  return codec === 'none' ? unpacked : owned(unpacked);
}

async function unpackBy(codec: Codec, bytes: Buffer, length: number): Promise<Buffer> {
  // One call gives all of it, where the default would give it in pieces of 16 KiB.
  const options = { chunkSize: Math.max(length, 64) + 64, maxOutputLength: length + 64 };
  switch (codec) {
    case 'none':
      return bytes;
    case 'snappy':
      refuseOtherLength(bytes, length);
      return unpackSnappy(bytes);
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

type LevelledCodec = Exclude<Codec, 'none' | 'snappy'>;

/** Levels from the fastest on; what a column was written with is not written down in the file. */
const LEVELS: Readonly<Record<LevelledCodec, readonly number[]>> = {
  gzip: [1, 6, 9],
  brotli: [1, 5, 11],
  zstd: [1, 3, 9, 19],
};

/** A level that packs this much tighter than the one before is worth its time. */
const WORTH = 0.99;
/** A page that is so small says little about how tightly a level packs. */
const SMALL_PAGE_BYTES = 4_096;

/** Packs the pages of one column about as tightly as they were, by the fastest level that does. */
export class Packer {
  readonly #codec: Codec;
  #level = 0;
  #isSettled = false;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** Packs what the parts are together. `former`: how long the page was, packed and unpacked. */
  async pack(
    parts: readonly Buffer[],
    former: { readonly packed: number; readonly unpacked: number },
  ): Promise<Buffer> {
    const codec = this.#codec;
    if (codec === 'none') return joined(parts);
    const packed = codec === 'snappy' ? packSnappy(parts) : this.#tightest(codec, joined(parts), former);
    return owned(await packed);
  }

  async #tightest(
    codec: LevelledCodec,
    bytes: Buffer,
    former: { readonly packed: number; readonly unpacked: number },
  ): Promise<Buffer> {
    const levels = LEVELS[codec];
    const most = (bytes.length * former.packed * 1.01) / Math.max(former.unpacked, 1);
    let packed = await packBy(codec, bytes, levels[this.#level] as number, most);
    if (bytes.length < SMALL_PAGE_BYTES) return packed;
    while (!this.#isSettled && packed.length > most && this.#level + 1 < levels.length) {
      const tighter = await packBy(codec, bytes, levels[this.#level + 1] as number, most);
      this.#isSettled = tighter.length > packed.length * WORTH;
      if (!this.#isSettled) this.#level += 1;
      if (tighter.length < packed.length) packed = tighter;
    }
    this.#isSettled = true;
    return packed;
  }
}

function joined(parts: readonly Buffer[]): Buffer {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

function packBy(codec: LevelledCodec, bytes: Buffer, level: number, expected: number): Promise<Buffer> {
  const chunkSize = Math.ceil(expected * 1.05) + 1_024;
  switch (codec) {
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
