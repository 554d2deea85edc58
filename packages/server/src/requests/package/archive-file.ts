/** A stretch of a file's text. Its boundaries are the same whenever the file is written. */
export interface Block {
  readonly text: string;
  /** Whether the file ends with it. */
  readonly last: boolean;
}

/** A file that is already in the archive. */
export interface PackagedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A file of an archive, whose text can be asked for from any block on. */
export interface ArchiveFile {
  readonly path: string;
  readonly compress: boolean;
  /** No more than this, if that is known. Files that may pass 4 GiB are written in the wide form of zip64. */
  readonly atMostBytes?: number | undefined;
  /** The blocks from this one on, the last one included; `before` are the files that stand before it. */
  blocks(from: number, before: readonly PackagedFile[]): AsyncIterable<Block>;
}
