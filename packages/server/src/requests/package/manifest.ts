/** One collection of one system, as it goes into a package. */
export interface PackagedCollection {
  readonly system: string;
  readonly name: string;
  /** In the order in which they were first seen. */
  readonly columns: readonly string[];
  readonly rows: number;
  /** The rows; may be called again, each call reads from the start. */
  read(): AsyncIterable<Readonly<Record<string, unknown>>>;
}

export interface NotIncluded {
  readonly system: string;
  readonly reason: string;
}

export interface PackagedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ManifestInput {
  readonly organization: string;
  readonly requestId: string;
  readonly receivedAt: Date;
  readonly builtAt: Date;
  readonly collections: readonly PackagedCollection[];
  readonly notIncluded: readonly NotIncluded[];
}

/** `manifest.json`: what is in the package, how to check it, and what is not in it and why. */
export function renderManifest(input: ManifestInput, files: readonly PackagedFile[]): string {
  const manifest = {
    version: 1,
    organization: input.organization,
    request_id: input.requestId,
    received_at: input.receivedAt.toISOString(),
    built_at: input.builtAt.toISOString(),
    collections: input.collections.map(({ system, name, columns, rows }) => ({
      system,
      collection: name,
      columns,
      rows,
    })),
    files,
    not_included: input.notIncluded,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
