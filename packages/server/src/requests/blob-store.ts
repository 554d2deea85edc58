import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Database, open, type SecretKey, seal } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { RequestTables } from './tables.ts';

/** Bytes of one stored piece before compression: small enough to be held several times over, large enough to be few. */
export const PIECE_BYTES = 256 * 1024;

/** PostgreSQL takes 65,535 parameters a statement; a piece has six. */
const PIECES_PER_STATEMENT = 1_000;

/** Pieces that one query fetches ahead: with small pieces a whole blob comes in one round trip, with full ones 2 MB. */
const PIECES_AHEAD = 8;

export interface BlobRef extends RequestRef {
  /** `keys/<task>/<attempt>`, `items/<task>/<attempt>`. */
  readonly blob: string;
}

export interface Piece {
  readonly part: string;
  /** Counts from 0 in each part and says where, so that a repeated write replaces itself. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * Personal data that Habeas holds while it works: found keys and collected rows. Pieces are compressed and sealed
 * with the request's key and lie in PostgreSQL, so that every server of a cluster can read them and none outlives the key.
 */
export interface BlobStore {
  put(ref: BlobRef, pieces: readonly Piece[]): Promise<void>;
  /** The pieces of one part, in order, from this one on; a few are held at a time. (Default: all) */
  read(ref: BlobRef, part: string, from?: number): AsyncIterable<Buffer>;
}

interface Stored {
  readonly part: string;
  readonly position: number;
  readonly sealed: Uint8Array;
}

export function createBlobStore(db: Database, key: SecretKey): BlobStore {
  const tables = db.withTables<RequestTables>();
  const context = (ref: BlobRef, part: string, position: number) =>
    `blob ${ref.organizationId}/${ref.requestId}/${ref.blob}/${part}/${position}`;
  let ahead: { readonly blob: string; pieces: readonly Stored[] } = { blob: '', pieces: [] };

  /** What lies at this place. Reads on across parts, because blobs are read in the order in which they are stored. */
  const fetch = async (ref: BlobRef, part: string, position: number): Promise<Stored | undefined> => {
    const at = (piece: Stored) => piece.part === part && piece.position === position;
    if (ahead.blob === ref.blob) {
      const known = ahead.pieces.find(at);
      if (known !== undefined || endsBefore(ahead.pieces, part, position)) return known;
    }
    const pieces = await tables
      .selectFrom('request_blobs')
      .select(['part', 'position', 'sealed'])
      .where('organization_id', '=', ref.organizationId)
      .where('request_id', '=', ref.requestId)
      .where('blob', '=', ref.blob)
      .where((where) => where(where.refTuple('part', 'position'), '>=', where.tuple(part, position)))
      .orderBy('part')
      .orderBy('position')
      .limit(PIECES_AHEAD)
      .execute();
    ahead = { blob: ref.blob, pieces };
    return pieces.find(at);
  };

  return {
    async put(ref, pieces) {
      for (let start = 0; start < pieces.length; start += PIECES_PER_STATEMENT) {
        await tables
          .insertInto('request_blobs')
          .values(
            pieces.slice(start, start + PIECES_PER_STATEMENT).map((piece) => ({
              organization_id: ref.organizationId,
              request_id: ref.requestId,
              blob: ref.blob,
              part: piece.part,
              position: piece.position,
              sealed: seal(key, zstdCompressSync(piece.bytes), context(ref, piece.part, piece.position)),
            })),
          )
          .onConflict((conflict) =>
            conflict
              .columns(['organization_id', 'request_id', 'blob', 'part', 'position'])
              .doUpdateSet((where) => ({ sealed: where.ref('excluded.sealed') })),
          )
          .execute();
      }
    },
    async *read(ref, part, from = 0) {
      for (let position = from; ; position += 1) {
        const stored = await fetch(ref, part, position);
        if (stored === undefined) return;
        yield zstdDecompressSync(open(key, stored.sealed, context(ref, part, position)));
      }
    },
  };
}

/** Whether the piece before this place is known and is the last one of its part, so that nothing needs to be asked. */
function endsBefore(pieces: readonly Stored[], part: string, position: number): boolean {
  const before = pieces.findIndex((piece) => piece.part === part && piece.position === position - 1);
  if (before === -1) return false;
  return before < pieces.length - 1 || pieces.length < PIECES_AHEAD;
}
