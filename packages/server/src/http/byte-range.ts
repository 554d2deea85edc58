import type { FastifyReply, FastifyRequest } from 'fastify';
import { HabeasError } from '../foundation/index.ts';

/** Bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Which bytes a `Range` header asks for (RFC 9110 §14.2): one range; undefined for all, which is also the answer to several ranges
 * at once and to units that nobody knows. Throws RANGE_INVALID for a range that begins behind the end.
 */
export function askedRange(header: string | undefined, total: number): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(total - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? total : Math.min(Number(last) + 1, total);
  if (start < end) return { start, end };
  // "Last before first" is no range at all; behind the end is one that cannot be had.
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  throw new HabeasError('RANGE_INVALID', `There are ${total} bytes, and the range begins behind them.`);
}

/**
 * Sets what a download says of itself and gives the range to send. With `If-Range` a range counts only for the bytes that the
 * caller has the beginning of.
 */
export function beginDownload(
  request: FastifyRequest,
  reply: FastifyReply,
  file: { readonly bytes: number; readonly tag: string; readonly name: string },
): ByteRange {
  const etag = `"${file.tag}"`;
  reply
    .header('accept-ranges', 'bytes')
    .header('etag', etag)
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename="${file.name}"`);
  const condition = request.headers['if-range'];
  const header = condition === undefined || condition === etag ? request.headers.range : undefined;
  const range = askedRange(header, file.bytes);
  if (range === undefined) {
    reply.header('content-length', file.bytes);
    return { start: 0, end: file.bytes };
  }
  reply
    .code(206)
    .header('content-length', range.end - range.start)
    .header('content-range', `bytes ${range.start}-${range.end - 1}/${file.bytes}`);
  return range;
}
