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

/** The content of a file in pieces that stand in a zip as they are, and what is known of all of it. */
export interface FileContent {
  /** Of the text, in bytes. */
  readonly size: number;
  readonly pieces: number;
  /** CRC-32 and SHA-256 (in hexadecimal) of the text. */
  readonly crc: number;
  readonly sha256: string;
  /** Whether the pieces are deflated, without an end. */
  readonly deflated: boolean;
  /** The pieces from this one on; the same ones whenever it is called. */
  read(from: number): AsyncIterable<Buffer>;
}

/** A file that need only be put into the archive. */
export interface ReadyFile {
  readonly path: string;
  readonly content: FileContent;
}

/** A file of an archive. */
export type ArchiveFile = ReadyFile | TextFile;

/** A file whose text can be asked for from any block on. */
export interface TextFile {
  readonly path: string;
  readonly compress: boolean;
  /** No more than this, if that is known. Files that may pass 4 GiB are written in the wide form of zip64. */
  readonly atMostBytes?: number | undefined;
  /** The blocks from this one on, the last one included; `before` are the files that stand before it. */
  blocks(from: number, before: readonly PackagedFile[]): AsyncIterable<Block>;
}
