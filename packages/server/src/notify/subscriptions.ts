import type { Generated } from 'kysely';
import type { Database, HabeasError } from '../foundation/index.ts';
import { publish, type StoredEvent } from './outbox.ts';

export type SubscriptionTables = {
  /** How far each receiver has been told. */
  notify_subscriptions: {
    organization_id: string;
    /** {@link Receiver.name}. */
    name: string;
    /** The sequence of the last event that it took, or that does not concern it. */
    position: number;
    /** In a row. */
    failures: number;
    failing_since: Date | null;
    /** The last failure, in words without personal data. */
    error: string | null;
    /** When it answered 410; nothing is sent to it before a person enables it. */
    disabled_at: Generated<Date | null>;
  };
  /** Events that a receiver did not take for so long that Habeas gave up. */
  notify_dead_letters: {
    organization_id: string;
    subscription: string;
    event_id: string;
    /** Where it lies in the outbox; null: it was given up by a version that did not note it. */
    sequence: Generated<number | null>;
    type: string;
    /** When it happened. */
    at: Date;
    given_up_at: Date;
    error: string;
  };
};

export interface SubscriptionState {
  readonly position: number;
  /** In a row. */
  readonly failures: number;
  readonly failingSince: Date | null;
  readonly disabledAt: Date | null;
}

export interface SubscriptionScope {
  readonly organizationId: string;
  readonly name: string;
}

/** The state of a subscription; a new one begins after the given event. */
export async function openSubscription(
  db: Database,
  scope: SubscriptionScope,
  begin: number,
): Promise<SubscriptionState> {
  const tables = db.withTables<SubscriptionTables>();
  await tables
    .insertInto('notify_subscriptions')
    .values({
      organization_id: scope.organizationId,
      name: scope.name,
      position: begin,
      failures: 0,
      failing_since: null,
      error: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await tables
    .selectFrom('notify_subscriptions')
    .select(['position', 'failures', 'failing_since', 'disabled_at'])
    .where('organization_id', '=', scope.organizationId)
    .where('name', '=', scope.name)
    .executeTakeFirstOrThrow();
  const { position, failures, failing_since: failingSince, disabled_at: disabledAt } = row;
  return { position, failures, failingSince, disabledAt };
}

/** The receiver took everything up to here, and is well. One that was moved further meanwhile stays there. */
export async function moveOn(db: Database, scope: SubscriptionScope, position: number): Promise<void> {
  await db
    .withTables<SubscriptionTables>()
    .updateTable('notify_subscriptions')
    .set({ position, failures: 0, failing_since: null, error: null })
    .where('organization_id', '=', scope.organizationId)
    .where('name', '=', scope.name)
    .where('position', '<', position)
    .execute();
}

/** It takes messages again. */
export async function markWell(db: Database, scope: SubscriptionScope): Promise<void> {
  await db
    .withTables<SubscriptionTables>()
    .updateTable('notify_subscriptions')
    .set({ failures: 0, failing_since: null, error: null })
    .where('organization_id', '=', scope.organizationId)
    .where('name', '=', scope.name)
    .execute();
}

/** It answered 410; told by an event. */
export async function disable(db: Database, scope: SubscriptionScope, now: Date): Promise<void> {
  const { organizationId, name } = scope;
  await db.transaction().execute(async (transaction) => {
    await transaction
      .withTables<SubscriptionTables>()
      .updateTable('notify_subscriptions')
      .set({ disabled_at: now })
      .where('organization_id', '=', organizationId)
      .where('name', '=', name)
      .execute();
    const data = { receiver: name };
    await publish(transaction, [{ organizationId, type: 'notify.receiver-disabled', data }], now);
  });
}

export async function noteFailure(
  db: Database,
  scope: SubscriptionScope,
  failure: { readonly failures: number; readonly since: Date; readonly error: HabeasError },
): Promise<void> {
  await db
    .withTables<SubscriptionTables>()
    .updateTable('notify_subscriptions')
    .set({
      failures: failure.failures,
      failing_since: failure.since,
      error: `${failure.error.code}: ${failure.error.message}`,
    })
    .where('organization_id', '=', scope.organizationId)
    .where('name', '=', scope.name)
    .execute();
}

export interface GiveUpOptions {
  readonly event: StoredEvent;
  readonly error: HabeasError;
  readonly now: Date;
}

/** Passes over an event that a receiver does not take: noted, and told by an event, unless it was such an event itself. */
export async function giveUp(db: Database, scope: SubscriptionScope, options: GiveUpOptions): Promise<void> {
  const { organizationId, name } = scope;
  const { event, error, now } = options;
  await db.transaction().execute(async (transaction) => {
    const tables = transaction.withTables<SubscriptionTables>();
    await tables
      .insertInto('notify_dead_letters')
      .values({
        organization_id: organizationId,
        subscription: name,
        event_id: event.id,
        type: event.type,
        at: event.at,
        given_up_at: now,
        error: `${error.code}: ${error.message}`,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await tables
      .updateTable('notify_subscriptions')
      .set({ position: event.sequence })
      .where('organization_id', '=', organizationId)
      .where('name', '=', name)
      .execute();
    if (event.type.startsWith('notify.')) return;
    const data = { receiver: name, event: event.id, event_type: event.type, error_code: error.code };
    await publish(transaction, [{ organizationId, type: 'notify.dead-letter', data }], now);
  });
}

/** How a receiver is doing. */
export interface ReceiverStatus {
  readonly name: string;
  readonly failingSince: Date | null;
  readonly error: string | null;
  /** When it answered 410; it is told nothing before a person enables it. */
  readonly disabledAt: Date | null;
  /** Events of the last 30 days that it will never be told. */
  readonly deadLetters: number;
}

const TOLD_MILLISECONDS = 30 * 86_400_000;

/** Of these receivers, as far as they were ever told anything. */
export async function receiverStatuses(
  db: Database,
  options: { readonly organizationId: string; readonly names: readonly string[]; readonly now: Date },
): Promise<readonly ReceiverStatus[]> {
  const { organizationId, names, now } = options;
  if (names.length === 0) return [];
  const rows = await db
    .withTables<SubscriptionTables>()
    .selectFrom('notify_subscriptions as subscriptions')
    .select(({ selectFrom, fn }) => [
      'subscriptions.name',
      'subscriptions.failing_since',
      'subscriptions.error',
      'subscriptions.disabled_at',
      selectFrom('notify_dead_letters as letters')
        .select(fn.countAll<number>().as('count'))
        .where('letters.organization_id', '=', organizationId)
        .whereRef('letters.subscription', '=', 'subscriptions.name')
        .where('letters.given_up_at', '>', new Date(now.getTime() - TOLD_MILLISECONDS))
        .as('dead_letters'),
    ])
    .where('subscriptions.organization_id', '=', organizationId)
    .where('subscriptions.name', 'in', names)
    .orderBy('subscriptions.name')
    .execute();
  return rows.map((row) => ({
    name: row.name,
    failingSince: row.failing_since,
    error: row.error,
    disabledAt: row.disabled_at,
    deadLetters: row.dead_letters ?? 0,
  }));
}
