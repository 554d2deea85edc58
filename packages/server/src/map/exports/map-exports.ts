import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { api } from '@habeas/contract';
import type { Clock } from '../../foundation/index.ts';
import type { DataMap } from '../data-map.ts';
import { EXPORT_FORMATS, type ExportInput } from './formats.ts';
import { mapDocument } from './map-document.ts';
import type { RecordFile } from './record-file.ts';
import { type RecordedJob, withJobs } from './record-jobs.ts';

/** The map in formats that others read. */
export interface MapExports {
  /** Throws RECORD_INVALID if the format needs the record and its file cannot be used. */
  open(options: OpenExportOptions): Promise<OpenExport>;
}

export interface OpenExportOptions {
  readonly format: api.MapExportFormat;
  readonly form: api.RecordForm;
  /** Which part of the map, and as of when. */
  readonly query: NonNullable<Parameters<DataMap['map']>[0]>;
}

export interface OpenExport {
  readonly mediaType: string;
  /** Such as `data-map.svg`. */
  readonly fileName: string;
  readonly bytes: number;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly sha256: string;
  readonly stream: AsyncIterable<Buffer>;
}

export interface CreateMapExportsOptions {
  readonly map: Pick<DataMap, 'map'>;
  readonly clock: Clock;
  readonly organizationId: string;
  /** Name and version. */
  readonly product: string;
  /** What the record's file says now. */
  readonly record: () => RecordFile | undefined;
  /** Jobs that ran for a purpose, and those that are there and never ran. */
  readonly jobs: () => Promise<readonly RecordedJob[]>;
}

export function createMapExports(options: CreateMapExportsOptions): MapExports {
  const { map, clock, organizationId, product } = options;
  return {
    async open({ format, form, query }) {
      const document = mapDocument({
        map: await map.map(query),
        organization: organizationId,
        product,
        now: clock.now(),
      });
      const { mediaType, extension, write } = EXPORT_FORMATS[format];
      const input: ExportInput = { document, record: withJobs(options.record(), await options.jobs()), form };
      // Written twice, so that length and digest are known before the first byte goes out and no export is held in memory.
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of pieces(write(input))) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      return {
        mediaType,
        fileName: `data-map.${extension}`,
        bytes,
        sha256: hash.digest('hex'),
        stream: pieces(write(input)),
      };
    },
  };
}

/** Pieces of text joined to a size that a socket likes. After each one, others of this process have a turn. */
async function* pieces(parts: Iterable<string> | AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let text = '';
  for await (const part of parts) {
    if (typeof part !== 'string') {
      yield part;
      continue;
    }
    text += part;
    if (text.length < 65_536) continue;
    yield Buffer.from(text);
    text = '';
    await setImmediate();
  }
  if (text !== '') yield Buffer.from(text);
}
