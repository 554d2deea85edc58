import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';

/** Signed manifests of what was given to engines outside. Only ever added to. */
export const exportMigrations: Migrations = {
  '0042-consent-exports': {
    async up(db) {
      await sql`
        create table consent_exports (
          organization_id text not null,
          id text not null,
          manifest text not null,
          primary key (organization_id, id)
        )`.execute(db);
    },
  },
};
