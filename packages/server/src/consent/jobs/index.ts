export * from './create-job-runs.ts';
export { type DeclaredJob, declaredJobs } from './declared-jobs.ts';
export { jobMigrations } from './migrations.ts';
export * from './run-job.ts';
