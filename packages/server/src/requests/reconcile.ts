import { sql } from 'kysely';
import { appendAudit } from '../audit/index.ts';
import type { Systems } from '../connectors/index.ts';
import type { Clock, Database, Logger } from '../foundation/index.ts';
import { sendDeadlineAlerts } from './deadlines/send-alerts.ts';
import type { TaskEvent } from './event.ts';
import {
  discardPackages,
  expirePackages,
  removeDiscarded,
  removeUnknown,
} from './package/discard-packages.ts';
import type { PackageStorages } from './package/storage.ts';
import { prune } from './prune.ts';
import { freezeReceipts, type SignReceipt } from './receipt.ts';
import { stopOperations } from './stop-operations.ts';
import { sweepWorkingCopies } from './sweep-working-copies.ts';
import type { RequestTables } from './tables.ts';
import type { Transitions } from './transitions.ts';
import { forgetVerification } from './verification/index.ts';
import { livingWorkers } from './worker-session.ts';

const BATCH = 500;
const PRUNE_MILLISECONDS = 3_600_000;
const SWEEP_MILLISECONDS = 60_000;
const SWEEP_STORES_MILLISECONDS = 600_000;
const STORAGE_PAUSE_MILLISECONDS = 30_000;
const STOP_PAUSE_MILLISECONDS = 30_000;

export interface ReconcileOptions {
  /** Whose requests are looked after; other organizations on the same database have servers of their own. */
  readonly organizationId: string;
  readonly db: Database;
  readonly transitions: Transitions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sign: SignReceipt;
  readonly systems: Pick<Systems, 'connector' | 'sweep'>;
  readonly storages: PackageStorages;
  /** Longest time that a package can be fetched. */
  readonly packageExpiresMilliseconds: number;
  /** How long after it was due a blocked request waits for a person. */
  readonly giveUpBlockedMilliseconds: number;
  /** Ends what takes long when the server stops. */
  readonly signal: AbortSignal;
  /** This process' worker, and the tasks that it has in hand. */
  readonly worker: { readonly id: string; inHand(): readonly string[] };
  /** Lets reports of systems take effect that came too early. */
  readonly settleReports: () => Promise<void>;
  /** Applies legal holds that a dead process stored and did not apply. */
  readonly applyHolds: () => Promise<void>;
  /** Plans a request that was acknowledged but not planned. */
  readonly plan: (ref: { readonly organizationId: string; readonly requestId: string }) => Promise<void>;
}

interface Ref {
  readonly organization_id: string;
  readonly request_id: string;
  readonly id: string;
}

/**
 * Looks for work that nobody has: what a dead process held, waits that are over, data that has to be
 * forgotten. Safe to run in every process at once, because each finding is only an event that fits or is refused.
 */
