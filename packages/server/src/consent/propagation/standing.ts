import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import { publishGivenUp } from './deliveries.ts';
import { type Destination, hashedAddress } from './destination.ts';

/** What the address of a destination said about all messages. Of another address, and after a person has it tried again, it counts no more. */
export interface Standing {
  /** Nobody is there any more. */
  readonly isGone: boolean;
  /** Until then it wants to be left alone, whichever process tells it. */
  readonly restsUntil: Date | null;
}

export async function standingOf(db: Database, destination: Destination): Promise<Standing> {
  const address = hashedAddress(destination);
  const { rows } = await sql<Standing>`
    select gone is not distinct from ${address} as "isGone", case when rests = ${address} then rests_until end as "restsUntil"
    from consent_destinations
    where organization_id = ${destination.organizationId} and destination = ${destination.key}`.execute(db);
  return rows[0] ?? { isGone: false, restsUntil: null };
}

/** It is called no more until its address is another one or a person wants it. */
export async function noteGone(db: Database, destination: Destination, now: Date): Promise<void> {
  const address = hashedAddress(destination);
  await db.transaction().execute(async (transaction) => {
    const { rows } = await sql`
      update consent_destinations set gone = ${address}
      where organization_id = ${destination.organizationId} and destination = ${destination.key}
        and gone is distinct from ${address} returning 1`.execute(transaction);
    if (rows.length > 0) await publishGivenUp(transaction, destination, { code: 'SYSTEM_REFUSED', now });
  });
}

/** It is called no more before that time, unless a person wants it. */
export async function noteRest(db: Database, destination: Destination, until: Date): Promise<void> {
  const address = hashedAddress(destination);
  await sql`
    update consent_destinations
    set rests = ${address}, rests_until = greatest(case when rests = ${address} then rests_until end, ${until}::timestamptz)
    where organization_id = ${destination.organizationId} and destination = ${destination.key}`.execute(db);
}
