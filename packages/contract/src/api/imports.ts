import * as z from 'zod';
import { rightSchema } from './common.ts';

export const MAX_IMPORT_ROWS = 2_000;
export const MAX_IMPORT_BYTES = 1_048_576;

export const importQuerySchema = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/, 'letters, digits, spaces, dots, _ and -')
    .describe('Names the list: a row of a list of this name makes one request, however often it is sent'),
  right: rightSchema.describe('Of rows without a column `right`').optional(),
  dry_run: z
    .enum(['true', 'false'])
    .default('false')
    .describe('true: only look at the rows; no request is made'),
  delimiter: z
    .enum([',', ';', 'tab'])
    .describe('(Default: the one of these that the first line has most of)')
    .optional(),
  ignore: z.string().max(2_000).describe('Columns to leave out, with commas between them').optional(),
  first_line: z.coerce
    .number()
    .int()
    .min(2)
    .max(1_000_000_000)
    .default(2)
    .describe(
      'Line of the list in which the first row after the header stands, for a list that is sent in pieces',
    ),
});

export const importedRowSchema = z
  .object({
    line: z.int().describe('Where the row begins'),
    id: z.string().nullable().describe('Of the request; null where none was made'),
    outcome: z
      .enum(['made', 'existed', 'checked', 'refused'])
      .describe('existed: this row made its request before; checked: of a dry run, it could be made'),
    code: z.string().nullable(),
    message: z.string().nullable().describe('What is wrong with the row, without anything of it'),
  })
  .meta({ id: 'ImportedRow' });

export const importResultSchema = z
  .object({
    rows: z.array(importedRowSchema),
    unread_from: z
      .int()
      .nullable()
      .describe(
        'From this line on nothing was read, because where rows begin is not sure any more; null: all was read',
      ),
  })
  .meta({ id: 'ImportResult' });

export type ImportedRow = z.output<typeof importedRowSchema>;
export type ImportResult = z.output<typeof importResultSchema>;
export type ImportQuery = z.output<typeof importQuerySchema>;
