import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { auditFrontier } from './append-audit.ts';
import { readTiles } from './read-tiles.ts';
import type { AuditTables } from './tables.ts';
import { appendToTiles, edgeOf, TILE_WIDTH, type Tile } from './tiles.ts';

export interface IntegrateOptions {
  readonly db: Database;
  readonly organizationId: string;
  /** Names the log, if this is its beginning. */
  readonly origin: string;
  /** Most entries of one transaction. (Default: 20,000) */
  readonly batch?: number | undefined;
}

const BATCH = 20_000;

export interface Integrated {
  /** Entries that were taken into the tree. */
  readonly added: number;
  /** Everything up to this sequence is in the tree. */
  readonly upTo: number;
}

/**
 * Takes all settled entries into the tree, in the order of their sequences and without a gap. Who does it holds the log's row,
 * so that one does it at a time; another one waits and then finds nothing left to do. What it gives is committed.
 */
export async function integrate(options: IntegrateOptions): Promise<Integrated> {
  const { db, batch = BATCH } = options;
  const { settled } = await auditFrontier.read(db);
  let added = 0;
  for (;;) {
    const count = await db
      .transaction()
      .execute((transaction) => integrateBatch(transaction, { ...options, batch, settled }));
    added += count;
    if (count < batch) return { added, upTo: settled };
  }
}

async function integrateBatch(
  transaction: Database,
  options: IntegrateOptions & { readonly batch: number; readonly settled: number },
): Promise<number> {
  const { organizationId, settled, batch } = options;
  const log = await lockLog(transaction, options);
  const { leaves, sequences } = await nextLeaves(transaction, {
    organizationId,
    after: log.integrated_to,
    settled,
    batch,
  });
  const last = sequences.at(-1);
  if (last === undefined) return 0;
  const find = await readTiles(transaction, organizationId, edgeOf(log.size));
  const tiles = appendToTiles({ size: log.size, find, leaves });
  await saveTiles(transaction, { organizationId, tiles, size: log.size, sequences });
  await sql`
    update audit_logs set size = size + ${sequences.length}, integrated_to = ${last}
    where organization_id = ${organizationId}`.execute(transaction);
  return sequences.length;
}

/** Hashes of the next entries one behind the other, and their sequences: as one row, which takes a third of the time of many. */
async function nextLeaves(
  transaction: Database,
  options: {
    readonly organizationId: string;
    readonly after: number;
    readonly settled: number;
    readonly batch: number;
  },
): Promise<{ readonly leaves: Uint8Array; readonly sequences: readonly number[] }> {
  const { rows } = await sql<{ readonly leaves: Buffer | null; readonly sequences: string | null }>`
    select string_agg(leaf_hash, '' order by sequence) as leaves, string_agg(sequence::text, ',' order by sequence) as sequences
    from (
      select sequence, leaf_hash from audit_entries
      where organization_id = ${options.organizationId} and sequence > ${options.after} and sequence <= ${options.settled}
      order by sequence limit ${options.batch}
    ) as next`.execute(transaction);
  const [next] = rows;
  if (!next?.leaves || !next.sequences) return { leaves: Buffer.alloc(0), sequences: [] };
  return { leaves: next.leaves, sequences: next.sequences.split(',').map(Number) };
}

/** The log's row, held until the transaction ends; begun where there is none. */
export async function lockLog(
  transaction: Database,
  { organizationId, origin }: Pick<IntegrateOptions, 'organizationId' | 'origin'>,
) {
  const read = () =>
    transaction
      .withTables<AuditTables>()
      .selectFrom('audit_logs')
      .select(['origin', 'size', 'integrated_to', 'checkpoint', 'checkpoint_size'])
      .where('organization_id', '=', organizationId)
      .forNoKeyUpdate();
  const found = await read().executeTakeFirst();
  if (found !== undefined) return found;
  await sql`
    insert into audit_logs (organization_id, origin) values (${organizationId}, ${origin})
    on conflict do nothing`.execute(transaction);
  return read().executeTakeFirstOrThrow();
}

/** A tile grows at its end only: what was in it stays where it was. */
async function saveTiles(
  transaction: Database,
  options: {
    readonly organizationId: string;
    readonly tiles: readonly Tile[];
    /** Of the log before. */
    readonly size: number;
    /** Of the entries that were added. */
    readonly sequences: readonly number[];
  },
): Promise<void> {
  const { organizationId, tiles, size, sequences } = options;
  const added = tiles.map(({ level, number }) => {
    if (level > 0) return null;
    const start = Math.max(0, number * TILE_WIDTH - size);
    return `{${sequences.slice(start, (number + 1) * TILE_WIDTH - size).join(',')}}`;
  });
  await sql`
    insert into audit_tiles as t (organization_id, level, number, hashes, sequences, first_sequence)
    select ${organizationId}, level, number, hashes, added::bigint[], (added::bigint[])[1]
    from unnest(
      ${tiles.map(({ level }) => level)}::integer[],
      ${tiles.map(({ number }) => number)}::bigint[],
      ${tiles.map(({ hashes }) => hashes)}::bytea[],
      ${added}::text[]
    ) as n (level, number, hashes, added)
    on conflict (organization_id, level, number) do update
      set hashes = excluded.hashes, sequences = t.sequences || excluded.sequences`.execute(transaction);
}
