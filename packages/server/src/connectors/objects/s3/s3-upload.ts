import { xmlText } from '../../../foundation/index.ts';
import { headerOf } from '../address-parts.ts';
import { createPartBuffer } from '../part-buffer.ts';
import type { ByteSink } from '../row-format.ts';
import type { Bucket } from './s3-bucket.ts';

const LEAST_PART_BYTES = 8 << 20;
const MOST_PARTS = 9_000;

export interface UploadOptions {
  readonly bucket: Bucket;
  readonly key: string;
  /** Of the new object: type, metadata, tags. */
  readonly properties: Readonly<Record<string, string>>;
  /** Of what it replaces: only that is replaced. */
  readonly etag: string;
  /** About how large it will be, in bytes: there may be 10,000 parts. */
  readonly size: number;
  readonly signal: AbortSignal;
}

/**
 * Writes an object in parts, of which one is in memory. It is there when it is complete, and only in the place of the one that was read:
 * `If-Match` is weighed by the store itself, with the last call. Undefined where nothing was written.
 */
export async function upload(
  options: UploadOptions,
  write: (sink: ByteSink) => Promise<void>,
): Promise<{ readonly id: string | undefined } | undefined> {
  const { bucket, key, properties, etag, signal } = options;
  const partBytes = Math.max(LEAST_PART_BYTES, Math.ceil((options.size * 1.1) / MOST_PARTS));
  const what = 'write an object anew';
  const tags: string[] = [];
  let uploadId: string | undefined;
  const putPart = async (part: Buffer): Promise<void> => {
    if (uploadId === undefined) {
      const begun = await bucket.call({
        method: 'POST',
        what,
        key,
        query: { uploads: '' },
        headers: properties,
        signal,
      });
      uploadId = xmlText(begun.body.toString(), 'UploadId');
    }
    const { headers } = await bucket.call({
      method: 'PUT',
      what,
      key,
      query: { partNumber: String(tags.length + 1), uploadId },
      body: part,
      signal,
    });
    tags.push(headerOf(headers, 'etag') ?? '');
  };
  const buffer = createPartBuffer(partBytes, putPart);
  try {
    await write(buffer.write);
    signal.throwIfAborted();
    if (!buffer.isWritten()) return undefined;
    const condition = { 'if-match': etag };
    if (uploadId === undefined) {
      const put = await bucket.call({
        method: 'PUT',
        what,
        key,
        headers: { ...properties, ...condition },
        body: buffer.rest(),
        signal,
      });
      return { id: headerOf(put.headers, 'x-amz-version-id') };
    }
    if (buffer.rest().length > 0) await putPart(buffer.rest());
    const parts = tags.map((tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
    const completed = await bucket.call({
      method: 'POST',
      what,
      key,
      query: { uploadId },
      headers: condition,
      body: Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`),
      signal,
    });
    return { id: headerOf(completed.headers, 'x-amz-version-id') };
  } catch (error) {
    if (uploadId !== undefined) await abandon(bucket, key, uploadId);
    throw error;
  }
}

/** With a signal of its own: the work's may be what ended it. */
async function abandon(bucket: Bucket, key: string, uploadId: string): Promise<void> {
  const aborting = bucket.call({
    method: 'DELETE',
    what: 'abort an upload',
    key,
    query: { uploadId },
    signal: AbortSignal.timeout(10_000),
  });
  // What could not be aborted is an unfinished upload like any other, found and aborted later.
  await aborting.catch(() => undefined);
}
