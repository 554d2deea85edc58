import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { Declaration } from '../declaration.ts';
import { fromRow } from '../intervals.ts';
import type { MapTables } from '../tables.ts';

/** Declarations of a source by their keys, as they were stored before; what never was is left out. */
export type LoadStored = (
  source: string,
  keys: readonly string[],
) => Promise<ReadonlyMap<string, Declaration>>;

export function createLoadStored(db: Database, organizationId: string): LoadStored {
  return async (source, keys) => {
    if (keys.length === 0) return new Map();
    const rows = await db
      .withTables<MapTables>()
      .selectFrom('map_declarations')
      .distinctOn('declaration')
      .select([
        'declaration',
        'kind',
        'team',
        'service',
        'to_service',
        'data_type',
        'address',
        'protocol',
        'purpose',
        'subject',
        'retention',
        'region',
      ])
      .where('organization_id', '=', organizationId)
      .where('source', '=', source)
      .where(sql<boolean>`declaration = any(${[...keys]}::text[])`)
      .orderBy('declaration')
      .execute();
    return new Map(
      rows.flatMap((row) => {
        const declaration = fromRow(row);
        return declaration === undefined ? [] : [[row.declaration, declaration] as const];
      }),
    );
  };
}
