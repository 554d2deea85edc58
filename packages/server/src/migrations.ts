import { accessMigrations } from './access/index.ts';
import { auditMigrations } from './audit/index.ts';
import {
  consentMigrations,
  exportMigrations,
  jobMigrations,
  propagationMigrations,
  targetMigrations,
} from './consent/index.ts';
import type { Migrations } from './foundation/index.ts';
import { mapMigrations } from './map/index.ts';
import { notifyMigrations } from './notify/index.ts';
import { partnerMigrations } from './partners/index.ts';
import { requestMigrations } from './requests/index.ts';

/** Of all rooms; a number is used once. */
export const migrations: Migrations = {
  ...auditMigrations,
  ...notifyMigrations,
  ...accessMigrations,
  ...mapMigrations,
  ...requestMigrations,
  ...partnerMigrations,
  ...consentMigrations,
  ...targetMigrations,
  ...propagationMigrations,
  ...jobMigrations,
  ...exportMigrations,
};
