import { readFileSync } from 'node:fs';
import pg from 'pg';
import { passwordFile, SUPERUSER, type Transport } from './initialize.ts';
import type { RunningServer } from './pid-file.ts';
import type { Place } from './place.ts';

/** The role that Habeas works as: it makes and owns databases and is no superuser. */
export const ROLE = 'habeas';

/** The database of Habeas' own state. */
export const DATABASE = 'habeas';

/** Longer than a busy machine needs to answer one query, shorter than a person waits. */
const ANSWER_MILLISECONDS = 5_000;

export interface Reach {
  readonly place: Place;
  readonly transport: Transport;
  readonly server: RunningServer;
}

/** The URL of one database as one role. */
export function urlOf(reach: Reach, role: string, database: string): string {
  if (reach.transport === 'tcp') {
    const password = readFileSync(passwordFile(reach.place), 'utf8');
    return `postgres://${role}:${password}@127.0.0.1:${reach.server.port}/${encodeURI(database)}`;
  }
  const host = encodeURIComponent(reach.server.socketFolder);
  // A URL needs a host; the one in the query, which libpq and node-postgres prefer, is the socket's folder.
  return `postgres://${role}@localhost/${encodeURI(database)}?host=${host}&port=${reach.server.port}`;
}

/** `silent`: no answer at all, or from another data directory. `refused`: it answers, and does not let us in now. */
export type Answer = { readonly version: string } | 'silent' | 'refused';

/** Asks the server for its version and for the data directory that it works on. */
export async function askVersion(reach: Reach): Promise<Answer> {
  try {
    return await withSuperuser(reach, async (client) => {
      const { rows } = await client.query<{ version: string; folder: string }>(
        `select current_setting('server_version') as version, current_setting('data_directory') as folder`,
      );
      return rows[0]?.folder === reach.place.data ? { version: rows[0].version } : 'silent';
    });
  } catch (error) {
    return error instanceof pg.DatabaseError ? 'refused' : 'silent';
  }
}

/** Makes the role and the database of Habeas where they are missing. */
export async function ensureContents(reach: Reach): Promise<void> {
  await withSuperuser(reach, async (client) => {
    const { rows } = await client.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as role,
              exists (select from pg_database where datname = $2) as database`,
      [ROLE, DATABASE],
    );
    if (rows[0]?.role === false) {
      const password =
        reach.transport === 'tcp'
          ? ` password ${client.escapeLiteral(readFileSync(passwordFile(reach.place), 'utf8'))}`
          : '';
      await client.query(`create role ${ROLE} login createdb${password}`);
    }
    if (rows[0]?.database === false) await client.query(`create database ${DATABASE} owner ${ROLE}`);
  });
}

async function withSuperuser<Result>(
  reach: Reach,
  act: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    connectionString: urlOf(reach, SUPERUSER, 'postgres'),
    connectionTimeoutMillis: ANSWER_MILLISECONDS,
    query_timeout: ANSWER_MILLISECONDS,
    application_name: 'habeas-supervisor',
  });
  // An error that comes while no query runs also ends the query that follows, where it is seen.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}
