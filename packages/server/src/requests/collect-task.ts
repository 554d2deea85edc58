import { HabeasError } from '../foundation/index.ts';
import { type BlobRef, type BlobStore, PIECE_BYTES, type Piece } from './blob-store.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

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
    if (step.state === 'pending') {
      return { state: 'pending', operation: step.operation, retryAfterSeconds: step.retryAfterSeconds };
    }
    if (step.state === 'done') {
      const contents = [...writers.values()].map((writer) => writer.summary());
      const last = [...writers.values()].flatMap((writer) => writer.takePiece());
      await context.blobs.put(blob, last);
      return {
        state: 'succeeded',
        matched: step.evidence.matched,
        result: {
          blob: blob.blob,
          contents: JSON.stringify(contents),
          operation: null,
          evidence: step.evidence,
        },
      };
    }
    let writer = writers.get(step.item.collection);
    if (writer === undefined) {
      writer = new CollectionWriter(step.item.collection);
      writers.set(step.item.collection, writer);
    }
    writer.add(step.item.row);
    if (writer.isFull) await context.blobs.put(blob, writer.takePiece());
  }
  throw new HabeasError(
    'SYSTEM_GARBAGE',
    `${context.task.system} ended its answer without saying that it was complete.`,
    {
      retryable: true,
    },
  );
}

/** Gathers the rows of one collection into pieces. */
class CollectionWriter {
  readonly #name: string;
  readonly #columns = new Set<string>();
  #lines: string[] = [];
  #bytes = 0;
  #position = 0;
  #rows = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get isFull(): boolean {
    return this.#bytes >= PIECE_BYTES;
  }

  add(row: Readonly<Record<string, unknown>>): void {
    for (const column of Object.keys(row)) this.#columns.add(column);
    const line = JSON.stringify(row);
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#rows += 1;
  }

  /** What was gathered since the last piece, if anything. */
  takePiece(): readonly Piece[] {
    if (this.#lines.length === 0) return [];
    const piece = {
      part: this.#name,
      position: this.#position,
      bytes: Buffer.from(`${this.#lines.join('\n')}\n`),
    };
    this.#position += 1;
    this.#lines = [];
    this.#bytes = 0;
    return [piece];
  }

  summary(): CollectedCollection {
    return { name: this.#name, columns: [...this.#columns], rows: this.#rows };
  }
}

/** The rows of one collection, in order. */
export async function* readRows(
  blobs: BlobStore,
  blob: BlobRef,
  collection: string,
): AsyncIterable<Readonly<Record<string, unknown>>> {
  for await (const piece of blobs.read(blob, collection)) {
    for (const line of piece.toString().split('\n')) if (line !== '') yield JSON.parse(line);
  }
}
