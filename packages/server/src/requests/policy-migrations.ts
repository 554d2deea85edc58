import { sql } from 'kysely';
import type { Migrations } from '../foundation/index.ts';

/** What requests keep of the policy, of deadlines and of legal holds. */
export const policyMigrations: Migrations = {
  '0030-regimes': {
    async up(db) {
      await sql`
        alter table requests
          add column regime text,
          add column subject_kind text,
          add column owner text,
          add column deadline_rules text,
          add column acknowledge_by timestamptz`.execute(db);
    },
  },
};
