import type { CollectSources } from '../connectors/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { BlobRef } from './blob-store.ts';
import { type CollectedCollection, CollectionWriter } from './collected/collection-writer.ts';
import { PieceShelf } from './collected/piece-shelf.ts';
import { sealText } from './identity-vault.ts';
import { requestPlan } from './read-requests.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** Bytes of rows that wait to be stored, over all collections. */
const HELD_BYTES = 8 * 1024 * 1024;

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
  await using shelf = new PieceShelf(context.blobs, blob);
  for await (const step of connector.collect(context.scope, sources)) {
    if (step.state === 'pending') {
      return { state: 'pending', operation: step.operation, retryAfterSeconds: step.retryAfterSeconds };
    }
    if (step.state === 'done') {
      const contents: CollectedCollection[] = [];
      for (const writer of writers.values()) {
        const { pieces, collection } = writer.end();
        await shelf.add(pieces);
        contents.push(collection);
      }
      await shelf.end();
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
    const { collection } = step.state === 'item' ? step.item : step.texts;
    let writer = writers.get(collection);
    if (writer === undefined) {
      writer = new CollectionWriter(collection, writers.size);
      writers.set(collection, writer);
    }
    held += step.state === 'item' ? writer.add(step.item.row) : writer.addTexts(step.texts);
    const full = writer.takeFull();
    for (const { bytes } of full) held -= bytes.length;
    if (full.length > 0) context.whileMuchIsStreamed();
    await shelf.add(full);
    if (held > HELD_BYTES) {
      // Many collections with little each: together they must not fill the memory either.
      for (const some of writers.values()) await shelf.add(some.take());
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
