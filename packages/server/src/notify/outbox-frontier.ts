import { sql } from 'kysely';
import { commitFrontier, type Database, type Frontier } from '../foundation/index.ts';

/** Channel of NOTIFY: says that something new is in the outbox. */
export const OUTBOX_CHANNEL = 'habeas_outbox';

const frontier = commitFrontier({ lockClass: 0x4841_4246, sequence: 'outbox_events_sequence_seq' });

/** A query of one row. Must come before the transaction's first event; wakes listeners when the transaction commits. */
export const registerPublisher = sql`select ${frontier.register}, pg_notify(${OUTBOX_CHANNEL}, '')`;

/** How far the outbox can be read without passing over an event of a transaction that is under way. */
export async function readFrontier(db: Database): Promise<Frontier> {
  return frontier.read(db);
}
