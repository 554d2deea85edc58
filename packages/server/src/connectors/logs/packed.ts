import type { Transform } from 'node:stream';
import {
  constants,
  crc32,
  createDeflateRaw,
  createGunzip,
  createZstdCompress,
  createZstdDecompress,
} from 'node:zlib';

/** How a log file is packed, as its first bytes say. */
export type Packing =
  | { readonly kind: 'plain' }
  /** `header`: the one of the file, with its time and its name; `level`: by which it was probably made. */
  | { readonly kind: 'gzip'; readonly header: Buffer; readonly level: number }
  | { readonly kind: 'zstd'; readonly checksum: boolean };

/** More than the bytes of the longest name in a header. */
export const HEADER_BYTES = 4096;

/** Reads the packing from the beginning of a file (RFC 1952, RFC 8878). */
export function packingOf(head: Buffer): Packing {
  if (head.length >= 10 && head.readUInt16BE(0) === 0x1f8b) {
    const extra = head[8];
    return { kind: 'gzip', header: gzipHeader(head), level: extra === 2 ? 9 : extra === 4 ? 1 : 6 };
  }
  if (head.length >= 5 && head.readUInt32LE(0) === 0xfd2fb528)
    return { kind: 'zstd', checksum: ((head[4] ?? 0) & 0b100) !== 0 };
  return { kind: 'plain' };
}

/** The header up to the packed data: ten bytes, extra fields, name and comment, without a checksum of it. */
function gzipHeader(head: Buffer): Buffer {
  const flags = head[3] ?? 0;
  let end = 10;
  if ((flags & 4) !== 0) end += 2 + head.readUInt16LE(end);
  for (const flag of [8, 16]) if ((flags & flag) !== 0) end = head.indexOf(0, end) + 1;
  const header = Buffer.from(head.subarray(0, end));
  header[3] = flags & ~2;
  return header;
}

/** Unpacks; undefined for what is not packed. */
export function unpacker(packing: Packing): Transform | undefined {
  if (packing.kind === 'gzip') return createGunzip();
  return packing.kind === 'zstd' ? createZstdDecompress() : undefined;
}

/** Packs again in the same format. What it gives is the whole file. */
export async function* packed(packing: Packing, parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (packing.kind === 'plain') {
    yield* parts;
    return;
  }
  if (packing.kind === 'zstd') {
    const params = { [constants.ZSTD_c_checksumFlag]: packing.checksum ? 1 : 0 };
    yield* through(createZstdCompress({ params }), parts);
    return;
  }
  yield packing.header;
  let sum = 0;
  let size = 0;
  const counted = async function* () {
    for await (const part of parts) {
      sum = crc32(part, sum);
      size += part.length;
      yield part;
    }
  };
  yield* through(createDeflateRaw({ level: packing.level }), counted());
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(sum >>> 0, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}

/** What a stream makes of these parts; an error of either side is thrown. */
export async function* through(stream: Transform, parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const feeding = (async () => {
    for await (const part of parts) if (!stream.write(part)) await drained(stream);
    stream.end();
  })();
  feeding.catch((error: unknown) => stream.destroy(error instanceof Error ? error : new Error('It failed.')));
  try {
    yield* stream;
    await feeding;
  } finally {
    stream.destroy();
  }
}

function drained(stream: Transform): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}
