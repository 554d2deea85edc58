import type { Readable } from 'node:stream';

/** Takes the bytes of one message after the other. */
export interface CopyTarget {
  begin(bytes: number): void;
  /** Some of the bytes of the message; they are used again afterwards. */
  add(from: Buffer, start: number, end: number): void;
  end(): void;
}

type Listener = (chunk: Buffer) => void;

/** A letter, and how many bytes follow, these four included (PostgreSQL manual, "Message Formats"). */
const HEAD_BYTES = 5;
const COPY_DATA = 'd'.charCodeAt(0);
const COPY_OUT_RESPONSE = 'H'.charCodeAt(0);

/**
 * Reads the rows of a copy from the socket before the driver does, which makes objects and copies of each. Any other message ends that: it
 * and all that follows goes to the driver, rows among it too.
 */
export class CopyMessages {
  readonly #socket: Readable;
  readonly #target: CopyTarget;
  readonly #driver: readonly Listener[];
  /** The beginning of a message of which not all has arrived. */
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  /** What of a row has not arrived. */
  #missing = 0;

  constructor(socket: Readable, target: CopyTarget) {
    this.#socket = socket;
    this.#target = target;
    this.#driver = socket.listeners('data') as Listener[];
    for (const listener of this.#driver) socket.removeListener('data', listener);
    socket.on('data', this.#read);
  }

  readonly #read = (chunk: Buffer): void => {
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing > 0) {
        at = this.#addTo(chunk, at);
        continue;
      }
      const wanted = HEAD_BYTES - this.#headBytes;
      const got = chunk.copy(this.#head, this.#headBytes, at, at + wanted);
      this.#headBytes += got;
      at += got;
      if (got < wanted) return;
      this.#headBytes = 0;
      const bytes = this.#head.readInt32BE(1) - 4;
      const type = this.#head[0];
      if (type === COPY_OUT_RESPONSE && at + bytes <= chunk.length) {
        this.#pass(chunk.subarray(at, at + bytes));
        at += bytes;
      } else if (type === COPY_DATA) {
        this.#target.begin(bytes);
        this.#missing = bytes;
      } else {
        this.#giveBack();
        this.#pass(chunk.subarray(at));
        return;
      }
    }
  };

  #addTo(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing);
    this.#target.add(chunk, at, end);
    this.#missing -= end - at;
    if (this.#missing === 0) this.#target.end();
    return end;
  }

  /** What was taken of a message, with its head. */
  #pass(rest: Buffer): void {
    for (const listener of this.#driver) listener(Buffer.concat([this.#head, rest]));
  }

  #giveBack(): void {
    this.#socket.removeListener('data', this.#read);
    for (const listener of this.#driver) this.#socket.on('data', listener);
  }
}
