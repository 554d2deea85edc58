import { sql } from 'kysely';
import { type Clock, type Database, HabeasError } from '../../foundation/index.ts';
import type { PackagePartTables, PackageStorage } from './storage.ts';

/** A row is received in hexadecimal, three times its size in all. */
const PART_BYTES = 256 * 1024;

/** Keeps packages beside the requests: nothing more to run, and a backup of the database is whole. */
export function createPostgresStorage(db: Database, clock: Clock): PackageStorage {
  const tables = db.withTables<PackagePartTables>();
  return {
    kind: 'postgres',
    partBytes: PART_BYTES,
    async put(ref, position, bytes) {
      await tables
        .insertInto('package_bytes')
        .values({
          organization_id: ref.organizationId,
          package_id: ref.packageId,
          position,
          bytes,
          stored_at: clock.now(),
        })
        .onConflict((conflict) =>
          conflict
            .columns(['organization_id', 'package_id', 'position'])
            .doUpdateSet((where) => ({ bytes: where.ref('excluded.bytes') })),
        )
        .execute();
    },
    async get(ref, position) {
      const row = await tables
        .selectFrom('package_bytes')
        .select('bytes')
        .where('organization_id', '=', ref.organizationId)
        .where('package_id', '=', ref.packageId)
        .where('position', '=', position)
        .executeTakeFirst();
      if (row === undefined) throw new HabeasError('SYSTEM_GARBAGE', 'A part of a package is gone.');
      return Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength);
    },
    async remove(ref) {
      await tables
        .deleteFrom('package_bytes')
        .where('organization_id', '=', ref.organizationId)
        .where('package_id', '=', ref.packageId)
        .execute();
    },
    async *list(organizationId) {
      // One step along the index for each package, however many parts it has.
      const { rows } = await sql<{ readonly package_id: string; readonly modified_at: Date }>`
        with recursive packages as (
          (select package_id from package_bytes where organization_id = ${organizationId} order by package_id limit 1)
          union all
          select (select b.package_id from package_bytes b
            where b.organization_id = ${organizationId} and b.package_id > p.package_id order by b.package_id limit 1)
          from packages p where p.package_id is not null
        )
        select p.package_id, last.stored_at as modified_at
        from packages p
        cross join lateral (
          select b.stored_at from package_bytes b
          where b.organization_id = ${organizationId} and b.package_id = p.package_id
          order by b.position desc limit 1
        ) as last
        where p.package_id is not null`.execute(db);
      for (const row of rows) yield { packageId: row.package_id, modifiedAt: row.modified_at };
    },
    close: () => undefined,
  };
}
