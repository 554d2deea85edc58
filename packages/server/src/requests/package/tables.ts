/** Tables of packages. What says what is in one is sealed with the request's key. */
export type PackageTables = {
  packages: {
    organization_id: string;
    id: string;
    request_id: string;
    task_id: string;
    /** The attempt of the task that builds it; parts of an earlier one are not taken any more. */
    attempt: number;
    state: PackageState;
    storage: string;
    /** Sealed with the request's key; null from the moment from which nobody may open the package any more. */
    sealed_key: Uint8Array | null;
    /** What the file begins with. */
    header: Uint8Array;
    /** What the package was begun from; work goes on only from the same. */
    contents_digest: Uint8Array;
    built_at: Date;
    /** Of the zip. */
    bytes: number | null;
    sealed_bytes: number | null;
    /** Of the zip, in hexadecimal. */
    sha256: string | null;
    expires_at: Date | null;
    discarded_at: Date | null;
    /** When its parts were removed from the storage. */
    removed_at: Date | null;
  };
  package_parts: {
    organization_id: string;
    package_id: string;
    position: number;
    /** The first piece of the age stream in it. */
    first_chunk: number;
    /** Where it begins in the sealed file. */
    start: number;
    bytes: number;
    /** Of the sealed bytes: what is stored under a place is one thing only. */
    digest: Uint8Array;
    /** From where the work goes on behind this part; null when nothing goes on any more. */
    sealed_state: Uint8Array | null;
  };
};

export type PackageState = 'building' | 'ready' | 'discarded';
