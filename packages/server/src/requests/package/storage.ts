/** Where a package lies. */
export interface PackageRef {
  readonly organizationId: string;
  readonly packageId: string;
}

/** A package that something lies of, whether anybody knows it or not. */
export interface StoredPackage {
  readonly packageId: string;
  /** When something was last added to it. */
  readonly modifiedAt: Date;
}

export const STORAGE_KINDS = ['postgres', 'disk', 's3'] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/**
 * Keeps the parts of sealed packages: it never sees a key or a name. Every call may be repeated. Throws STORAGE_UNREACHABLE
 * (retryable) where the storage cannot be used now.
 */
export interface PackageStorage {
  readonly kind: StorageKind;
  /** Bytes from which on a part is stored; it may be larger by a few hundred kilobytes. */
  readonly partBytes: number;
  /** Resolves when the part would survive a crash. */
  put(ref: PackageRef, position: number, bytes: Buffer, signal: AbortSignal): Promise<void>;
  /** Throws SYSTEM_GARBAGE if the part is not there any more. */
  get(ref: PackageRef, position: number, signal: AbortSignal): Promise<Buffer>;
  /** Removes every part, also of a package that nobody knows. */
  remove(ref: PackageRef, signal: AbortSignal): Promise<void>;
  /** All packages of an organization that something lies of. */
  list(organizationId: string, signal: AbortSignal): AsyncIterable<StoredPackage>;
  close(): void;
}

/** The storage that new packages go to, and those in which older ones may still lie. */
export interface PackageStorages {
  readonly current: PackageStorage;
  readonly all: readonly PackageStorage[];
}

/** Table of the parts that lie in PostgreSQL. */
export type PackagePartTables = {
  package_bytes: {
    organization_id: string;
    package_id: string;
    position: number;
    bytes: Uint8Array;
    stored_at: Date;
  };
};
