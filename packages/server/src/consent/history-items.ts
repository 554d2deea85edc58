import type { api } from '@habeas/contract';
import type { Database } from '../foundation/index.ts';
import type { PurposeBits } from './purposes/index.ts';
import { historyOf } from './record/index.ts';

/** All that a person ever said as the API shows it, the earliest first. */
export async function historyItems(
  db: Database,
  person: { readonly organizationId: string; readonly subject: number; readonly purposes: PurposeBits },
): Promise<readonly api.ConsentHistoryItem[]> {
  return (await historyOf(db, person)).map((one) => ({
    event_id: one.eventId,
    said_at: one.saidAt.toISOString(),
    received_at: one.receivedAt.toISOString(),
    choices: { ...one.choices },
    source: one.source,
    notice: one.notice,
  }));
}
