import { createHash } from 'node:crypto';
import type { JsonObject } from '@bufbuild/protobuf';
import { type DownloadOffer, PDClient } from '@habeas/contract/pd';
import { type ErrorCode, HabeasError, pause } from '../../foundation/index.ts';
import { parseLossless } from '../lossless-json.ts';
import { MAX_ANSWER_BYTES } from './pd-call.ts';
import type { PdClient } from './pd-client.ts';

/** A line of a download. */
export interface DownloadedRecord {
  readonly collection: string;
  readonly row: JsonObject;
}

export interface DownloadOptions {
  /** Of the Get. */
  readonly operation: string;
  readonly offer: DownloadOffer;
  readonly signal: AbortSignal;
}

/** Tries in a row that bring nothing before a stream that breaks is given up. */
const TRIES = 5;
const FIRST_PAUSE_MILLISECONDS = 100;
/** A stream that broke; an answer of the service, such as that the result is gone, is none. */
const BROKEN: ReadonlySet<ErrorCode> = new Set(['SYSTEM_UNREACHABLE', 'SYSTEM_TIMEOUT']);
const LINE_FEED = 0x0a;

/**
 * The records of a result that the service offers as one stream. A stream that breaks is gone on with at the byte where it broke;
 * one line is held in memory. The hash is known at the end alone: what was given before is of use only if this does not throw.
 * Throws what the last try failed with, and SYSTEM_GARBAGE for bytes that are not what was offered.
 */
export async function* downloadRecords(
  client: PdClient,
  options: DownloadOptions,
): AsyncGenerator<DownloadedRecord, void> {
  const { operation, offer, signal } = options;
  const { name: rpc } = PDClient.method.download;
  const size = Number(offer.size);
  if (!Number.isSafeInteger(size) || !/^[0-9a-f]{64}$/.test(offer.sha256)) {
    throw client.garbage('offered a download without a size and a SHA-256', rpc);
  }
  const hash = createHash('sha256');
  const lines = new Lines(() => client.garbage('gave a download with a line that is no record', rpc));
  let offset = 0;
  let failures = 0;
  while (offset < size) {
    try {
      const asked = { name: operation, offset: BigInt(offset), sha256: offer.sha256 };
      for await (const bytes of client.download(asked, { signal })) {
        offset += bytes.length;
        if (offset > size) throw client.garbage('gave more bytes than it had offered', rpc);
        if (bytes.length > 0) failures = 0;
        hash.update(bytes);
        yield* lines.take(bytes);
      }
      if (offset < size) throw cutShort(client);
    } catch (error) {
      failures += 1;
      if (!(error instanceof HabeasError) || !BROKEN.has(error.code) || failures >= TRIES) throw error;
      await pause(FIRST_PAUSE_MILLISECONDS * 2 ** (failures - 1), signal);
      signal.throwIfAborted();
    }
  }
  lines.end();
  if (hash.digest('hex') === offer.sha256) return;
  throw new HabeasError(
    'SYSTEM_GARBAGE',
    `${client.who} gave a download whose SHA-256 is another one than it told.`,
    {
      // Something on the way may have changed it; the next attempt reads all of it anew.
      retryable: true,
    },
  );
}

function cutShort(client: PdClient): HabeasError {
  return new HabeasError('SYSTEM_UNREACHABLE', `${client.who} ended a download before its end.`, {
    retryable: true,
  });
}

/** Puts lines together from pieces that end anywhere. */
class Lines {
  private readonly garbage: () => HabeasError;
  private begun: Uint8Array[] = [];
  private begunBytes = 0;

  constructor(garbage: () => HabeasError) {
    this.garbage = garbage;
  }

  *take(bytes: Uint8Array): Generator<DownloadedRecord, void> {
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      yield this.record([...this.begun, bytes.subarray(start, end)]);
      this.begun = [];
      this.begunBytes = 0;
      start = end + 1;
    }
    if (start === bytes.length) return;
    this.begun.push(bytes.subarray(start));
    this.begunBytes += bytes.length - start;
    if (this.begunBytes > MAX_ANSWER_BYTES) throw this.garbage();
  }

  end(): void {
    if (this.begunBytes > 0) throw this.garbage();
  }

  private record(pieces: readonly Uint8Array[]): DownloadedRecord {
    let read: unknown;
    try {
      read = parseLossless(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)));
    } catch {
      throw this.garbage();
    }
    if (!isRecord(read)) throw this.garbage();
    return read;
  }
}

function isRecord(read: unknown): read is DownloadedRecord {
  if (typeof read !== 'object' || read === null || !('collection' in read) || !('row' in read)) return false;
  const { collection, row } = read;
  return typeof collection === 'string' && typeof row === 'object' && row !== null && !Array.isArray(row);
}
