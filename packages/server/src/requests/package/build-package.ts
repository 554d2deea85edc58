import { sql } from 'kysely';
import {
  type Clock,
  type Database,
  HabeasError,
  newId,
  open,
  type SecretKey,
  seal,
} from '../../foundation/index.ts';
import { ageStream, CHUNK_BYTES, newAgeFile, type PackageKey } from './age-stream.ts';
import type { ArchiveFile } from './archive-file.ts';
import type { PackageRef, PackageStorage, PackageStorages } from './storage.ts';
import { type PartState, type Stored, stateContext, storePart, takenOver } from './store-part.ts';
import type { PackageTables } from './tables.ts';
import { type WrittenFile, writeZip, type ZipStep } from './write-zip.ts';

export interface BuildPackageOptions {
  readonly db: Database;
  readonly storages: PackageStorages;
  readonly clock: Clock;
  /** The request's key. */
  readonly key: SecretKey;
  readonly organizationId: string;
  readonly requestId: string;
  /** Whose work it is; an attempt that was taken over stores nothing more. */
  readonly task: { readonly id: string; readonly attempt: number };
  /** Tells whether what the package is made of is what it was begun from. */
  readonly contentsDigest: Buffer;
  /** The files; `builtAt` is when the package was begun. */
  readonly files: (builtAt: Date) => readonly ArchiveFile[];
  readonly signal: AbortSignal;
  /** Called whenever a part was stored. */
  readonly onPart?: () => void;
}

export interface BuiltPackage extends PackageRef {
  /** Of the zip. */
  readonly bytes: number;
  readonly sealedBytes: number;
  readonly sha256: string;
  readonly parts: number;
}

/**
 * Builds the package of a task and stores it part by part. An attempt that ended in the middle is gone on with behind the last
 * part that it stored, by any server. What is stored under one place is always the same: a part is written down by its digest
 * before it is stored, and work that would now give other bytes begins again under another key, because the same nonces must
 * not seal two things.
 */
export async function buildPackage(options: BuildPackageOptions): Promise<BuiltPackage> {
  for (;;) {
    const build = await beginOrGoOn(options);
    const built = build === undefined ? undefined : await write(options, build);
    if (built !== undefined) return built;
  }
}

interface Build {
  readonly ref: PackageRef;
  readonly storage: PackageStorage;
  readonly key: PackageKey;
  readonly header: Buffer;
  readonly builtAt: Date;
  /** What is known of an earlier attempt. */
  readonly parts: readonly PartRow[];
}

interface PartRow {
  readonly position: number;
  readonly first_chunk: number;
  readonly start: number;
  readonly bytes: number;
  readonly digest: Uint8Array;
  readonly sealed_state: Uint8Array | null;
}

/** Undefined if what an earlier attempt left was of no use and is discarded. */
async function beginOrGoOn(options: BuildPackageOptions): Promise<Build | undefined> {
  const { db, clock, organizationId, requestId, task, storages } = options;
  const fresh = await newAgeFile();
  const id = newId('pkg', clock.now());
  const { rows } = await sql<{
    readonly id: string;
    readonly storage: string;
    readonly sealed_key: Uint8Array;
    readonly header: Buffer;
    readonly contents_digest: Buffer;
    readonly built_at: Date;
    readonly attempt: number;
  }>`
    insert into packages as p (organization_id, id, request_id, task_id, attempt, state, storage, sealed_key, header, contents_digest, built_at)
    values (${organizationId}, ${id}, ${requestId}, ${task.id}, ${task.attempt}, 'building', ${storages.current.kind},
      ${seal(options.key, Buffer.from(JSON.stringify(fresh.key)), keyContext({ organizationId, packageId: id }))},
      ${fresh.header}, ${options.contentsDigest}, ${clock.now()})
    on conflict (organization_id, task_id) where state = 'building'
    do update set attempt = greatest(p.attempt, excluded.attempt)
    returning p.id, p.storage, p.sealed_key, p.header, p.contents_digest, p.built_at, p.attempt`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new HabeasError('INTERNAL', 'A package could not be begun.');
  if (row.attempt !== task.attempt) throw takenOver();
  const ref = { organizationId, packageId: row.id };
  if (row.id === id) {
    return { ref, storage: storages.current, ...fresh, builtAt: row.built_at, parts: [] };
  }
  const storage = storages.all.find(({ kind }) => kind === row.storage);
  if (storage === undefined || !options.contentsDigest.equals(row.contents_digest)) {
    await beginAgain(db, ref, clock.now());
    return undefined;
  }
  const parts = await db
    .withTables<PackageTables>()
    .selectFrom('package_parts')
    .select(['position', 'first_chunk', 'start', 'bytes', 'digest', 'sealed_state'])
    .where('organization_id', '=', organizationId)
    .where('package_id', '=', row.id)
    .orderBy('position')
    .execute();
  const key = openPackageKey(options.key, ref, row.sealed_key);
  return { ref, storage, key, header: row.header, builtAt: row.built_at, parts };
}

