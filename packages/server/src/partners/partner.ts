import type { api } from '@habeas/contract';
import type { PartnerTables } from './tables.ts';

export type PartnerRow = PartnerTables['partners'];

export const PARTNER_COLUMNS = [
  'organization_id',
  'id',
  'protocol',
  'partner_id',
  'name',
  'source',
  'verify_key',
  'callback_origins',
  'created_at',
  'created_by',
  'revoked_at',
] as const satisfies readonly (keyof PartnerRow)[];

/** A partner as everybody may see it. */
export function partnerView(row: PartnerRow): api.PartnerView {
  return {
    id: row.id,
    protocol: row.protocol,
    partner_id: row.partner_id,
    name: row.name,
    source: row.source,
    verify_key: row.verify_key,
    callback_origins: [...row.callback_origins],
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}

/** As audit entries and requests name it. */
export function actorOf(partner: Pick<PartnerRow, 'id'>): string {
  return `partner:${partner.id}`;
}
