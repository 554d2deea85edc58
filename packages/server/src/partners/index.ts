export { type CreatePartnersOptions, createPartners, type Partners } from './create-partners.ts';
export type { PersonProof, ProofAct, ProofView, ProofVisit } from './drp/person-proof.ts';
export { createImport, type Import } from './import/create-import.ts';
export { readTable } from './import/read-table.ts';
export { partnerMigrations } from './migrations.ts';
export type { PartnerRow } from './partner.ts';
export type { PartnerRegistry } from './registry.ts';
export type { WireAnswer } from './wire.ts';
