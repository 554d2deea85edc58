import * as z from 'zod';
import { timeSchema } from './common.ts';
import { mapSchema } from './map.ts';
import { mapFilterSchema } from './map-filter.ts';

export const MAP_EXPORT_FORMATS = [
  'json',
  'csv',
  'mermaid',
  'dot',
  'svg',
  'fideslang',
  'openlineage',
  'dpv',
  'record-csv',
  'record-xlsx',
] as const;

export const mapExportFormatSchema = z.enum(MAP_EXPORT_FORMATS).meta({ id: 'MapExportFormat' });

export const recordFormSchema = z
  .enum(['controller', 'processor'])
  .describe('GDPR Article 30(1) or Article 30(2)')
  .meta({ id: 'RecordForm' });

export const mapExportQuerySchema = mapFilterSchema.extend({
  format: mapExportFormatSchema.default('json'),
  form: recordFormSchema.default('controller').describe('Which record of processing; for `record-*` only'),
});

/** Says of an export what it is: every format carries all of it. */
export const exportStampSchema = z
  .strictObject({
    organization: z.string(),
    generated_at: timeSchema,
    as_of: timeSchema.describe('The moment of the map that it shows'),
    filter: z.record(z.string(), z.string()).describe('What the map was asked for; empty: all of it'),
    counts: mapSchema.shape.counts,
    product: z.string().describe('Name and version'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('Of the JSON form without this line, in the canonical form of RFC 8785'),
  })
  .meta({ id: 'ExportStamp' });

/** The map as one JSON document; nothing of the map is left out. */
export const mapExportSchema = z
  .strictObject({
    kind: z.literal('habeas.map'),
    version: z.literal(1),
    stamp: exportStampSchema,
    map: mapSchema,
  })
  .meta({ id: 'MapExport' });

export type MapExportFormat = z.output<typeof mapExportFormatSchema>;
export type RecordForm = z.output<typeof recordFormSchema>;
export type ExportStamp = z.output<typeof exportStampSchema>;
export type MapExport = z.output<typeof mapExportSchema>;
