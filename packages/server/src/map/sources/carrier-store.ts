import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { SourceScope } from '../intervals.ts';
import { type Carriers, type Followed, type Known, NOTHING_KNOWN, type Target } from './carriers.ts';
import type { SourceTables } from './tables.ts';

/** What is known of a source, and how often it changed. */
export interface StoredKnown {
  readonly known: Known;
  readonly version: number;
}

/** Remembers {@link Known} over restarts, but for how long targets are absent: that begins anew. */
export interface CarrierStore {
  /** Reads it only if another server changed it since `last`. */
  load(source: string, last?: StoredKnown): Promise<StoredKnown>;
  /** Writes only what is different, and gives what is stored now; undefined if another server wrote meanwhile. */
  save(source: string, change: CarrierChange): Promise<StoredKnown | undefined>;
}

export interface CarrierChange {
  readonly before: StoredKnown;
  readonly after: Followed;
}

const ROWS_PER_STATEMENT = 5_000;

export function createCarrierStore(db: Database, organizationId: string): CarrierStore {
  return {
    async load(source, last) {
      const version = await readVersion(source);
      if (last?.version === version) return last;
      const tables = db.withTables<SourceTables>();
      const carriers = await readCarriers({ organizationId, source });
      const dropped = await tables
        .selectFrom('map_targets')
        .select(['target', 'dropped'])
        .where('organization_id', '=', organizationId)
        .where('source', '=', source)
        .execute();
      const known = {
        carriers,
        dropped: new Map(dropped.map((row) => [row.target, row.dropped])),
        absentSince: last?.known.absentSince ?? NOTHING_KNOWN.absentSince,
      };
      return { known, version };
    },
    async save(source, change) {
      const before = change.before.known;
      const { after } = change;
      const added = missingFrom(before.carriers, after.carriers);
      const removed = missingFrom(after.carriers, before.carriers);
      const changed = [...after.dropped].filter(([target, count]) => before.dropped.get(target) !== count);
      const gone = [...before.dropped.keys()].filter((target) => !after.dropped.has(target));
      if (added.length + removed.length + changed.length + gone.length === 0) {
        return { known: after, version: change.before.version };
      }
      const version = await db.transaction().execute(async (transaction) => {
        const version = await nextVersion(transaction, { organizationId, source });
        await insertPairs(transaction, { organizationId, source }, added);
        for (const rows of chunks(removed)) {
          await sql`
            delete from map_carriers
            using unnest(${rows.map(([key]) => key)}::text[], ${rows.map(([, target]) => target)}::text[])
              as removed (declaration, target)
            where map_carriers.organization_id = ${organizationId}
              and map_carriers.source = ${source}
              and map_carriers.declaration = removed.declaration
              and map_carriers.target = removed.target`.execute(transaction);
        }
        for (const rows of chunks(changed)) {
          await sql`
            insert into map_targets (organization_id, source, target, dropped)
            select ${organizationId}, ${source}, target, dropped
            from unnest(${rows.map(([target]) => target)}::text[], ${rows.map(([, count]) => count)}::float8[])
              as changed (target, dropped)
            order by target
            on conflict (organization_id, source, target) do update set dropped = excluded.dropped`.execute(
            transaction,
          );
        }
        await sql`
          delete from map_targets
          where organization_id = ${organizationId} and source = ${source} and target = any(${gone}::text[])`.execute(
          transaction,
        );
        return version;
      });
      const alone = version === change.before.version + 1;
      return alone ? { known: after, version } : undefined;
    },
  };

  async function readCarriers({ organizationId, source }: SourceScope): Promise<Carriers> {
    // Many in one row, because a hundred thousand rows take longer to receive than to find; not all, which would be in memory twice.
    const { rows } = await sql<{ target: Target; keys: string }>`
      select target, string_agg(declaration, ',') as keys
      from map_carriers
      where organization_id = ${organizationId} and source = ${source}
      group by target, left(declaration, 2)
      order by target`.execute(db);
    const carriers = new Map<string, ReadonlySet<Target>>();
    let alone: ReadonlySet<Target> = new Set();
    for (const { target, keys } of rows) {
      if (!alone.has(target)) alone = new Set([target]);
      for (const key of keys.split(',')) {
        const others = carriers.get(key);
        carriers.set(key, others === undefined ? alone : new Set([...others, target]));
      }
    }
    return carriers;
  }

  async function readVersion(source: string): Promise<number> {
    const row = await db
      .withTables<SourceTables>()
      .selectFrom('map_carrier_versions')
      .select('version')
      .where('organization_id', '=', organizationId)
      .where('source', '=', source)
      .executeTakeFirst();
    return row?.version ?? 0;
  }
}

/** Adds what the history of a source shows. */
export async function addCarriers(
  transaction: Database,
  scope: SourceScope,
  carriers: Carriers,
): Promise<void> {
  if (carriers.size === 0) return;
  await nextVersion(transaction, scope);
  await insertPairs(transaction, scope, missingFrom(new Map(), carriers));
}

/** Servers that save the same source take turns at this row. */
async function nextVersion(transaction: Database, scope: SourceScope): Promise<number | undefined> {
  const { rows } = await sql<{ version: number }>`
    insert into map_carrier_versions (organization_id, source, version)
    values (${scope.organizationId}, ${scope.source}, 1)
    on conflict (organization_id, source) do update set version = map_carrier_versions.version + 1
    returning version`.execute(transaction);
  return rows[0]?.version;
}

async function insertPairs(
  transaction: Database,
  { organizationId, source }: SourceScope,
  pairs: readonly (readonly [string, Target])[],
): Promise<void> {
  for (const rows of chunks(pairs)) {
    await sql`
      insert into map_carriers (organization_id, source, declaration, target)
      select ${organizationId}, ${source}, declaration, target
      from unnest(${rows.map(([key]) => key)}::text[], ${rows.map(([, target]) => target)}::text[])
        as added (declaration, target)
      order by declaration, target
      on conflict do nothing`.execute(transaction);
  }
}

/** Pairs of `all` that `known` does not have. */
function missingFrom(known: Carriers, all: Carriers): (readonly [string, Target])[] {
  const missing: (readonly [string, Target])[] = [];
  if (known === all) return missing;
  for (const [declaration, targets] of all) {
    const others = known.get(declaration);
    if (others === targets) continue;
    for (const target of targets) if (others?.has(target) !== true) missing.push([declaration, target]);
  }
  return missing;
}

function* chunks<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    yield rows.slice(from, from + ROWS_PER_STATEMENT);
  }
}
