import { type BlobRef, type BlobStore, PIECE_BYTES } from './blob-store.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** The part of the blob that says which collections there are, with their columns in the order in which they were seen. */
const CONTENTS_PART = 'contents';

const rowsPart = (collection: string): string => `rows/${collection}`;

export interface CollectedCollection {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
}

/** Streams what a system holds of the person into sealed pieces; memory holds one piece per collection at most. */
export async function collectTask(context: TaskContext): Promise<TaskOutcome> {
  const connector = await context.connector();
  const blob: BlobRef = { ...context.ref, blob: `items/${context.task.id}/${context.task.attempt}` };
  const writers = new Map<string, CollectionWriter>();
  for await (const step of connector.collect(context.scope)) {
    if (step.state === 'pending')
      return { state: 'pending', operation: step.operation, retryAfterSeconds: step.retryAfterSeconds };
    if (step.state === 'done') {
      for (const writer of writers.values()) await writer.flush();
      const contents = [...writers.values()].map((writer) => writer.summary());
      await context.blobs.put(blob, {
        part: CONTENTS_PART,
        position: 0,
        bytes: Buffer.from(JSON.stringify(contents)),
      });
      return {
        state: 'succeeded',
        matched: step.evidence.matched,
        result: { blob: blob.blob, operation: null, evidence: step.evidence },
      };
    }
    let writer = writers.get(step.item.collection);
    if (writer === undefined) {
      writer = new CollectionWriter(context.blobs, blob, step.item.collection);
      writers.set(step.item.collection, writer);
    }
    await writer.add(step.item.row);
  }
  throw new Error('a connector ended its collection without saying so');
}

class CollectionWriter {
  readonly #blobs: BlobStore;
  readonly #blob: BlobRef;
  readonly #name: string;
  readonly #columns = new Set<string>();
  #lines: string[] = [];
  #bytes = 0;
  #position = 0;
  #rows = 0;

  constructor(blobs: BlobStore, blob: BlobRef, name: string) {
    this.#blobs = blobs;
    this.#blob = blob;
    this.#name = name;
  }

  async add(row: Readonly<Record<string, unknown>>): Promise<void> {
    for (const column of Object.keys(row)) this.#columns.add(column);
    const line = JSON.stringify(row);
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#rows += 1;
    if (this.#bytes >= PIECE_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(`${this.#lines.join('\n')}\n`);
    await this.#blobs.put(this.#blob, { part: rowsPart(this.#name), position: this.#position, bytes });
    this.#position += 1;
    this.#lines = [];
    this.#bytes = 0;
  }

  summary(): CollectedCollection {
    return { name: this.#name, columns: [...this.#columns], rows: this.#rows };
  }
}

/** What a collect task stored: its collections in the order in which they came. */
export async function readContents(blobs: BlobStore, blob: BlobRef): Promise<readonly CollectedCollection[]> {
  for await (const piece of blobs.read(blob, CONTENTS_PART)) return JSON.parse(piece.toString());
  return [];
}

/** The rows of one collection, in order. */
export async function* readRows(
  blobs: BlobStore,
  blob: BlobRef,
  collection: string,
): AsyncIterable<Readonly<Record<string, unknown>>> {
  for await (const piece of blobs.read(blob, rowsPart(collection))) {
    for (const line of piece.toString().split('\n')) if (line !== '') yield JSON.parse(line);
  }
}
