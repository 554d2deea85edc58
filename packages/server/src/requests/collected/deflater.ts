import { constants, createDeflateRaw, type DeflateRaw } from 'node:zlib';

/** Most pieces fit in one when deflated. */
const OUTPUT_BYTES = 64 * 1024;

/**
 * Deflates one text after the other with one compressor, in another thread. Each ends at a whole byte and nothing in it refers to what came
 * before, so that they can be put behind each other in any order.
 */
export class Deflater {
  readonly #stream: DeflateRaw = createDeflateRaw({ chunkSize: OUTPUT_BYTES });
  readonly #done: Buffer[] = [];

  constructor() {
    this.#stream.on('data', (bytes: Buffer) => this.#done.push(bytes));
  }

  /** One at a time. */
  async deflate(text: Buffer): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.once('error', reject);
      this.#stream.write(text);
      this.#stream.flush(constants.Z_FULL_FLUSH, () => {
        this.#stream.removeListener('error', reject);
        resolve();
      });
    });
    return Buffer.concat(this.#done.splice(0));
  }

  close(): void {
    this.#stream.close();
  }
}
