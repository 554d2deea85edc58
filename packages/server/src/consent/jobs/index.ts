export * from './create-job-runs.ts';
export { jobMigrations } from './migrations.ts';
export * from './run-job.ts';
