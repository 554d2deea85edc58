import type { api } from '@habeas/contract';
import { type Clock, type Database, HabeasError } from '../foundation/index.ts';
import { publish } from './outbox.ts';
import type { WebhookReceiver } from './receivers.ts';
import type { RetryTables } from './retries.ts';
import type { SubscriptionTables } from './subscriptions.ts';

/** Writes audit entries in the caller's transaction. */
export type RecordAudit = (
  transaction: Database,
  events: readonly {
    readonly organizationId: string;
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  }[],
  now: Date,
) => Promise<void>;

/** The webhooks of the configuration, for who may see and mend them. */
export interface Webhooks {
  /** How each is doing, by name. */
  list(): Promise<readonly api.WebhookView[]>;
  /** Messages that were given up, newest first. Throws NOT_FOUND for a receiver that is not configured. */
  deadLetters(query: {
    readonly receiver?: string | undefined;
    readonly limit: number;
  }): Promise<readonly api.DeadLetterView[]>;
  /** Sends dead letters again, from their first try on: those with these ids, or all of the receiver. Gives how many. */
  replay(options: {
    readonly receiver: string;
    readonly events?: readonly string[] | undefined;
    readonly actor: string;
  }): Promise<number>;
  /** A receiver that answered 410 is told again, from where it stopped on. */
  enable(options: { readonly receiver: string; readonly actor: string }): Promise<void>;
}

export interface WebhooksOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
  readonly audit: RecordAudit;
  readonly receivers: readonly WebhookReceiver[];
}

type Tables = SubscriptionTables & RetryTables;

/** Wakes the follower of a receiver, whichever process it runs in. */
export const MENDED = 'notify.mended';

export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { db, organizationId, clock, receivers } = options;
  const names = receivers.map(({ name }) => name);
  const refuseUnknown = (name: string): void => {
    if (names.includes(name)) return;
    throw new HabeasError(
      'NOT_FOUND',
      `The configuration has no webhook ${name}. It has ${names.length === 0 ? 'none' : names.join(', ')}.`,
    );
  };
  const told = async (
    transaction: Database,
    by: {
      readonly actor: string;
      readonly action: string;
      readonly receiver: string;
      readonly count: number;
    },
  ): Promise<void> => {
    const now = clock.now();
    const { actor, action, receiver: subject, count } = by;
    await options.audit(transaction, [{ organizationId, actor, action, subject, details: { count } }], now);
    // Of the same receiver, so that it is not told of it itself.
    await publish(transaction, [{ organizationId, type: MENDED, data: { receiver: subject, count } }], now);
  };

  return {
    list: () => (names.length === 0 ? Promise.resolve([]) : listWebhooks(options)),
    async deadLetters({ receiver, limit }) {
      if (receiver !== undefined) refuseUnknown(receiver);
      const rows = await db
        .withTables<Tables>()
        .selectFrom('notify_dead_letters')
        .select(['subscription', 'event_id', 'sequence', 'type', 'at', 'given_up_at', 'error'])
        .where('organization_id', '=', organizationId)
        .where('subscription', 'in', receiver === undefined ? names.concat('') : [receiver])
        .orderBy('given_up_at', 'desc')
        .orderBy('event_id', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        receiver: row.subscription,
        event: row.event_id,
        type: row.type,
        at: row.at.toISOString(),
        given_up_at: row.given_up_at.toISOString(),
        error: row.error,
      }));
    },
    async replay({ receiver, events, actor }) {
      refuseUnknown(receiver);
      return db.transaction().execute(async (transaction) => {
        const tables = transaction.withTables<Tables>();
        let chosen = tables
          .deleteFrom('notify_dead_letters')
          .where('organization_id', '=', organizationId)
          .where('subscription', '=', receiver)
          .where('sequence', 'is not', null);
        if (events !== undefined) chosen = chosen.where('event_id', 'in', [...events, '']);
        const letters = await chosen.returning(['event_id', 'sequence', 'error']).execute();
        if (letters.length === 0) return 0;
        await tables
          .insertInto('notify_retries')
          .values(
            letters.map((letter) => ({
              organization_id: organizationId,
              subscription: receiver,
              event_id: letter.event_id,
              sequence: letter.sequence ?? 0,
              tries: 0,
              next_at: clock.now(),
              outage: false,
              error: letter.error,
            })),
          )
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        await told(transaction, { actor, action: 'webhook.replayed', receiver, count: letters.length });
        return letters.length;
      });
    },
    async enable({ receiver, actor }) {
      refuseUnknown(receiver);
      await db.transaction().execute(async (transaction) => {
        const enabled = await transaction
          .withTables<Tables>()
          .updateTable('notify_subscriptions')
          .set({ disabled_at: null })
          .where('organization_id', '=', organizationId)
          .where('name', '=', receiver)
          .where('disabled_at', 'is not', null)
          .returning('name')
          .executeTakeFirst();
        if (enabled !== undefined)
          await told(transaction, { actor, action: 'webhook.enabled', receiver, count: 1 });
      });
    },
  };
}

async function listWebhooks(options: WebhooksOptions): Promise<readonly api.WebhookView[]> {
  const { db, organizationId, receivers } = options;
  const rows = await db
    .withTables<Tables>()
    .selectFrom('notify_subscriptions as s')
    .select(({ selectFrom, fn }) => [
      's.name',
      's.failing_since',
      's.error',
      's.disabled_at',
      selectFrom('notify_retries as r')
        .select(fn.countAll<number>().as('count'))
        .where('r.organization_id', '=', organizationId)
        .whereRef('r.subscription', '=', 's.name')
        .as('waiting'),
      selectFrom('notify_dead_letters as d')
        .select(fn.countAll<number>().as('count'))
        .where('d.organization_id', '=', organizationId)
        .whereRef('d.subscription', '=', 's.name')
        .as('dead'),
    ])
    .where('s.organization_id', '=', organizationId)
    .where(
      's.name',
      'in',
      receivers.map(({ name }) => name),
    )
    .execute();
  const byName = new Map(rows.map((row) => [row.name, row]));
  return receivers.map(({ name, url }) => {
    const row = byName.get(name);
    return {
      name,
      host: url.host,
      failing_since: row?.failing_since?.toISOString() ?? null,
      disabled_at: row?.disabled_at?.toISOString() ?? null,
      error: row?.error ?? null,
      waiting: row?.waiting ?? 0,
      dead_letters: row?.dead ?? 0,
    };
  });
}
