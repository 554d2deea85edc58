import type { Database, HabeasError } from '../foundation/index.ts';
import { publish, type StoredEvent } from './outbox.ts';
import type { SubscriptionScope, SubscriptionTables } from './subscriptions.ts';

export type RetryTables = {
  /** Messages that a webhook did not take, until it does or they are given up. Others go past them. */
  notify_retries: {
    organization_id: string;
    subscription: string;
    event_id: string;
    /** Where it lies in the outbox. */
    sequence: number;
    /** How often it was tried. */
    tries: number;
    next_at: Date;
    /** The receiver could not be reached, or said that it is in trouble: it may be as well for all others. */
    outage: boolean;
    error: string;
  };
};

export interface Retry {
  readonly eventId: string;
  readonly sequence: number;
  readonly tries: number;
  readonly nextAt: Date;
}

/** The message to try next: the oldest of those whose time has come, else the one whose time comes first; undefined: there is none. */
export async function nextRetry(
  db: Database,
  scope: SubscriptionScope,
  now: Date,
): Promise<Retry | undefined> {
  const rows = db
    .withTables<RetryTables>()
    .selectFrom('notify_retries')
    .select(['event_id', 'sequence', 'tries', 'next_at'])
    .where('organization_id', '=', scope.organizationId)
    .where('subscription', '=', scope.name)
    .limit(1);
  const row =
    (await rows.where('next_at', '<=', now).orderBy('sequence').executeTakeFirst()) ??
    (await rows.orderBy('next_at').executeTakeFirst());
  return row && { eventId: row.event_id, sequence: row.sequence, tries: row.tries, nextAt: row.next_at };
}

export interface FailedTry {
  readonly event: StoredEvent;
  /** With this one. */
  readonly tries: number;
  /** null: it was the last one. */
  readonly nextAt: Date | null;
  readonly error: HabeasError;
  readonly now: Date;
}

/**
 * Notes that a webhook did not take a message, and moves on past it: it is tried again at its time, or is a dead letter now, which is
 * told by an event, unless it was such an event itself.
 */
export async function setAside(db: Database, scope: SubscriptionScope, failed: FailedTry): Promise<void> {
  const { organizationId, name } = scope;
  const { event, tries, nextAt, error, now } = failed;
  const told = `${error.code}: ${error.message}`;
  await db.transaction().execute(async (transaction) => {
    const tables = transaction.withTables<RetryTables & SubscriptionTables>();
    await tables
      .updateTable('notify_subscriptions')
      .set({ position: event.sequence })
      .where('organization_id', '=', organizationId)
      .where('name', '=', name)
      .where('position', '<', event.sequence)
      .execute();
    if (nextAt !== null) {
      const again = { tries, next_at: nextAt, outage: error.retryable, error: told };
      await tables
        .insertInto('notify_retries')
        .values({
          organization_id: organizationId,
          subscription: name,
          event_id: event.id,
          sequence: event.sequence,
          ...again,
        })
        .onConflict((conflict) =>
          conflict.columns(['organization_id', 'subscription', 'event_id']).doUpdateSet(again),
        )
        .execute();
      return;
    }
    await deleteRetry(transaction, scope, event.id);
    await tables
      .insertInto('notify_dead_letters')
      .values({
        organization_id: organizationId,
        subscription: name,
        event_id: event.id,
        sequence: event.sequence,
        type: event.type,
        at: event.at,
        given_up_at: now,
        error: told,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    if (event.type.startsWith('notify.')) return;
    const data = { receiver: name, event: event.id, event_type: event.type, error_code: error.code };
    await publish(transaction, [{ organizationId, type: 'notify.dead-letter', data }], now);
  });
}

/** It was taken, or is of no use any more. */
export async function deleteRetry(db: Database, scope: SubscriptionScope, eventId: string): Promise<void> {
  await db
    .withTables<RetryTables>()
    .deleteFrom('notify_retries')
    .where('organization_id', '=', scope.organizationId)
    .where('subscription', '=', scope.name)
    .where('event_id', '=', eventId)
    .execute();
}

/** The receiver takes messages again: what it missed because it was away has waited long enough. */
export async function hurryAfterOutage(db: Database, scope: SubscriptionScope, now: Date): Promise<void> {
  await db
    .withTables<RetryTables>()
    .updateTable('notify_retries')
    .set({ next_at: now, outage: false })
    .where('organization_id', '=', scope.organizationId)
    .where('subscription', '=', scope.name)
    .where('outage', '=', true)
    .where('next_at', '>', now)
    .execute();
}
