import { type RawBuilder, sql } from 'kysely';
import {
  byteaArray,
  commitFrontier,
  type Database,
  HabeasError,
  kept,
  newId,
  textArray,
} from '../foundation/index.ts';
import { canonicalJson } from './canonical-json.ts';
import { leafHashOf } from './merkle.ts';

/** One change that somebody or something made. Holds ids, counts, states and hashes, never personal data. */
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

/** How far the entries are settled: the log takes them in the order of their sequences, and none may appear behind it. */
export const auditFrontier = commitFrontier({
  lockClass: 0x4841_4241,
  sequence: 'audit_entries_sequence_seq',
});

/** Rows of one statement: while the database writes them, the next ones are hashed. */
const ROWS_PER_STATEMENT = 1_000;

/** The length of an entry is told in 16 bits where the log serves it (C2SP tlog-tiles). */
const LONGEST_BYTES = 65_535;

/**
 * Writes entries in the caller's transaction: if they cannot be written, the change does not happen. What is written is the
 * leaf of a Merkle log, which takes it soon after the commit: `leaf_hash` is the leaf hash of RFC 6962 §2.1 over the
 * entry's canonical JSON. Throws INTERNAL for an entry of more than 65,535 bytes.
 */
export async function appendAudit(
  transaction: Database,
  events: readonly AuditEvent[],
  now: Date,
): Promise<void> {
  let written: Promise<void> | undefined;
  for (let start = 0; start < events.length; start += ROWS_PER_STATEMENT) {
    const rows = rowsOf(events.slice(start, start + ROWS_PER_STATEMENT), now);
    await written;
    written = insert(transaction, rows, now);
    // What goes wrong while the next rows are made is thrown by the next wait.
    written.catch(() => undefined);
  }
  await written;
}

interface Row extends LoggedEntry {
  readonly canonicalDetails: string;
  readonly leaf: Uint8Array;
}

function rowsOf(events: readonly AuditEvent[], now: Date): readonly Row[] {
  const at = now.toISOString();
  return events.map(({ organizationId, actor, action, subject, details = {} }) => {
    const entry = { organizationId, actor, action, subject, details, id: newId('aud', now), at };
    return { ...entry, canonicalDetails: canonicalJson(details), leaf: leafHashOf(entryBytes(entry)) };
  });
}

/**
 * The arguments of the function `append_audit` in PostgreSQL, which writes entries as {@link appendAudit} does, for a change that is a function there
 * and passes them on.
 */
export function auditArguments(events: readonly AuditEvent[], now: Date): readonly unknown[] {
  return columnsOf(rowsOf(events, now));
}

async function insert(transaction: Database, rows: readonly Row[], now: Date): Promise<void> {
  await sql`${kept} with registered as materialized (select ${auditFrontier.register}) ${insertOf(rows, now)}`.execute(
    transaction,
  );
}

/** The frontier has to know of this transaction before the first number is taken: the join needs `registered` first. */
function insertOf(rows: readonly Row[], now: Date): RawBuilder<unknown> {
  const [organizations, ids, actors, actions, subjects, details, leaves] = columnsOf(rows);
  return sql`
    insert into audit_entries (organization_id, id, at, actor, action, subject, details, leaf_hash)
    select e.organization_id, e.id, ${now}::timestamptz, e.actor, e.action, e.subject, e.details, e.leaf_hash
    from registered, unnest(
      ${organizations}::text[], ${ids}::text[], ${actors}::text[], ${actions}::text[], ${subjects}::text[], ${details}::text[], ${leaves}::bytea[]
    ) as e (organization_id, id, actor, action, subject, details, leaf_hash)`;
}

function columnsOf(rows: readonly Row[]) {
  return [
    textArray(rows.map((row) => row.organizationId)),
    textArray(rows.map((row) => row.id)),
    textArray(rows.map((row) => row.actor)),
    textArray(rows.map((row) => row.action)),
    textArray(rows.map((row) => row.subject)),
    textArray(rows.map((row) => row.canonicalDetails)),
    byteaArray(rows.map((row) => row.leaf)),
  ] as const;
}

/** An entry as the log holds it: what is hashed, and what is served. */
export interface LoggedEntry {
  readonly action: string;
  readonly actor: string;
  /** RFC 3339, with milliseconds. */
  readonly at: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  readonly id: string;
  readonly organizationId: string;
  readonly subject: string;
}

/** Canonical JSON of an entry: the bytes of its leaf. */
export function entryBytes(entry: LoggedEntry): Buffer {
  const bytes = Buffer.from(canonicalJson(entry));
  if (bytes.length > LONGEST_BYTES)
    throw new HabeasError(
      'INTERNAL',
      `An audit entry has ${bytes.length} bytes; ${LONGEST_BYTES} is the most.`,
    );
  return bytes;
}
