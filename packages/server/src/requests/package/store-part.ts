import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type Database, HabeasError, type SecretKey, seal } from '../../foundation/index.ts';
import type { PackageRef, PackageStorage } from './storage.ts';
import type { WrittenFile, ZipCursor } from './write-zip.ts';

/** From where the work goes on behind a part. */
export interface PartState {
  readonly zip: ZipCursor;
  /** Files that were finished in the part. */
  readonly finished: readonly WrittenFile[];
  /** What is not sealed yet, because a piece is sealed when it is full; base64. */
  readonly tail: string;
  readonly chunk: number;
}

export type Stored = 'stored' | 'other bytes';

/** A part as it is stored, and from where the work goes on behind it. */
export interface SealedPart {
  readonly position: number;
  readonly firstChunk: number;
  readonly start: number;
  readonly bytes: Buffer;
  readonly state: PartState | null;
}

interface StorePartOptions {
  readonly db: Database;
  /** The request's key. */
  readonly key: SecretKey;
  /** Whose work it is; an attempt that was taken over stores nothing more. */
  readonly task: { readonly attempt: number };
  readonly signal: AbortSignal;
  readonly onPart?: () => void;
}

/** Writes a part down by its digest, and then stores it. Throws CONFLICT where another attempt builds the package now. */
export async function storePart(
  options: StorePartOptions,
  { ref, storage }: { readonly ref: PackageRef; readonly storage: PackageStorage },
  part: SealedPart,
): Promise<Stored> {
  if ((await writeDown(options, ref, part)) === 'other bytes') return 'other bytes';
  await storage.put(ref, part.position, part.bytes, options.signal);
  options.onPart?.();
  return 'stored';
}

/** Writes down what will be stored under a place, before it is. */
async function writeDown(
  options: StorePartOptions,
  ref: PackageRef,
  part: SealedPart,
): Promise<'written down' | 'other bytes'> {
  const digest = createHash('sha256').update(part.bytes).digest();
  const sealedState =
    part.state === null
      ? null
      : seal(options.key, Buffer.from(JSON.stringify(part.state)), stateContext(ref, part.position));
  const { rows } = await sql<{ readonly digest: Buffer | null; readonly building: boolean }>`
    with building as (
      select from packages
      where organization_id = ${ref.organizationId} and id = ${ref.packageId} and state = 'building' and attempt = ${options.task.attempt}
      for share
    ), added as (
      insert into package_parts (organization_id, package_id, position, first_chunk, start, bytes, digest, sealed_state)
      select ${ref.organizationId}, ${ref.packageId}, ${part.position}::integer, ${part.firstChunk}::bigint, ${part.start}::bigint,
        ${part.bytes.length}::integer, ${digest}::bytea, ${sealedState}::bytea
      from building
      on conflict (organization_id, package_id, position) do nothing
      returning digest
    )
    select exists (select from building) as building,
      coalesce((select digest from added),
        (select digest from package_parts
         where organization_id = ${ref.organizationId} and package_id = ${ref.packageId} and position = ${part.position})) as digest`.execute(
    options.db,
  );
  const [row] = rows;
  if (row?.building !== true) throw takenOver();
  return row.digest?.equals(digest) === true ? 'written down' : 'other bytes';
}

export function takenOver(): HabeasError {
  return new HabeasError('CONFLICT', 'Another attempt builds this package now, or its request has ended.', {
    retryable: true,
  });
}

export function stateContext(ref: PackageRef, position: number): string {
  return `package state ${ref.organizationId}/${ref.packageId}/${position}`;
}
