import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Database, open, type SecretKey, seal } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { RequestTables } from './tables.ts';

/** Bytes of one stored piece before compression: small enough to be held several times over, large enough to be few. */
export const PIECE_BYTES = 256 * 1024;

/** PostgreSQL takes 65,535 parameters a statement; a piece has six. */
const PIECES_PER_STATEMENT = 1_000;

/** Pieces that one query fetches ahead: with small pieces a whole blob comes in one round trip, with full ones 4 MB at most. */
const PIECES_AHEAD = 16;

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

/** `plain`: the store compresses it. `packed`: it is compressed already, or not worth it. */
export type PieceForm = 'plain' | 'packed';

/**
 * Personal data that Habeas holds while it works: found keys and collected rows. Pieces are sealed
 * with the request's key and lie in PostgreSQL, so that every server of a cluster can read them and none outlives the key.
 */
export interface BlobStore {
  put(ref: BlobRef, pieces: readonly Piece[], form: PieceForm): Promise<void>;
  /** The pieces of one part, in order, as they were given; a few are held at a time. */
  read(
    ref: BlobRef,
    part: string,
    options: {
      readonly form: PieceForm;
      /** (Default: the first) */
      readonly from?: number;
    },
  ): AsyncIterable<Buffer>;
}

interface Stored {
  readonly part: string;
  readonly position: number;
  readonly sealed: Uint8Array;
}

/** What was read of a blob last, and what comes behind it, on its way. */
interface Ahead {
  readonly blob: string;
  readonly pieces: readonly Stored[];
  readonly next: Promise<readonly Stored[]> | undefined;
}

export function createBlobStore(db: Database, key: SecretKey): BlobStore {
  const tables = db.withTables<RequestTables>();
  const context = (ref: BlobRef, part: string, position: number) =>
    `blob ${ref.organizationId}/${ref.requestId}/${ref.blob}/${part}/${position}`;
  let ahead: Ahead = { blob: '', pieces: [], next: undefined };

  /** What lies at this place. Reads on across parts, because blobs are read in the order in which they are stored. */
  const fetch = async (ref: BlobRef, part: string, position: number): Promise<Stored | undefined> => {
    const at = (piece: Stored) => piece.part === part && piece.position === position;
    const known = () =>
      ahead.blob === ref.blob && (ahead.pieces.some(at) || endsBefore(ahead.pieces, part, position));
    if (
      !known() &&
      ahead.blob === ref.blob &&
      goesOn(ahead.pieces, part, position) &&
      ahead.next !== undefined
    )
      lookAt(ref, await ahead.next);
    if (!known()) lookAt(ref, await query(ref, part, position));
    return ahead.pieces.find(at);
  };

  const lookAt = (ref: BlobRef, pieces: readonly Stored[]): void => {
    const last = pieces.at(-1);
    const next =
      last === undefined || pieces.length < PIECES_AHEAD
        ? undefined
        : query(ref, last.part, last.position + 1);
    // Its failure is thrown if it is waited for; nobody may.
    next?.catch(() => undefined);
    ahead = { blob: ref.blob, pieces, next };
  };

  const query = (ref: BlobRef, part: string, position: number): Promise<readonly Stored[]> =>
    tables
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

  return {
    async put(ref, pieces, form) {
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
              sealed: seal(
                key,
                form === 'plain' ? zstdCompressSync(piece.bytes) : piece.bytes,
                context(ref, piece.part, piece.position),
              ),
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
    async *read(ref, part, { form, from = 0 }) {
      for (let position = from; ; position += 1) {
        const stored = await fetch(ref, part, position);
        if (stored === undefined) return;
        const opened = open(key, stored.sealed, context(ref, part, position));
        yield form === 'plain' ? zstdDecompressSync(opened) : opened;
      }
    },
  };
}

/** Whether what comes behind these pieces may begin with this one: it follows the last one, or begins another part. */
function goesOn(pieces: readonly Stored[], part: string, position: number): boolean {
  const last = pieces.at(-1);
  return last !== undefined && (part === last.part ? position === last.position + 1 : position === 0);
}

/** Whether the piece before this place is known and is the last one of its part, so that nothing needs to be asked. */
function endsBefore(pieces: readonly Stored[], part: string, position: number): boolean {
  const before = pieces.findIndex((piece) => piece.part === part && piece.position === position - 1);
  if (before === -1) return false;
  return before < pieces.length - 1 || pieces.length < PIECES_AHEAD;
}
