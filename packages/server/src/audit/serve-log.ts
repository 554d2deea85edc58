import { sql } from 'kysely';
import { type Database, HabeasError } from '../foundation/index.ts';
import type { LoggedEntry } from './append-audit.ts';
import { entryBundle, readLogged } from './logged-entry.ts';
import { HASH_BYTES } from './merkle.ts';
import { proofText } from './note.ts';
import { readTiles } from './read-tiles.ts';
import { consistencySubtrees, inclusionSubtrees, type Subtree } from './subtrees.ts';
import type { AuditTables } from './tables.ts';
import { rootOf, TILE_WIDTH, type TileId, tilesOf, widthOf } from './tiles.ts';

/** What the log can show: of everything under its newest checkpoint, and of nothing else. */
export interface PublishedLog {
  /** The newest checkpoint, a signed note. Throws CONFLICT before the first one. */
  checkpoint(): Promise<string>;
  /** A tile with this many hashes (C2SP tlog-tiles). Throws NOT_FOUND for one that the newest checkpoint does not have. */
  tile(id: TileId, width: number): Promise<Uint8Array>;
  /** The entries whose hashes the tile of level 0 has. Throws NOT_FOUND, and AUDIT_LOG_DAMAGED if one is gone. */
  entries(number: number, width: number): Promise<Uint8Array>;
  /** Throws NOT_FOUND; undefined: the newest checkpoint does not have the entry yet. */
  proveEntry(sequence: number): Promise<EntryProof | undefined>;
  /** That the tree of `from` entries is the beginning of the newest checkpoint's. Throws BAD_INPUT for one that is longer. */
  proveConsistency(from: number): Promise<ConsistencyProof>;
}

export interface EntryProof {
  readonly entry: LoggedEntry;
  /** Number of the entry in the log, from 0 on. */
  readonly index: number;
  /** C2SP tlog-proof, with the newest checkpoint. */
  readonly proof: string;
}

export interface ConsistencyProof {
  readonly from: number;
  readonly checkpoint: string;
  /** Hashes in base64 (RFC 6962 §2.1.2). */
  readonly proof: readonly string[];
}

interface Head {
  readonly checkpoint: string;
  readonly size: number;
}

export function publishedLog(db: Database, organizationId: string): PublishedLog {
  const head = async (): Promise<Head> => {
    const found = await findHead(db, organizationId);
    if (found !== undefined) return found;
    throw new HabeasError('CONFLICT', 'The audit log has no checkpoint yet. Try again in a moment.', {
      retryable: true,
    });
  };
  const roots = async (subtrees: readonly Subtree[]): Promise<readonly Uint8Array[]> => {
    const find = await readTiles(db, organizationId, tilesOf(subtrees));
    return subtrees.map((subtree) => rootOf(subtree, find));
  };
  const insistHas = async (id: TileId, width: number): Promise<void> => {
    const has = widthOf(id, (await head()).size);
    if (width <= has) return;
    const name = `${id.level}/${id.number}`;
    throw new HabeasError(
      'NOT_FOUND',
      `Tile ${name} has ${has} of ${TILE_WIDTH} hashes under the newest checkpoint, and not ${width}.`,
    );
  };
  return {
    checkpoint: async () => (await head()).checkpoint,
    async tile(id, width) {
      await insistHas(id, width);
      const hashes = (await readTiles(db, organizationId, [id]))(id);
      return insistLength(hashes, width * HASH_BYTES).subarray(0, width * HASH_BYTES);
    },
    async entries(number, width) {
      await insistHas({ level: 0, number }, width);
      const { rows } = await sql<{ readonly first: number; readonly last: number }>`
        select first_sequence as first, sequences[${width}] as last from audit_tiles
        where organization_id = ${organizationId} and level = 0 and number = ${number}`.execute(db);
      const [range] = rows;
      if (range === undefined) throw gone();
      const limit = width + 1;
      const found = await readLogged(db, { organizationId, after: range.first - 1, upTo: range.last, limit });
      if (found.length !== width) throw gone();
      return entryBundle(found.map(({ entry }) => entry));
    },
    async proveEntry(sequence) {
      // Side by side: none of them needs what another one finds.
      const [[stored], found, index] = await Promise.all([
        readLogged(db, { organizationId, after: sequence - 1, upTo: sequence, limit: 1 }),
        findHead(db, organizationId),
        findIndex(db, organizationId, sequence),
      ]);
      if (stored === undefined) throw new HabeasError('NOT_FOUND', `There is no audit entry ${sequence}.`);
      if (found === undefined || index === undefined || index >= found.size) return undefined;
      const hashes = await roots(inclusionSubtrees(index, found.size));
      return {
        entry: stored.entry,
        index,
        proof: proofText({ index, hashes, checkpoint: found.checkpoint }),
      };
    },
    async proveConsistency(from) {
      const { checkpoint, size } = await head();
      const hashes = await roots(consistencySubtrees(from, size));
      return { from, checkpoint, proof: hashes.map((hash) => Buffer.from(hash).toString('base64')) };
    },
  };
}

async function findHead(db: Database, organizationId: string): Promise<Head | undefined> {
  const row = await db
    .withTables<AuditTables>()
    .selectFrom('audit_logs')
    .select(['checkpoint', 'checkpoint_size'])
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (row === undefined || row.checkpoint === null || row.checkpoint_size === null) return undefined;
  return { checkpoint: row.checkpoint, size: row.checkpoint_size };
}

/** Number of the entry in the log; undefined: it is not in the tree yet. */
async function findIndex(
  db: Database,
  organizationId: string,
  sequence: number,
): Promise<number | undefined> {
  const { rows } = await sql<{ readonly number: number; readonly position: number | null }>`
    select number, array_position(sequences, ${sequence}::bigint) as position from audit_tiles
    where organization_id = ${organizationId} and level = 0 and first_sequence <= ${sequence}
    order by first_sequence desc limit 1`.execute(db);
  const [place] = rows;
  if (place === undefined || place.position === null) return undefined;
  return place.number * TILE_WIDTH + place.position - 1;
}

function insistLength(hashes: Uint8Array | undefined, bytes: number): Uint8Array {
  if (hashes === undefined || hashes.length < bytes) throw gone();
  return hashes;
}

function gone(): HabeasError {
  return new HabeasError('AUDIT_LOG_DAMAGED', 'A part of the audit log is gone. Run: habeas audit verify');
}
