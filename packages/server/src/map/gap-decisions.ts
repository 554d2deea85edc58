import { createHash } from 'node:crypto';
import type { api } from '@habeas/contract';
import { appendAudit } from '../audit/index.ts';
import type { Database } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import type { MapTables } from './tables.ts';

/** What people decided about gaps. */
export interface GapDecisions {
  readonly byGap: ReadonlyMap<string, api.GapDecisionView>;
  /** Categories that somebody approved, by data type. */
  readonly categories: ReadonlyMap<string, string>;
}

export const NO_DECISIONS: GapDecisions = { byGap: new Map(), categories: new Map() };

export type GapSubject = Pick<api.GapView, 'kind' | 'service' | 'team' | 'data_type'>;

/** Kinds that may be right as they are; what causes the others has to be mended, or has a decision of its own. */
const DECIDABLE: ReadonlySet<api.GapView['kind']> = new Set([
  'undeclared-receiver',
  'store-without-eraser',
  'team-without-client',
  'data-type-without-category',
  'declared-not-seen',
  'seen-not-declared',
]);

/** The same for the same gap at any time; null: nothing is to decide about it. */
export function gapId({ kind, service, team, data_type: dataType }: GapSubject): string | null {
  if (!DECIDABLE.has(kind)) return null;
  const subject = JSON.stringify([kind, service, team, dataType]);
  return `gap_${createHash('sha256').update(subject).digest('hex').slice(0, 24)}`;
}

export async function loadGapDecisions(db: Database, organizationId: string): Promise<GapDecisions> {
  const rows = await db
    .withTables<MapTables>()
    .selectFrom('map_gap_decisions')
    .select(['id', 'decision', 'category', 'reason', 'decided_by', 'decided_at', 'data_type'])
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute();
  return {
    byGap: new Map(
      rows.map(({ id, decision, category, reason, decided_by, decided_at }) => [
        id,
        { decision, category, reason, decided_by, decided_at: decided_at.toISOString() },
      ]),
    ),
    categories: new Map(
      rows.flatMap(({ data_type, category }) =>
        data_type === null || category === null ? [] : [[data_type, category] as const],
      ),
    ),
  };
}

export interface DecideGapOptions {
  readonly organizationId: string;
  readonly now: Date;
  readonly actor: string;
  readonly gap: GapSubject & { readonly id: string };
  readonly decision: 'approved' | 'rejected';
  readonly category: string | null;
  readonly reason: string;
}

/** Writes what somebody decided, in place of what was decided before, with its audit entry and event. */
export async function decideGap(db: Database, options: DecideGapOptions): Promise<void> {
  const { organizationId, now, actor, gap, decision, category, reason } = options;
  const { id, kind, service, team, data_type } = gap;
  const decided = { decision, category, reason, decided_by: actor, decided_at: now };
  await db.transaction().execute(async (transaction) => {
    await transaction
      .withTables<MapTables>()
      .insertInto('map_gap_decisions')
      .values({ organization_id: organizationId, id, kind, service, team, data_type, ...decided })
      .onConflict((conflict) => conflict.columns(['organization_id', 'id']).doUpdateSet(decided))
      .execute();
    await record(transaction, { ...options, verb: decision, details: { category, reason } });
  });
}

export interface ReopenGapOptions extends Pick<DecideGapOptions, 'organizationId' | 'now' | 'actor' | 'gap'> {
  readonly reason: string;
}

/** Takes back what was decided. Gives false if nothing was. */
export async function reopenGap(db: Database, options: ReopenGapOptions): Promise<boolean> {
  const { organizationId, gap, reason } = options;
  return db.transaction().execute(async (transaction) => {
    const { numDeletedRows } = await transaction
      .withTables<MapTables>()
      .deleteFrom('map_gap_decisions')
      .where('organization_id', '=', organizationId)
      .where('id', '=', gap.id)
      .executeTakeFirst();
    if (numDeletedRows === 0n) return false;
    await record(transaction, { ...options, verb: 'reopened', details: { reason } });
    return true;
  });
}

async function record(
  transaction: Database,
  {
    organizationId,
    now,
    actor,
    gap,
    verb,
    details,
  }: Pick<DecideGapOptions, 'organizationId' | 'now' | 'actor' | 'gap'> & {
    readonly verb: 'approved' | 'rejected' | 'reopened';
    readonly details: Readonly<Record<string, string | null>>;
  },
): Promise<void> {
  const { id, kind, service, team, data_type } = gap;
  const action = `gap.${verb}`;
  const about = { kind, service, team, data_type };
  await appendAudit(
    transaction,
    [{ organizationId, actor, action, subject: id, details: { ...about, ...details } }],
    now,
  );
  await publish(transaction, [{ organizationId, type: action, data: { gap: id, ...about } }], now);
}
