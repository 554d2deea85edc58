import type { CollectSources } from '../connectors/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { BlobRef, BlobStore } from './blob-store.ts';
import { CollectionWriter } from './collection-writer.ts';
import { sealText } from './identity-vault.ts';
import { requestPlan } from './read-requests.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** Bytes of rows that wait to be stored, over all collections. */
const HELD_BYTES = 8 * 1024 * 1024;
const PIECES_PER_STATEMENT = 200;

/** Which values are asked for, by where they are from, as the plan froze what the policy said. */
async function sourcesOf({ request, db, ref }: TaskContext): Promise<CollectSources> {
  if (request.right_kind !== 'portability') return 'all';
  const portable = (await requestPlan(db, ref))?.procedure?.portable;
  if (portable === 'everything') return 'all';
  return portable === 'provided' ? 'provided' : 'given';
}

/** Streams what a system holds of the person into sealed pieces, of which a few are held in memory. A dry run only counts. */
export async function collectTask(context: TaskContext): Promise<TaskOutcome> {
  const connector = await context.connector();
  const sources = await sourcesOf(context);
  const blob: BlobRef = { ...context.ref, blob: `items/${context.task.id}/${context.task.attempt}` };
  const writers = new Map<string, CollectionWriter>();
  let held = 0;
  await using storing = new OneAtATime();
  for await (const step of connector.collect(context.scope, sources)) {
    if (step.state === 'pending') {
      return { state: 'pending', operation: step.operation, retryAfterSeconds: step.retryAfterSeconds };
    }
    if (step.state === 'done') {
      await storing.start(() => putAll(context.blobs, blob, [...writers.values()]));
      await storing.end();
      const contents = [...writers.values()].map((writer) => writer.summary());
      return {
        state: 'succeeded',
        matched: step.evidence.matched,
        result: {
          blob: blob.blob,
          contents: sealText(context.ref, context.key, JSON.stringify(contents)),
          operation: null,
          evidence: step.evidence,
        },
      };
    }
    if (context.request.dry_run) continue;
    let writer = writers.get(step.item.collection);
    if (writer === undefined) {
      writer = new CollectionWriter(step.item.collection);
      writers.set(step.item.collection, writer);
    }
    held += writer.add(step.item.row);
    if (writer.isFull) {
      held -= writer.bytes;
      const piece = writer.takePiece();
      await storing.start(() => context.blobs.put(blob, piece));
    } else if (held > HELD_BYTES) {
      // Many collections with little each: together they must not fill the memory either.
      await storing.start(() => putAll(context.blobs, blob, [...writers.values()]));
      await storing.end();
      held = 0;
    }
  }
  throw new HabeasError(
    'SYSTEM_GARBAGE',
    `${context.task.system} ended its answer without saying that it was complete.`,
    {
      retryable: true,
    },
  );
}

/** One piece is stored while the next is collected, and never more than one. */
class OneAtATime implements AsyncDisposable {
  #running = Promise.resolve();

  /** Waits for the one before. Throws what that one failed with. */
  async start(store: () => Promise<void>): Promise<void> {
    await this.#running;
    this.#running = store();
    // Its failure is thrown when it is waited for; until then it must not count as unhandled.
    this.#running.catch(() => undefined);
  }

  async end(): Promise<void> {
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What failed was thrown, or something else is; nothing may still be stored when the task is over.
    await this.#running.catch(() => undefined);
  }
}

async function putAll(blobs: BlobStore, blob: BlobRef, writers: readonly CollectionWriter[]): Promise<void> {
  for (let start = 0; start < writers.length; start += PIECES_PER_STATEMENT) {
    const some = writers.slice(start, start + PIECES_PER_STATEMENT);
    await blobs.put(
      blob,
      some.flatMap((writer) => writer.takePiece()),
    );
  }
}

/** The rows of one collection in order, as JSON texts, piece by piece, from this piece on. */
export async function* readRows(
  blobs: BlobStore,
  blob: BlobRef,
  { collection, from }: { readonly collection: string; readonly from: number },
): AsyncIterable<readonly string[]> {
  for await (const piece of blobs.read(blob, collection, from)) {
    const lines = piece.toString().split('\n');
    // Each line has its end, so that there is nothing behind the last one.
    lines.pop();
    yield lines;
  }
}
