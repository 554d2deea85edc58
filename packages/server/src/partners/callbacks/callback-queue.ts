import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { PartnerTables } from '../tables.ts';
import type { PartnerRequestRow } from '../told-status.ts';

/** A callback that is due, taken by this process until its lease ends. */
export interface DueCallback {
  readonly sequence: number;
  readonly partner: string;
  readonly wireId: string;
  readonly address: number;
  readonly status: string;
  readonly failures: number;
  readonly createdAt: Date;
}

/** One callback for each address of a request, in the transaction that notes its new status. The same status is told once. */
export async function enqueueCallbacks(
  transaction: Database,
  options: {
    readonly row: PartnerRequestRow;
    readonly addresses: number;
    readonly status: string;
    readonly now: Date;
  },
): Promise<void> {
  const { row, addresses, status, now } = options;
  if (addresses === 0) return;
  await transaction
    .withTables<PartnerTables>()
    .insertInto('partner_callbacks')
    .values(
      Array.from({ length: addresses }, (_, address) => ({
        organization_id: row.organization_id,
        partner: row.partner,
        wire_id: row.wire_id,
        address,
        status,
        created_at: now,
        next_attempt_at: now,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Takes the callback that is due longest. No other process gets it before the lease ends; if this one dies, the next one sends it
 * again. An address is told one thing after the other:
 *
 *     address 0   in_progress ✗ (next try at t) ── completed waits for it
 *     address 1   in_progress ✓ ── completed is due
 */
export async function takeDueCallback(
  db: Database,
  options: { readonly organizationId: string; readonly now: Date; readonly leaseUntil: Date },
): Promise<DueCallback | undefined> {
  const { organizationId, now, leaseUntil } = options;
  const { rows } = await sql<DueCallback>`
    with due as (
      select sequence
      from partner_callbacks as mine
      where organization_id = ${organizationId} and sent_at is null and lost_at is null and next_attempt_at <= ${now}
        and not exists (
          select 1
          from partner_callbacks as earlier
          where earlier.organization_id = mine.organization_id and earlier.partner = mine.partner
            and earlier.wire_id = mine.wire_id and earlier.address = mine.address
            and earlier.sequence < mine.sequence and earlier.sent_at is null and earlier.lost_at is null
        )
      order by next_attempt_at
      limit 1
      for update skip locked
    )
    update partner_callbacks as taken
    set next_attempt_at = ${leaseUntil}
    from due
    where taken.organization_id = ${organizationId} and taken.sequence = due.sequence
    returning taken.sequence, taken.partner, taken.wire_id as "wireId", taken.address, taken.status, taken.failures,
      taken.created_at as "createdAt"`.execute(db);
  return rows[0];
}

/** When the next callback is due; undefined: none is left. */
export async function nextDue(db: Database, organizationId: string): Promise<Date | undefined> {
  const row = await db
    .withTables<PartnerTables>()
    .selectFrom('partner_callbacks')
    .select('next_attempt_at')
    .where('organization_id', '=', organizationId)
    .where('sent_at', 'is', null)
    .where('lost_at', 'is', null)
    .orderBy('next_attempt_at')
    .limit(1)
    .executeTakeFirst();
  return row?.next_attempt_at;
}

/** How a try ended. */
export type CallbackOutcome =
  | { readonly kind: 'sent'; readonly at: Date }
  | { readonly kind: 'lost'; readonly at: Date; readonly errorCode: string }
  | { readonly kind: 'failed'; readonly nextAttemptAt: Date; readonly errorCode: string };

export async function settleCallback(
  db: Database,
  options: { readonly organizationId: string; readonly sequence: number; readonly outcome: CallbackOutcome },
): Promise<void> {
  const { outcome } = options;
  await db
    .withTables<PartnerTables>()
    .updateTable('partner_callbacks')
    .set((set) => ({
      failures: outcome.kind === 'sent' ? set.ref('failures') : set('failures', '+', 1),
      ...(outcome.kind === 'sent'
        ? { sent_at: outcome.at, error_code: null }
        : { error_code: outcome.errorCode }),
      ...(outcome.kind === 'lost' ? { lost_at: outcome.at } : {}),
      ...(outcome.kind === 'failed' ? { next_attempt_at: outcome.nextAttemptAt } : {}),
    }))
    .where('organization_id', '=', options.organizationId)
    .where('sequence', '=', options.sequence)
    .execute();
}
