import { Migrator } from 'kysely/migration';
import { type Migrations, openDatabase } from '../foundation/index.ts';

/** Names of the changes of the schema that this version would make to a database. Changes nothing. */
export async function pendingMigrations(
  databaseUrl: string,
  migrations: Migrations,
): Promise<readonly string[]> {
  const { db, close } = openDatabase({ url: databaseUrl, connections: 1 });
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => ({ ...migrations }) },
      migrationTableSchema: 'habeas',
    });
    const all = await migrator.getMigrations();
    return all.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
  } finally {
    await close();
  }
}
