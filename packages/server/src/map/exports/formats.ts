import type { api } from '@habeas/contract';
import { csvOf } from './csv.ts';
import { dotOf } from './dot.ts';
import { dpvOf } from './dpv.ts';
import { fideslangOf } from './fideslang.ts';
import { mermaidOf } from './mermaid.ts';
import { openLineageOf } from './open-lineage.ts';
import { recordCsvOf } from './record-csv.ts';
import type { RecordFile } from './record-file.ts';
import { recordTable } from './record-table.ts';
import { recordXlsxOf } from './record-xlsx.ts';
import { svgOf } from './svg.ts';

export interface ExportInput {
  readonly document: api.MapExport;
  /** What `record.yaml` says, if there is one. */
  readonly record: RecordFile | undefined;
  readonly form: api.RecordForm;
}

export interface ExportFormat {
  readonly mediaType: string;
  /** Of the file's name. */
  readonly extension: string;
  /** Pieces of the file; the same input gives the same bytes. */
  readonly write: (input: ExportInput) => Iterable<string> | AsyncIterable<Buffer>;
}

const tableOf = ({ document, record, form }: ExportInput) => recordTable(document.map, record, form);

/** Every format that the map can be exported in. */
export const EXPORT_FORMATS: Readonly<Record<api.MapExportFormat, ExportFormat>> = {
  json: { mediaType: 'application/json', extension: 'json', write: ({ document }) => jsonOf(document) },
  csv: { mediaType: 'text/csv; charset=utf-8', extension: 'csv', write: ({ document }) => csvOf(document) },
  mermaid: {
    mediaType: 'text/vnd.mermaid; charset=utf-8',
    extension: 'mmd',
    write: ({ document }) => mermaidOf(document),
  },
  dot: {
    mediaType: 'text/vnd.graphviz; charset=utf-8',
    extension: 'dot',
    write: ({ document }) => dotOf(document),
  },
  svg: { mediaType: 'image/svg+xml', extension: 'svg', write: ({ document }) => svgOf(document) },
  fideslang: {
    mediaType: 'application/yaml; charset=utf-8',
    extension: 'systems.yml',
    write: ({ document, record }) => fideslangOf(document, record),
  },
  openlineage: {
    mediaType: 'application/x-ndjson',
    extension: 'openlineage.ndjson',
    write: ({ document }) => openLineageOf(document),
  },
  dpv: {
    mediaType: 'application/ld+json',
    extension: 'jsonld',
    write: ({ document, record }) => dpvOf(document, record),
  },
  'record-csv': {
    mediaType: 'text/csv; charset=utf-8',
    extension: 'record.csv',
    write: (input) => recordCsvOf(input.document.stamp, tableOf(input)),
  },
  'record-xlsx': {
    mediaType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    extension: 'record.xlsx',
    write: (input) => recordXlsxOf(input.document.stamp, tableOf(input)),
  },
};

/** A line for each entry, so that a change of the map is a small change of the file. */
function* jsonOf({ map, ...document }: api.MapExport): Iterable<string> {
  yield `{"kind":${JSON.stringify(document.kind)},"version":${document.version},\n"stamp":${JSON.stringify(document.stamp)},\n"map":{`;
  let isFirst = true;
  for (const [name, value] of Object.entries(map)) {
    yield `${isFirst ? '' : ','}\n${JSON.stringify(name)}:`;
    isFirst = false;
    if (Array.isArray(value) && value.length > 0) {
      for (const [index, entry] of value.entries())
        yield `${index === 0 ? '[' : ','}\n ${JSON.stringify(entry)}`;
      yield ']';
    } else yield JSON.stringify(value);
  }
  yield '}}\n';
}
