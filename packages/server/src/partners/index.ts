export { type CreatePartnersOptions, createPartners, type Partners } from './create-partners.ts';
export { partnerMigrations } from './migrations.ts';
export type { PartnerRow } from './partner.ts';
export type { PartnerRegistry } from './registry.ts';
export type { WireAnswer } from './wire.ts';
