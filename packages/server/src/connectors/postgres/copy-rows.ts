import type { Readable } from 'node:stream';
import type pg from 'pg';
import type { TextBatch } from '../sql/index.ts';
import { CopyMessages } from './copy-messages.ts';

/** How much one batch should have. */
const BATCH_BYTES = 64 * 1024;
/** Batches that wait to be used before the server is told to wait. */
const MOST_WAITING = 4;
const SHORT_BYTES = 256;
/** What a copy begins with: a signature, flags, and the length of what else there is (PostgreSQL manual, COPY, "Binary Format"). */
const HEADER_BYTES = 19;
const EXTENSION_LENGTH_AT = 15;
const END = -1;

/**
 * The answer of `copy (…) to stdout (format binary)` in batches of whole rows, of which a few are held. Each message of the server is one row
 * (manual, "Message Formats", CopyData); the first one has the header before it.
 */
export class CopyRows implements pg.Submittable {
  readonly #text: string;
  readonly #waiting: TextBatch[] = [];
  readonly #used: Buffer[] = [];
  #bytes: Buffer = Buffer.allocUnsafeSlow(BATCH_BYTES);
  /** Of the whole rows, and of what is there of the one that is being read. */
  #length = 0;
  #end = 0;
  #count = 0;
  #isBegun = false;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;
  #socket: Readable | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether nothing more comes of it. */
  get isOver(): boolean {
    return this.#isEnded || this.#failure !== undefined;
  }

  /** The bytes of a batch are used again once the next one is asked for. Throws what the server, or the way to it, failed with. */
  async *batches(): AsyncGenerator<TextBatch> {
    for (;;) {
      const batch = this.#waiting.shift();
      if (this.#waiting.length < MOST_WAITING) this.#socket?.resume();
      if (batch !== undefined) {
        yield batch;
        if (batch.bytes.buffer.byteLength === BATCH_BYTES) this.#used.push(Buffer.from(batch.bytes.buffer));
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isEnded) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  submit(connection: pg.Connection): void {
    this.#socket = connection.stream;
    new CopyMessages(connection.stream, {
      begin: (bytes) => this.#begin(bytes),
      add: (bytes, from, to) => this.#add(bytes, from, to),
      end: () => this.#endRow(),
    });
    connection.query(this.#text);
  }

  /** For messages that come by the driver. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#begin(chunk.length);
    this.#add(chunk, 0, chunk.length);
    this.#endRow();
  }

  handleCommandComplete(): void {
    if (this.#count > 0) this.#endBatch();
  }

  handleReadyForQuery(): void {
    this.#isEnded = true;
    this.#wake();
  }

  handleError(error: Error): void {
    this.#failure = { error };
    this.#wake();
  }

  /** A message of so many bytes begins. */
  #begin(bytes: number): void {
    if (this.#length > 0 && this.#length + bytes > this.#bytes.length) this.#endBatch();
    if (bytes > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#end = this.#length;
  }

  #add(from: Buffer, start: number, end: number): void {
    // Rows are short: a call for each would take longer than they do.
    const bytes = this.#bytes;
    let to = this.#end;
    if (end - start > SHORT_BYTES) to += from.copy(bytes, to, start, end);
    else for (let at = start; at < end; at += 1) bytes[to++] = from[at] as number;
    this.#end = to;
  }

  #endRow(): void {
    if (!this.#isBegun) {
      const header = HEADER_BYTES + this.#bytes.readInt32BE(EXTENSION_LENGTH_AT);
      this.#bytes.copyWithin(0, header, this.#end);
      this.#end -= header;
      this.#isBegun = true;
    }
    if (this.#bytes.readInt16BE(this.#length) === END) return;
    this.#length = this.#end;
    this.#count += 1;
  }

  #endBatch(): void {
    this.#waiting.push({ bytes: this.#bytes.subarray(0, this.#length), count: this.#count });
    this.#bytes = this.#used.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#length = 0;
    this.#count = 0;
    if (this.#waiting.length >= MOST_WAITING) this.#socket?.pause();
    this.#wake();
  }
}