export function createReconciler(options: ReconcileOptions): () => Promise<void> {
  let prunedAt = 0;
  let sweptAt = 0;
  let storageFailedAt = 0;
  let stopFailedAt = 0;
  /** A system that is down is not asked every second. */
  const uselessOperations = async (_: ReconcileOptions, now: Date): Promise<void> => {
    if (now.getTime() - stopFailedAt < STOP_PAUSE_MILLISECONDS) return;
    if (await stopOperations(options)) stopFailedAt = now.getTime();
  };
  const sweepNowAndThen = async (now: Date): Promise<void> => {
    if (now.getTime() - sweptAt < SWEEP_MILLISECONDS) return;
    await sweepWorkingCopies(options.db, options.organizationId);
    sweptAt = now.getTime();
  };
  /** Nothing waits for stores: some have many folders. */
  let storesSweptAt = 0;
  let sweepingStores: Promise<void> | undefined;
  const sweepStoresNowAndThen = async (now: Date): Promise<void> => {
    if (sweepingStores !== undefined || now.getTime() - storesSweptAt < SWEEP_STORES_MILLISECONDS) return;
    storesSweptAt = now.getTime();
    sweepingStores = options.systems
      .sweep(options.signal)
      .catch((error: unknown) => options.logger.warn({ err: error }, 'stores could not be swept'))
      .finally(() => {
        sweepingStores = undefined;
      });
  };
  /** A storage that is down is not asked every second. */
  const discardedPackages = async (_: ReconcileOptions, now: Date): Promise<void> => {
    if (now.getTime() - storageFailedAt < STORAGE_PAUSE_MILLISECONDS) return;
    try {
      await removeDiscarded(options);
    } catch (error) {
      storageFailedAt = now.getTime();
      throw error;
    }
  };
  const pruneNowAndThen = async (now: Date): Promise<void> => {
    if (now.getTime() - prunedAt < PRUNE_MILLISECONDS) return;
    await prune(options.db, options.organizationId, now);
    await removeUnknown({ ...options, oldestMilliseconds: options.packageExpiresMilliseconds });
    prunedAt = now.getTime();
  };
  return async () => {
    const now = options.clock.now();
    const steps = [
      takeOver,
      endedWaits,
      unplanned,
      expiredPackages,
      forgotten,
      discardedPackages,
      uselessOperations,
      missingReceipts,
      blockedForGood,
      () => sweepNowAndThen(now),
      () => sweepStoresNowAndThen(now),
      () => options.settleReports(),
      () => options.applyHolds(),
      () => sendDeadlineAlerts(options),
      () => pruneNowAndThen(now),
    ];
    // One that fails must not stop the others: forgetting is a duty, whatever a receipt lacks.
    for (const step of steps) {
      try {
        await step(options, now);
      } catch (error) {
        options.logger.warn({ err: error }, 'a part of looking for lost work failed; it is tried again');
      }
    }
  };
}

/**
 * Tasks that say "running" although nobody runs them: their worker is gone, or it is this one and has lost them, because the
 * database did not take the answer when they ended.
 */
async function takeOver(options: ReconcileOptions): Promise<void> {
  const living = await livingWorkers(options.db);
  const { rows } = await sql<Ref & { readonly worker: string | null; readonly attempt: number }>`
    select organization_id, request_id, id, worker, attempt from tasks
    where organization_id = ${options.organizationId} and state = 'running'
      and (worker is null or worker <> all (${living}::text[])
        or (worker = ${options.worker.id} and id <> all (${options.worker.inHand()}::text[])))
    limit ${BATCH}`.execute(options.db);
  // Looked at after the rows: a task is in hand from before its claim until after its end.
  const inHand = new Set(options.worker.inHand());
  const lost = rows.filter((task) => task.worker !== options.worker.id || !inHand.has(task.id));
  await Promise.all(
    lost.map((task) => apply(options, task, { type: 'task-lost', attempt: task.attempt, died: true })),
  );
}

/** Erasures whose waiting time is over. */
async function endedWaits(options: ReconcileOptions, now: Date): Promise<void> {
  const requests = await options.db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select(['organization_id', 'id'])
    .where('organization_id', '=', options.organizationId)
    .where('state', '=', 'waiting')
    .where((where) => where.or([where('waits_until', 'is', null), where('waits_until', '<=', now)]))
    .limit(BATCH)
    .execute();
  for (const request of requests) {
    await options.transitions.apply(
      { organizationId: request.organization_id, requestId: request.id },
      { type: 'wait-over' },
      { actor: 'system' },
    );
  }
}

async function unplanned(options: ReconcileOptions, now: Date): Promise<void> {
  const requests = await options.db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select(['organization_id', 'id'])
    .where('organization_id', '=', options.organizationId)
    .where('state', '=', 'received')
    .where('received_at', '<', new Date(now.getTime() - 1_000))
    .limit(BATCH)
    .execute();
  for (const request of requests) {
    try {
      await options.plan({ organizationId: request.organization_id, requestId: request.id });
    } catch (error) {
      options.logger.warn(
        { err: error, request: request.id },
        'a request cannot be planned yet; it is tried again',
      );
    }
  }
}

