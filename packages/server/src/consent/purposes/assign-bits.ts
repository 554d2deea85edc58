import { sql } from 'kysely';
import { type Database, HabeasError } from '../../foundation/index.ts';

/** Purposes that are or were in use, by their codes, with their bits. */
export type PurposeBits = ReadonlyMap<string, number>;

/** 0 to 62: a signature is a signed 64-bit integer of PostgreSQL. */
const BITS = 63;

/**
 * Gives each new purpose the next bit, and tells the bits of all, also of those that are no longer in use: no bit is ever used again.
 * Throws CONFIG_INVALID if there is none left.
 */
export async function assignBits(
  db: Database,
  organizationId: string,
  codes: readonly string[],
): Promise<PurposeBits> {
  return db.transaction().execute(async (transaction) => {
    // Two servers that start at once must not give one bit twice, nor one purpose two.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`purposes of ${organizationId}`}, 0))`.execute(
      transaction,
    );
    const bits = new Map(await readBits(transaction, organizationId));
    const fresh = [...new Set(codes)].filter((code) => !bits.has(code));
    if (bits.size + fresh.length > BITS) {
      throw new HabeasError(
        'CONFIG_INVALID',
        `There are ${bits.size} purposes, with those that were in use before, and ${fresh.length} new ones; an organization can have ${BITS} in all.`,
      );
    }
    for (const code of fresh) bits.set(code, bits.size);
    if (fresh.length > 0) {
      await sql`
        insert into consent_purposes (organization_id, bit, code)
        select ${organizationId}, bit, code
        from unnest(${fresh.map((code) => bits.get(code))}::smallint[], ${fresh}::text[]) as fresh(bit, code)`.execute(
        transaction,
      );
    }
    return bits;
  });
}

/** The bits of all purposes as they are now: another process may know of new ones. */
export async function readBits(db: Database, organizationId: string): Promise<PurposeBits> {
  const { rows } = await sql<{ code: string; bit: number }>`
    select code, bit from consent_purposes where organization_id = ${organizationId} order by bit`.execute(
    db,
  );
  return new Map(rows.map(({ code, bit }) => [code, bit]));
}
