import type { ThriftStruct } from './thrift.ts';

/** What the metadata of a column has to say after its change. */
export interface ChangedChunk {
  readonly values: number;
  /** Of its pages with their headers, unpacked. */
  readonly bytes: number;
  readonly compressedBytes: number;
  /** Bytes of the dictionary page with its header; 0: it has none. */
  readonly dictionaryBytes: number;
  readonly statistics: ThriftStruct | undefined;
  /** No value that the column had is gone: a filter made of its values still fits. */
  readonly hasSameValues: boolean;
  /** A page that had no other rows, or none at all, is gone. */
  readonly hasFewerPages: boolean;
}