/** Packages whose time is over, and the bytes of those that were discarded for whatever reason. */
async function expiredPackages(options: ReconcileOptions, now: Date): Promise<void> {
  await expirePackages(options.db, options.organizationId, now);
}

/**
 * Requests that wait for a person who never comes: long after the answer was due, those that destroyed nothing yet end, so that
 * what was collected for them does not lie here for ever. An erasure that was begun stays owed, and keeps the keys that it needs.
 */
async function blockedForGood(options: ReconcileOptions, now: Date): Promise<void> {
  const days = Math.round(options.giveUpBlockedMilliseconds / 86_400_000);
  const requests = await options.db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select('id')
    .where('organization_id', '=', options.organizationId)
    .where('state', '=', 'blocked')
    .where('due_at', '<=', new Date(now.getTime() - options.giveUpBlockedMilliseconds))
    .where('destruction_started', '=', false)
    .limit(BATCH)
    .execute();
  for (const { id } of requests) {
    await options.transitions.apply(
      { organizationId: options.organizationId, requestId: id },
      { type: 'cancelled', reason: `Blocked, and nobody acted until ${days} days after the answer was due.` },
      { actor: 'system' },
    );
  }
}

/** Receipts are made soon after the end, beside the work and not in its way. */
async function missingReceipts(options: ReconcileOptions): Promise<void> {
  const ended = await options.db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select('id')
    .where('organization_id', '=', options.organizationId)
    .where('completed_at', 'is not', null)
    .where('receipt', 'is', null)
    .orderBy('completed_at')
    .limit(BATCH)
    .execute();
  const ids = ended.map(({ id }) => id);
  await freezeReceipts(options, { organizationId: options.organizationId, ids });
}

/** Destroys the keys of requests that ended long enough ago; counts, states and hashes stay. */
async function forgotten(options: ReconcileOptions, now: Date): Promise<void> {
  const due = await options.db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select(['organization_id', 'id'])
    .where('organization_id', '=', options.organizationId)
    .where('forget_at', '<=', now)
    .limit(BATCH)
    .execute();
  for (const request of due) {
    const ref = { organizationId: request.organization_id, requestId: request.id };
    await options.db.transaction().execute(async (transaction) => {
      const own = transaction.withTables<RequestTables>();
      const claimed = await own
        .updateTable('requests')
        // The receipt is made anew, without the words of people that it quoted.
        .set({ forget_at: null, reason: null, receipt: null })
        .where('organization_id', '=', ref.organizationId)
        .where('id', '=', ref.requestId)
        .where('forget_at', 'is not', null)
        .returning('id')
        .executeTakeFirst();
      // Another process was quicker.
      if (claimed === undefined) return;
      const requests = [[ref.organizationId, ref.requestId] as const];
      await discardPackages(transaction, { why: 'forgotten', requests }, now);
      for (const table of [
        'request_keys',
        'request_identities',
        'request_changes',
        'request_blobs',
        'idempotency_keys',
      ] as const) {
        await own
          .deleteFrom(table)
          .where('organization_id', '=', ref.organizationId)
          .where('request_id', '=', ref.requestId)
          .execute();
      }
      await forgetVerification(transaction, ref);
      // Names of collections and notes of people may tell more than counts do.
      await own
        .updateTable('tasks')
        .set({ contents: null, note: null })
        .where('organization_id', '=', ref.organizationId)
        .where('request_id', '=', ref.requestId)
        .execute();
      await audit(transaction, 'request.forgotten', { ...ref, now });
    });
  }
}

async function audit(
  transaction: Database,
  action: string,
  about: { readonly organizationId: string; readonly requestId: string; readonly now: Date },
): Promise<void> {
  await appendAudit(
    transaction,
    [{ organizationId: about.organizationId, actor: 'system', action, subject: about.requestId }],
    about.now,
  );
}

async function apply(options: ReconcileOptions, task: Ref, event: TaskEvent): Promise<void> {
  await options.transitions.apply(
    { organizationId: task.organization_id, requestId: task.request_id, taskId: task.id },
    event,
    { actor: 'system' },
  );
}
