export { type ConsentExports, createConsentExports } from './create-consent-exports.ts';
export { exportMigrations } from './migrations.ts';
