import { createHmac } from 'node:crypto';
import { type Database, deriveKey, HabeasError } from '../foundation/index.ts';
import type { BlobRef } from './blob-store.ts';
import type { CollectedCollection } from './collected/collection-writer.ts';
import { readCollected } from './collected/read-collected.ts';
import { openText } from './identity-vault.ts';
import type { TaskRow } from './neighbourhood.ts';
import { packageFiles } from './package/archive.ts';
import { type BuiltPackage, buildPackage } from './package/build-package.ts';
import { type HeldHere, packagedHere } from './package/held-here.ts';
import type { NotIncluded, PackagedCollection } from './package/manifest.ts';
import type { PackageStorages } from './package/storage.ts';
import type { PackageTables } from './package/tables.ts';
import { requestPlan } from './read-requests.ts';
import type { RequestTables } from './tables.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

export interface PackageTaskOptions {
  readonly storages: PackageStorages;
  /** How long it can be fetched once it is there. */
  readonly expiresMilliseconds: number;
  readonly organization: string;
  /** What goes into the package beside what was collected. (Default: nothing) */
  readonly heldHere?: HeldHere | undefined;
  /** Longest time in which no part gets stored. However long the whole takes, what is stored is not lost. */
  readonly stallMilliseconds: number;
  /** The server stops. */
  readonly stopping: AbortSignal;
}

/**
 * Builds the package from what was collected, sealed with a key of its own. Streams throughout: memory does not grow with the
 * data. What an earlier attempt stored is gone on with.
 */
export async function packageTask(context: TaskContext, options: PackageTaskOptions): Promise<TaskOutcome> {
  const { ref, task } = context;
  const tasks = await loadSources(context);
  const { organizationId } = ref;
  const here = await packagedHere(options.heldHere ?? (async () => []), {
    organizationId,
    identities: context.scope.identities,
  });
  const collections = [...loadCollections(context, tasks), ...here.collections];
  const left = [...notIncluded(tasks), ...(await gapsOfPlan(context))];
  const input = {
    organization: options.organization,
    requestId: ref.requestId,
    receivedAt: context.request.received_at,
    collections,
    notIncluded: left,
  };
  const watch = new Watch(options.stallMilliseconds);
  let parts = 0;
  const built = await buildPackage({
    ...ref,
    db: context.db,
    storages: options.storages,
    onPart: () => {
      watch.progress();
      parts += 1;
      if (parts > 1) context.whileMuchIsStreamed();
    },
    clock: context.clock,
    key: context.key,
    task: { id: task.id, attempt: task.attempt },
    contentsDigest: digestOf(context, [input, here.texts]),
    files: (builtAt) => packageFiles({ ...input, builtAt }),
    signal: AbortSignal.any([options.stopping, watch.signal]),
  }).finally(() => watch.end());
  // By system: names of collections may be personal, and stand in the package only.
  const counts = new Map<string, number>();
  for (const { system, rows } of collections) counts.set(system, (counts.get(system) ?? 0) + rows);
  return {
    state: 'succeeded',
    matched: null,
    result: {
      evidence: {
        matched: false,
        counts: Object.fromEntries(counts),
        retained: [],
        residuals: [],
        notes: [`${built.bytes} bytes`],
      },
    },
    also: (transaction) => finish(transaction, context, { built, ...options }),
  };
}

/** Aborts with a TimeoutError when nothing was achieved for so long. */
class Watch {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal = this.#controller.signal;

  constructor(milliseconds: number) {
    this.#timer = setTimeout(
      () => this.#controller.abort(new DOMException('No part of the package was stored.', 'TimeoutError')),
      milliseconds,
    );
  }

  progress(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** From this transaction on the package can be fetched, and its time runs. */
async function finish(
  transaction: Database,
  context: TaskContext,
  { built, expiresMilliseconds }: { readonly built: BuiltPackage; readonly expiresMilliseconds: number },
): Promise<void> {
  const { organizationId, requestId } = context.ref;
  const expiresAt = new Date(context.clock.now().getTime() + expiresMilliseconds);
  const tables = transaction.withTables<RequestTables & PackageTables>();
  const ready = await tables
    .updateTable('packages')
    .set({
      state: 'ready',
      bytes: built.bytes,
      sealed_bytes: built.sealedBytes,
      sha256: built.sha256,
      expires_at: expiresAt,
    })
    .where('organization_id', '=', organizationId)
    .where('id', '=', built.packageId)
    .where('state', '=', 'building')
    .where('attempt', '=', context.task.attempt)
    .executeTakeFirst();
  if (ready.numUpdatedRows !== 1n)
    throw new HabeasError('CONFLICT', 'Another attempt builds this package now.', { retryable: true });
  if (built.parts > 1) {
    await tables
      .updateTable('package_parts')
      .set({ sealed_state: null })
      .where('organization_id', '=', organizationId)
      .where('package_id', '=', built.packageId)
      .execute();
  }
  await tables
    .updateTable('requests')
    .set({
      package_blob: built.packageId,
      package_bytes: built.bytes,
      package_sha256: built.sha256,
      package_expires_at: expiresAt,
    })
    .where('organization_id', '=', organizationId)
    .where('id', '=', requestId)
    .execute();
}

/** Of everything that decides about the bytes. Keyed, because names may be personal. */
function digestOf(context: TaskContext, contents: readonly unknown[]): Buffer {
  return createHmac('sha256', deriveKey(context.key, 'package contents'))
    .update(JSON.stringify(contents))
    .digest();
}

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
      const { types, required, name, columns, rows, bytes } = content;
      collections.push({
        name,
        columns,
        rows,
        bytes,
        // A right to data that another controller can take over (GDPR article 20) needs the shape of it too.
        ...(context.request.right_kind === 'portability' ? { types, required } : {}),
        system: task.system ?? 'unknown',
        ...readCollected(context.blobs, blob, content),
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
