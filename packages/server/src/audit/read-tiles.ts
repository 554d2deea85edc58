import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import type { FindTile, TileId } from './tiles.ts';

/** Loads tiles of an organization's log, in one statement. */
export async function readTiles(
  db: Database,
  organizationId: string,
  ids: readonly TileId[],
): Promise<FindTile> {
  if (ids.length === 0) return () => undefined;
  const { rows } = await sql<TileId & { readonly hashes: Uint8Array }>`
    select t.level, t.number, t.hashes
    from unnest(${ids.map(({ level }) => level)}::integer[], ${ids.map(({ number }) => number)}::bigint[]) as i (level, number)
    join audit_tiles t
      on t.organization_id = ${organizationId} and t.level = i.level and t.number = i.number`.execute(db);
  const found = new Map(rows.map(({ level, number, hashes }) => [`${level}/${number}`, hashes]));
  return ({ level, number }) => found.get(`${level}/${number}`);
}
