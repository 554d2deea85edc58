import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { PurposeBits } from '../purposes/index.ts';
import type { NoticeSeen } from './signal.ts';

/** A signal as it is stored. */
export interface StoredSignal {
  readonly eventId: string;
  readonly saidAt: Date;
  readonly receivedAt: Date;
  readonly choices: Readonly<Record<string, boolean>>;
  readonly source: string;
  readonly notice: NoticeSeen | null;
}

interface StoredSignalRow {
  readonly event_id: string;
  readonly said_at: Date;
  readonly received_at: Date;
  readonly mask: number | string;
  readonly value: number | string;
  readonly source: string;
  readonly notice: NoticeSeen | null;
}

/** All that a person ever said, in the order in which they said it. */
export async function historyOf(
  db: Database,
  {
    organizationId,
    subject,
    purposes,
  }: { readonly organizationId: string; readonly subject: number; readonly purposes: PurposeBits },
): Promise<readonly StoredSignal[]> {
  const { rows } = await sql<StoredSignalRow>`
    select event_id, said_at, received_at, mask, value, source, notice from consent_signals
    where organization_id = ${organizationId} and subject = ${subject} order by said_at, event_id`.execute(
    db,
  );
  return rows.map((row) => ({
    eventId: row.event_id,
    saidAt: row.said_at,
    receivedAt: row.received_at,
    choices: choicesOf(row, purposes),
    source: row.source,
    notice: row.notice,
  }));
}

function choicesOf(
  { mask, value }: Pick<StoredSignalRow, 'mask' | 'value'>,
  purposes: PurposeBits,
): Readonly<Record<string, boolean>> {
  const has = (bits: number | string, bit: number) => ((BigInt(bits) >> BigInt(bit)) & 1n) === 1n;
  const about = [...purposes].filter(([, bit]) => has(mask, bit));
  return Object.fromEntries(about.map(([code, bit]) => [code, has(value, bit)]));
}
