import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Database, open, type SecretKey, seal } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { RequestTables } from './tables.ts';

/** Bytes of one stored piece before compression: small enough to be held several times over, large enough to be few. */
export const PIECE_BYTES = 256 * 1024;

export interface BlobRef extends RequestRef {
  /** `keys/<task>`, `items/<task>/<attempt>`, `package/<task>/<attempt>`. */
  readonly blob: string;
}

/**
 * Personal data that Habeas holds for a while: found keys, collected rows, the package. Pieces are compressed and sealed
 * with the request's key and lie in PostgreSQL, so that every server of a cluster can read them and none outlives the key.
 */
export interface BlobStore {
  /** Appends one piece to a part; `position` counts from 0 and says where, so that a repeated write replaces itself. */
  put(
    ref: BlobRef,
    piece: { readonly part: string; readonly position: number; readonly bytes: Uint8Array },
  ): Promise<void>;
  /** The pieces of one part, in order, one at a time. */
  read(ref: BlobRef, part: string): AsyncIterable<Buffer>;
  parts(ref: BlobRef): Promise<readonly string[]>;
  remove(ref: BlobRef): Promise<void>;
}

export function createBlobStore(db: Database, key: SecretKey): BlobStore {
  const tables = db.withTables<RequestTables>();
  const context = (ref: BlobRef, part: string, position: number) =>
    `blob ${ref.organizationId}/${ref.requestId}/${ref.blob}/${part}/${position}`;
  return {
    async put(ref, piece) {
      const sealed = seal(key, zstdCompressSync(piece.bytes), context(ref, piece.part, piece.position));
      await tables
        .insertInto('request_blobs')
        .values({
          organization_id: ref.organizationId,
          request_id: ref.requestId,
          blob: ref.blob,
          part: piece.part,
          position: piece.position,
          sealed,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['organization_id', 'request_id', 'blob', 'part', 'position'])
            .doUpdateSet({ sealed }),
        )
        .execute();
    },
    async *read(ref, part) {
      for (let position = 0; ; position += 1) {
        const row = await tables
          .selectFrom('request_blobs')
          .select('sealed')
          .where('organization_id', '=', ref.organizationId)
          .where('request_id', '=', ref.requestId)
          .where('blob', '=', ref.blob)
          .where('part', '=', part)
          .where('position', '=', position)
          .executeTakeFirst();
        if (row === undefined) return;
        yield zstdDecompressSync(open(key, row.sealed, context(ref, part, position)));
      }
    },
    async parts(ref) {
      const rows = await tables
        .selectFrom('request_blobs')
        .select('part')
        .distinct()
        .where('organization_id', '=', ref.organizationId)
        .where('request_id', '=', ref.requestId)
        .where('blob', '=', ref.blob)
        .orderBy('part')
        .execute();
      return rows.map((row) => row.part);
    },
    async remove(ref) {
      await tables
        .deleteFrom('request_blobs')
        .where('organization_id', '=', ref.organizationId)
        .where('request_id', '=', ref.requestId)
        .where('blob', '=', ref.blob)
        .execute();
    },
  };
}
