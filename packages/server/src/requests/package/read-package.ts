import { type Database, HabeasError } from '../../foundation/index.ts';
import { ageStream, CHUNK_BYTES, type PackageKey, SEALED_CHUNK_BYTES } from './age-stream.ts';
import type { PackageRef, PackageStorage } from './storage.ts';
import type { PackageTables } from './tables.ts';

/** Bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ReadPackageOptions {
  readonly db: Database;
  readonly storage: PackageStorage;
  readonly ref: PackageRef;
  readonly range: ByteRange;
  readonly signal: AbortSignal;
}

/** Bytes of the sealed file: any age tool opens it. One part is held at a time. */
export async function* readSealed(options: ReadPackageOptions): AsyncGenerator<Buffer, void> {
  const { range } = options;
  for await (const { part, bytes } of partsFrom(options, { column: 'start', at: range.start })) {
    const from = Math.max(range.start - part.start, 0);
    const to = Math.min(range.end - part.start, bytes.length);
    if (to > from) yield bytes.subarray(from, to);
    if (part.start + part.bytes >= range.end) return;
  }
}

/** Bytes of the zip, opened piece by piece as they are asked for. */
export async function* readOpened(
  options: ReadPackageOptions & {
    readonly key: PackageKey;
    readonly header: Uint8Array;
    /** Of the whole zip. */
    readonly totalBytes: number;
  },
): AsyncGenerator<Buffer, void> {
  const { range, header, totalBytes } = options;
  const age = ageStream(options.key, header);
  const last = Math.ceil(totalBytes / CHUNK_BYTES) - 1;
  const end = Math.ceil(range.end / CHUNK_BYTES);
  const first = Math.floor(range.start / CHUNK_BYTES);
  for await (const { part, bytes } of partsFrom(options, { column: 'first_chunk', at: first })) {
    let at = part.position === 0 ? header.length : 0;
    for (let chunk = part.first_chunk; at < bytes.length; chunk += 1, at += SEALED_CHUNK_BYTES) {
      if (chunk < first) continue;
      if (chunk >= end) return;
      const opened = age.open(bytes.subarray(at, at + SEALED_CHUNK_BYTES), chunk, chunk === last);
      const begins = chunk * CHUNK_BYTES;
      yield opened.subarray(Math.max(range.start - begins, 0), range.end - begins);
    }
  }
}

interface Part {
  readonly position: number;
  readonly first_chunk: number;
  readonly start: number;
  readonly bytes: number;
}

const PARTS_AHEAD = 256;

/** The parts from the one on that holds this place. */
async function* partsFrom(
  options: ReadPackageOptions,
  place: { readonly column: 'start' | 'first_chunk'; readonly at: number },
): AsyncGenerator<{ readonly part: Part; readonly bytes: Buffer }, void> {
  const { db, storage, ref, signal } = options;
  const select = () =>
    db
      .withTables<PackageTables>()
      .selectFrom('package_parts')
      .select(['position', 'first_chunk', 'start', 'bytes'])
      .where('organization_id', '=', ref.organizationId)
      .where('package_id', '=', ref.packageId);
  const holding =
    place.at === 0
      ? undefined
      : await select()
          .where(place.column, '<=', place.at)
          .orderBy('position', 'desc')
          .limit(1)
          .executeTakeFirst();
  let next = holding?.position ?? 0;
  for (;;) {
    const parts = await select()
      .where('position', '>=', next)
      .orderBy('position')
      .limit(PARTS_AHEAD)
      .execute();
    for (const part of parts) {
      signal.throwIfAborted();
      const bytes = await storage.get(ref, part.position, signal);
      if (bytes.length !== part.bytes)
        throw new HabeasError('SYSTEM_GARBAGE', 'A part of a package is not as it was stored.');
      yield { part, bytes };
    }
    if (parts.length < PARTS_AHEAD) return;
    next += parts.length;
  }
}
