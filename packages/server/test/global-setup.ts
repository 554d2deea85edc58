import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../src/foundation/index.ts';
import { folderForData, MEMORY } from './folder-for-data.ts';

const PREFIX = 'habeas-tests-';

/** What a test writes need not survive a power cut. */
const FAST = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '300' };

/**
 * Gives every test file a PostgreSQL server, as its superuser: the one of HABEAS_TEST_DATABASE_URL, or an embedded one
 * that lives in a temporary folder, of memory where there is enough, as long as this run.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const templates = `template_${randomBytes(4).toString('hex')}_`;
  project.provide('templates', templates);
  const given = process.env.HABEAS_TEST_DATABASE_URL;
  if (given !== undefined && given !== '') {
    project.provide('databaseUrl', given);
    return () => dropTemplates(given, templates);
  }
  removeFoldersOfKilledRuns();
  const dataDir = mkdtempSync(join(folderForData(), `${PREFIX}${process.pid}-`));
  // mkdtemp makes it private to this user; as root the server runs as another one.
  chmodSync(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir, settings: FAST });
  project.provide('databaseUrl', server.superuserUrl());
  return async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}

async function dropTemplates(connectionString: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>(
    'select datname from pg_database where starts_with(datname, $1)',
    [prefix],
  );
  for (const { datname } of rows) await client.query(`drop database ${pg.escapeIdentifier(datname)}`);
  await client.end();
}

function removeFoldersOfKilledRuns(): void {
  for (const parent of [tmpdir(), MEMORY].filter((folder) => existsSync(folder))) {
    for (const name of readdirSync(parent).filter((entry) => entry.startsWith(PREFIX))) {
      const pid = Number(name.slice(PREFIX.length).split('-')[0]);
      if (!isRunning(pid)) rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
