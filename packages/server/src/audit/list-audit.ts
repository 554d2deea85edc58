import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import type { AuditEvent } from './append-audit.ts';
import type { AuditTables } from './tables.ts';

export interface AuditEntry extends Required<AuditEvent> {
  readonly id: string;
  /** Position in the organization's log, without order between transactions that run at once. */
  readonly sequence: number;
  readonly at: Date;
}

const DEFAULT_LIMIT = 100;

export interface ListAuditOptions {
  readonly organizationId: string;
  /** Only entries about this id. */
  readonly subject?: string | undefined;
  /** Only entries about this request and its tasks. */
  readonly request?: string | undefined;
  /** Entries with a smaller sequence, newest first. */
  readonly before?: number | undefined;
  /** (Default: 100) */
  readonly limit?: number | undefined;
}

/**
 * The newest entries about a request: its own, and those of its tasks, which name it in their details. Each half is read from an
 * index of its own, newest first, and no further than a page.
 */
function ofRequest(id: string, { organizationId, before, limit = DEFAULT_LIMIT }: ListAuditOptions) {
  const until = before ?? null;
  const half = (condition: RawBuilder<boolean>) => sql`(
    select sequence from audit_entries
    where organization_id = ${organizationId} and ${condition} and (${until}::bigint is null or sequence < ${until})
    order by sequence desc limit ${limit})`;
  return sql<number>`(${half(sql`subject = ${id}`)} union ${half(sql`details::jsonb ->> 'request' = ${id}`)})`;
}

/** Newest first. */
export async function listAudit(db: Database, options: ListAuditOptions): Promise<readonly AuditEntry[]> {
  let query = db
    .withTables<AuditTables>()
    .selectFrom('audit_entries')
    .select(['organization_id', 'sequence', 'id', 'at', 'actor', 'action', 'subject', 'details'])
    .where('organization_id', '=', options.organizationId)
    .orderBy('sequence', 'desc')
    .limit(options.limit ?? DEFAULT_LIMIT);
  if (options.subject !== undefined) query = query.where('subject', '=', options.subject);
  if (options.request !== undefined)
    query = query.where('sequence', 'in', ofRequest(options.request, options));
  if (options.before !== undefined) query = query.where('sequence', '<', options.before);
  const rows = await query.execute();
  return rows.map((row) => ({
    organizationId: row.organization_id,
    sequence: row.sequence,
    id: row.id,
    at: row.at,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    details: JSON.parse(row.details),
  }));
}
