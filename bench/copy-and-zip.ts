import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDeflateRaw } from 'node:zlib';
import type pg from 'pg';
import { timed } from './statistics.ts';

/**
 * What a programmer would do who knows the schema by heart: `copy (…) to stdout` of each table, one after the other, compressed as a zip
 * compresses (deflate, zlib's default level) into a file that is then on the disk. Milliseconds, and the bytes that were copied and written.
 */
export async function copyAndZip(
  client: pg.Client,
  options: { readonly selects: readonly string[]; readonly file: string },
): Promise<{
  readonly milliseconds: number;
  readonly copied: number;
  readonly zipped: number;
  readonly rows: number;
}> {
  let copied = 0;
  let rows = 0;
  const { milliseconds, result } = await timed(async () => {
    const deflate = createDeflateRaw();
    const hash = createHash('sha256');
    const bytes = async function* () {
      for (const select of options.selects) {
        const copy = new CopyOut(`copy (${select}) to stdout`);
        client.query(copy);
        for await (const chunk of copy.bytes as AsyncIterable<Buffer>) {
          copied += chunk.length;
          hash.update(chunk);
          yield chunk;
        }
        rows += copy.rows;
      }
    };
    await pipeline(Readable.from(bytes(), { objectMode: false }), deflate, createWriteStream(options.file));
    const written = await open(options.file, 'r+');
    await written.sync();
    const { size } = await written.stat();
    await written.close();
    return size;
  });
  return { milliseconds, copied, zipped: result, rows };
}

/** A query of node-postgres whose answer is the bytes of `copy … to stdout`. */
class CopyOut implements pg.Submittable {
  readonly bytes = new PassThrough({ highWaterMark: 1024 * 1024 });
  rows = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#text);
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.rows += 1;
    // The driver's buffer is used again.
    this.bytes.write(Buffer.from(chunk));
  }

  handleCommandComplete(): void {
    // What counts is that the server is ready for the next one.
  }

  handleReadyForQuery(): void {
    this.bytes.end();
  }

  handleError(error: Error): void {
    this.bytes.destroy(error);
  }
}
