import { type Database, HabeasError, type SecretKey } from '../../foundation/index.ts';
import { loadRequestKey, type RequestRef } from '../identity-vault.ts';
import { openPackageKey } from './build-package.ts';
import { type ByteRange, readOpened, readSealed } from './read-package.ts';
import type { PackageStorages } from './storage.ts';
import type { PackageTables } from './tables.ts';

/** As a zip, opened on the way; or as it lies, for an age tool and the key. */
export type PackageForm = 'zip' | 'age';

/** A package that may be read until it expires. */
export interface OpenedPackage {
  readonly id: string;
  readonly requestId: string;
  /** In the form that was asked for. */
  readonly bytes: number;
  /** Of the zip, in hexadecimal. */
  readonly sha256: string;
  readonly expiresAt: Date;
  /** `AGE-SECRET-KEY-1…`; for the person whose data it is. */
  readonly identity: string;
  /**
   * The bytes of a range. The first ones are fetched before it resolves, so that a storage that cannot be reached is told as an
   * error and not as a download that breaks. Throws STORAGE_UNREACHABLE.
   */
  read(range: ByteRange, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
}

export interface OpenPackageOptions {
  readonly db: Database;
  readonly storages: PackageStorages;
  readonly masterKey: SecretKey;
  readonly now: Date;
}

/** The package of a request, or undefined if it has none now. */
export async function openPackage(
  options: OpenPackageOptions,
  ref: RequestRef,
  form: PackageForm,
): Promise<OpenedPackage | undefined> {
  const { db } = options;
  const row = await db
    .withTables<PackageTables>()
    .selectFrom('packages')
    .select(['id', 'storage', 'sealed_key', 'header', 'bytes', 'sealed_bytes', 'sha256', 'expires_at'])
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where('state', '=', 'ready')
    .where('expires_at', '>', options.now)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const {
    bytes,
    sealed_bytes: sealedBytes,
    sealed_key: sealedKey,
    sha256,
    expires_at: expiresAt,
    header,
  } = row;
  if (bytes === null || sealedBytes === null || sealedKey === null || sha256 === null || expiresAt === null)
    return undefined;
  const storage = options.storages.all.find(({ kind }) => kind === row.storage);
  if (storage === undefined) {
    throw new HabeasError(
      'STORAGE_UNREACHABLE',
      `The package lies in the storage "${row.storage}", which is not configured any more. Configure it again until the package expires.`,
    );
  }
  const packageRef = { organizationId: ref.organizationId, packageId: row.id };
  const key = openPackageKey(await loadRequestKey(db, ref, options.masterKey), packageRef, sealedKey);
  return {
    id: row.id,
    requestId: ref.requestId,
    bytes: form === 'zip' ? bytes : sealedBytes,
    sha256,
    expiresAt,
    identity: key.identity,
    async read(range, signal) {
      const from = { db, storage, ref: packageRef, range, signal };
      const stream =
        form === 'age' ? readSealed(from) : readOpened({ ...from, key, header, totalBytes: bytes });
      return withFirst(stream, await stream.next());
    },
  };
}

async function* withFirst<Item>(
  rest: AsyncGenerator<Item, void>,
  first: IteratorResult<Item, void>,
): AsyncGenerator<Item, void> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}
