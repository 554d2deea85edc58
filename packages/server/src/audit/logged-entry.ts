import type { Database } from '../foundation/index.ts';
import { entryBytes, type LoggedEntry } from './append-audit.ts';
import type { AuditTables } from './tables.ts';

/** A stored entry as the log holds it, and where it is stored. */
export interface StoredEntry {
  readonly sequence: number;
  readonly entry: LoggedEntry;
}

export interface ReadLoggedOptions {
  readonly organizationId: string;
  /** Entries with a greater sequence, in order. */
  readonly after: number;
  /** Entries up to this sequence. */
  readonly upTo: number;
  readonly limit: number;
}

/** Entries as the log holds them. */
export async function readLogged(db: Database, options: ReadLoggedOptions): Promise<readonly StoredEntry[]> {
  const rows = await db
    .withTables<AuditTables>()
    .selectFrom('audit_entries')
    .select(['sequence', 'organization_id', 'id', 'at', 'actor', 'action', 'subject', 'details'])
    .where('organization_id', '=', options.organizationId)
    .where('sequence', '>', options.after)
    .where('sequence', '<=', options.upTo)
    .orderBy('sequence')
    .limit(options.limit)
    .execute();
  return rows.map((row) => ({
    sequence: row.sequence,
    entry: {
      action: row.action,
      actor: row.actor,
      at: row.at.toISOString(),
      details: JSON.parse(row.details),
      id: row.id,
      organizationId: row.organization_id,
      subject: row.subject,
    },
  }));
}

/** Entries one behind the other, each after its length in 16 bits, big-endian (C2SP tlog-tiles). */
export function entryBundle(entries: readonly LoggedEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const bytes = entryBytes(entry);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}
