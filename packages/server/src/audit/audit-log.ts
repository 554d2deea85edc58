import { type Generated, type RawBuilder, sql } from 'kysely';
import { type Database, newId, sha256 } from '../foundation/index.ts';
import { canonicalJson } from './canonical-json.ts';

/** One change that somebody or something made. Holds ids, counts and states, never personal data. */
export interface AuditEvent {
  readonly organizationId: string;
  /** Who did it: `key:<id>`, `system`, or `service:<name>`. */
  readonly actor: string;
  /** What was done, as `<noun>.<past participle>`: `request.received`, `task.succeeded`. */
  readonly action: string;
  /** What it was done to: the id of a request, task, client, connection or key. */
  readonly subject: string;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

export interface AuditEntry extends Required<AuditEvent> {
  readonly id: string;
  /** Position in the organization's log, without order between transactions that run at once. */
  readonly sequence: number;
  readonly at: Date;
}

export type AuditTables = {
  audit_entries: {
    organization_id: string;
    sequence: Generated<number>;
    id: string;
    at: Date;
    actor: string;
    action: string;
    subject: string;
    details: string;
    leaf_hash: Uint8Array;
  };
};

const DEFAULT_LIMIT = 100;
/** PostgreSQL takes 65,535 parameters a statement. */
const ROWS_PER_STATEMENT = 5_000;

/**
 * Writes entries in the caller's transaction: if they cannot be written, the change does not happen.
 * `leaf_hash` is SHA-256(0x00 ‖ canonical JSON), the leaf of RFC 6962 §2.1; a Merkle log is built over these leaves.
 */
export async function appendAudit(
  transaction: Database,
  events: readonly AuditEvent[],
  now: Date,
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => {
    const entry = { ...event, details: event.details ?? {}, id: newId('aud', now), at: now.toISOString() };
    return {
      organization_id: event.organizationId,
      id: entry.id,
      at: now,
      actor: event.actor,
      action: event.action,
      subject: event.subject,
      details: canonicalJson(entry.details),
      leaf_hash: leafHash(entry),
    };
  });
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const some = rows.slice(start, start + ROWS_PER_STATEMENT);
    await transaction.withTables<AuditTables>().insertInto('audit_entries').values(some).execute();
  }
}

export function leafHash(entry: object): Buffer {
  return sha256(Buffer.concat([Buffer.of(0), Buffer.from(canonicalJson(entry))]));
}

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
