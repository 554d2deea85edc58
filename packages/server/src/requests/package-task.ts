import { createHash } from 'node:crypto';
import { type BlobRef, PIECE_BYTES } from './blob-store.ts';
import { readRows } from './collect-task.ts';
import type { CollectedCollection } from './collection-writer.ts';
import { openText } from './identity-vault.ts';
import type { TaskRow } from './neighbourhood.ts';
import { createArchive } from './package/archive.ts';
import type { NotIncluded, PackagedCollection } from './package/manifest.ts';
import { requestPlan } from './read-requests.ts';
import type { RequestTables } from './tables.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

const PART = 'zip';

/** Builds the package from what was collected and stores it sealed. Streams throughout: memory does not grow with the data. */
export async function packageTask(
  context: TaskContext,
  options: { readonly expiresAt: Date; readonly organization: string },
): Promise<TaskOutcome> {
  const tasks = await loadSources(context);
  const collections = loadCollections(context, tasks);
  const archive = createArchive({
    organization: options.organization,
    requestId: context.ref.requestId,
    receivedAt: context.request.received_at,
    builtAt: context.clock.now(),
    collections,
    notIncluded: [...notIncluded(tasks), ...(await gapsOfPlan(context))],
    signal: context.scope.signal,
  });

  const blob: BlobRef = { ...context.ref, blob: `package/${context.task.id}/${context.task.attempt}` };
  const hash = createHash('sha256');
  let bytes = 0;
  let position = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const flush = async (): Promise<void> => {
    await context.blobs.put(blob, [{ part: PART, position, bytes: Buffer.concat(pending) }]);
    position += 1;
    pending = [];
    pendingBytes = 0;
  };
  for await (const chunk of archive) {
    hash.update(chunk);
    bytes += chunk.length;
    pending.push(chunk);
    pendingBytes += chunk.length;
    if (pendingBytes >= PIECE_BYTES) await flush();
  }
  if (pending.length > 0) await flush();
  const sha256 = hash.digest('hex');
  // By system: names of collections may be personal, and stand in the package only.
  const counts = new Map<string, number>();
  for (const { system, rows } of collections) counts.set(system, (counts.get(system) ?? 0) + rows);
  return {
    state: 'succeeded',
    matched: null,
    result: {
      blob: blob.blob,
      evidence: {
        matched: false,
        counts: Object.fromEntries(counts),
        retained: [],
        residuals: [],
        notes: [`${bytes} bytes`],
      },
    },
    also: async (transaction) => {
      await transaction
        .withTables<RequestTables>()
        .updateTable('requests')
        .set({
          package_blob: blob.blob,
          package_bytes: bytes,
          package_sha256: sha256,
          package_expires_at: options.expiresAt,
        })
        .where('organization_id', '=', context.ref.organizationId)
        .where('id', '=', context.ref.requestId)
        .execute();
    },
  };
}

export const PACKAGE_PART = PART;

type Source = Pick<TaskRow, 'id' | 'kind' | 'state' | 'system' | 'team' | 'blob' | 'contents' | 'note'>;

async function loadSources(context: TaskContext): Promise<readonly Source[]> {
  return context.db
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .select(['id', 'kind', 'state', 'system', 'team', 'blob', 'contents', 'note'])
    .where('organization_id', '=', context.ref.organizationId)
    .where('request_id', '=', context.ref.requestId)
    .where('kind', 'in', ['collect', 'ticket'])
    .orderBy('position')
    .execute();
}

function loadCollections(context: TaskContext, tasks: readonly Source[]): readonly PackagedCollection[] {
  const collections: PackagedCollection[] = [];
  for (const task of tasks) {
    if (task.blob === null || task.contents === null || task.state !== 'succeeded') continue;
    const blob: BlobRef = { ...context.ref, blob: task.blob };
    const contents: readonly CollectedCollection[] = JSON.parse(
      openText(context.ref, context.key, task.contents),
    );
    for (const content of contents) {
      collections.push({
        ...content,
        system: task.system ?? 'unknown',
        read: () => readRows(context.blobs, blob, content.name),
      });
    }
  }
  return collections;
}

/** What the plan knew that it would not reach. Systems that got a ticket are told of by their tickets. */
async function gapsOfPlan(context: TaskContext): Promise<readonly NotIncluded[]> {
  const plan = await requestPlan(context.db, context.ref);
  return (plan?.gaps ?? []).flatMap((gap) =>
    gap.ticket ? [] : [{ system: gap.system ?? 'unknown', reason: gap.message }],
  );
}

function notIncluded(tasks: readonly Source[]): readonly NotIncluded[] {
  return tasks.flatMap((task): readonly NotIncluded[] => {
    const system = task.system ?? 'unknown';
    if (task.kind === 'ticket' && task.state === 'succeeded' && task.contents === null) {
      return [
        {
          system,
          reason: `Team ${task.team} looked by hand and closed its ticket without handing anything over here; if it found something, it comes from the team.`,
        },
      ];
    }
    if (task.state === 'skipped')
      return [{ system, reason: 'Left out by a person of the organization, who gave a reason; ask for it.' }];
    return [];
  });
}
