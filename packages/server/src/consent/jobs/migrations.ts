import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';

/** Runs of jobs, with their signed receipts. Only ever added to. */
export const jobMigrations: Migrations = {
  '0074-consent-job-runs': {
    async up(db) {
      await sql`
        create table consent_job_runs (
          organization_id text not null,
          id text not null,
          job text not null,
          purpose text not null,
          target text not null,
          recorded_at timestamptz not null,
          sequence bigint not null,
          receipt text not null,
          primary key (organization_id, id)
        )`.execute(db);
      await sql`create index consent_job_runs_of on consent_job_runs (organization_id, job, recorded_at)`.execute(
        db,
      );
    },
  },
};
