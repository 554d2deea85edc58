import { randomBytes, timingSafeEqual } from 'node:crypto';
import { base32, type Database, sha256 } from '../foundation/index.ts';
import { PARTNER_COLUMNS, type PartnerRow } from './partner.ts';
import type { PartnerTables, Protocol } from './tables.ts';

/** Makes a token of 256 random bits for a partner; only its hash is stored. All that it had before are refused from the commit on. */
export async function replaceToken(transaction: Database, partner: PartnerRow, now: Date): Promise<string> {
  await dropTokens(transaction, partner);
  const token = `habeas_partner_${base32(randomBytes(32))}`;
  await transaction
    .withTables<PartnerTables>()
    .insertInto('partner_tokens')
    .values({
      organization_id: partner.organization_id,
      partner: partner.id,
      hash: sha256(token),
      verify_key: partner.verify_key,
      created_at: now,
    })
    .execute();
  return token;
}

export async function dropTokens(
  transaction: Database,
  partner: Pick<PartnerRow, 'organization_id' | 'id'>,
): Promise<void> {
  await transaction
    .withTables<PartnerTables>()
    .deleteFrom('partner_tokens')
    .where('organization_id', '=', partner.organization_id)
    .where('partner', '=', partner.id)
    .execute();
}

/**
 * Whose token it is. Undefined if it is unknown, of another protocol, of a partner that is revoked, or was given to the owner of
 * another key than the partner has now.
 */
export async function partnerOfToken(
  db: Database,
  options: { readonly organizationId: string; readonly protocol: Protocol; readonly token: string },
): Promise<PartnerRow | undefined> {
  const hash = sha256(options.token);
  const row = await db
    .withTables<PartnerTables>()
    .selectFrom('partner_tokens')
    .innerJoin('partners', (join) =>
      join
        .onRef('partners.organization_id', '=', 'partner_tokens.organization_id')
        .onRef('partners.id', '=', 'partner_tokens.partner'),
    )
    .select(PARTNER_COLUMNS.map((column) => `partners.${column}` as const))
    .select(['partner_tokens.hash', 'partner_tokens.verify_key as key_then'])
    .where('partner_tokens.organization_id', '=', options.organizationId)
    .where('partner_tokens.hash', '=', hash)
    .where('partners.protocol', '=', options.protocol)
    .where('partners.revoked_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined || !timingSafeEqual(row.hash, hash)) return undefined;
  const { hash: _, key_then: keyThen, ...partner } = row;
  return keyThen === partner.verify_key ? partner : undefined;
}
