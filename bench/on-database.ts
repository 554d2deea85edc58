import pg from 'pg';

/** Runs statements over one connection of its own to a database. */
export async function onDatabase<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, application_name: 'habeas bench' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Makes an empty database, or a copy of another one that nobody uses; throws away what was there under this name. */
export async function createDatabase(serverUrl: string, name: string, template = 'template1'): Promise<void> {
  await onDatabase(serverUrl, async (client) => {
    await client.query(`drop database if exists ${name} with (force)`);
    await client.query(`create database ${name} template ${template} strategy file_copy`);
  });
}