/** Undefined if the work gives other bytes than an earlier attempt wrote down; then all of it was discarded. */
async function write(options: BuildPackageOptions, build: Build): Promise<BuiltPackage | undefined> {
  const { signal } = options;
  // The last part that was written down may not have been stored: it is made and stored once more.
  const kept = build.parts.slice(0, -1);
  const from = resumed(options, build, kept);
  if (from === 'of no use') {
    await beginAgain(options.db, build.ref, options.clock.now());
    return undefined;
  }
  const age = ageStream(build.key, build.header);
  const last = kept.at(-1);
  let position = kept.length;
  let start = last === undefined ? 0 : last.start + last.bytes;
  let chunk = from?.chunk ?? 0;
  let firstChunk = chunk;
  let tail: Buffer = Buffer.from(from?.tail ?? '', 'base64');
  let sealed: Buffer[] = position === 0 ? [build.header] : [];
  let sealedBytes = position === 0 ? build.header.length : 0;
  let finished = from?.written.length ?? 0;

  const sealFull = (): void => {
    let at = 0;
    for (; tail.length - at > CHUNK_BYTES; at += CHUNK_BYTES) {
      const piece = age.seal(tail.subarray(at, at + CHUNK_BYTES), chunk, false);
      sealed.push(piece);
      sealedBytes += piece.length;
      chunk += 1;
    }
    tail = Buffer.from(tail.subarray(at));
  };
  // One part is stored while the next one is made, and never more than one.
  let storing: Promise<Stored> = Promise.resolve('stored');
  const store = async (step: ZipStep): Promise<Stored> => {
    const bytes = Buffer.concat(sealed);
    sealed = [];
    sealedBytes = 0;
    const state: PartState | null =
      step.sha256 === undefined
        ? { zip: step.cursor(), finished: step.written.slice(finished), tail: tail.toString('base64'), chunk }
        : null;
    const part = { position, firstChunk, start, bytes, state };
    finished = step.written.length;
    firstChunk = chunk;
    start += bytes.length;
    position += 1;
    if ((await storing) === 'other bytes') return 'other bytes';
    storing = storePart(options, build, part);
    // Its failure is thrown when it is waited for; until then it must not count as unhandled.
    storing.catch(() => undefined);
    return 'stored';
  };

  const steps = writeZip({
    files: options.files(build.builtAt),
    time: build.builtAt,
    signal,
    from: from === undefined ? undefined : { cursor: from.zip, written: from.written },
  });
  try {
    for await (const step of steps) {
      tail = Buffer.concat([tail, step.bytes]);
      sealFull();
      if (step.sha256 === undefined) {
        if (sealedBytes < build.storage.partBytes) continue;
        if ((await store(step)) === 'stored') continue;
      } else {
        sealed.push(age.seal(tail, chunk, true));
        if ((await store(step)) === 'stored' && (await storing) === 'stored') {
          const bytes = chunk * CHUNK_BYTES + tail.length;
          return { ...build.ref, bytes, sealedBytes: start, sha256: step.sha256, parts: position };
        }
      }
      await beginAgain(options.db, build.ref, options.clock.now());
      return undefined;
    }
  } finally {
    // What failed was thrown, or something else is; nothing may still be stored when the task is over.
    await storing.catch(() => undefined);
  }
  throw new HabeasError('INTERNAL', 'A package ended without its end.');
}

interface Resumed extends PartState {
  readonly written: readonly WrittenFile[];
}

/** What the parts say of how far the work is; undefined for the beginning. */
function resumed(
  options: BuildPackageOptions,
  build: Build,
  kept: readonly PartRow[],
): Resumed | 'of no use' | undefined {
  const written: WrittenFile[] = [];
  let state: PartState | undefined;
  for (const part of kept) {
    // The state of the end was forgotten; nothing goes on behind it.
    if (part.sealed_state === null) return 'of no use';
    const opened = open(options.key, part.sealed_state, stateContext(build.ref, part.position)).toString();
    state = JSON.parse(opened) as PartState;
    written.push(...state.finished);
  }
  return state === undefined ? undefined : { ...state, written };
}

/** What was stored so far is removed soon, and its key is gone at once. */
async function beginAgain(db: Database, ref: PackageRef, now: Date): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const tables = transaction.withTables<PackageTables>();
    await tables
      .updateTable('packages')
      .set({ state: 'discarded', sealed_key: null, discarded_at: now })
      .where('organization_id', '=', ref.organizationId)
      .where('id', '=', ref.packageId)
      .where('state', '=', 'building')
      .execute();
    await tables
      .deleteFrom('package_parts')
      .where('organization_id', '=', ref.organizationId)
      .where('package_id', '=', ref.packageId)
      .execute();
  });
}

/** Opens the key of a package with the request's key. */
export function openPackageKey(key: SecretKey, ref: PackageRef, sealed: Uint8Array): PackageKey {
  return JSON.parse(open(key, sealed, keyContext(ref)).toString());
}

function keyContext(ref: PackageRef): string {
  return `package key ${ref.organizationId}/${ref.packageId}`;
}
