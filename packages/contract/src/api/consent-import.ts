import * as z from 'zod';

export const MAX_CONSENT_IMPORT_ROWS = 10_000;
export const MAX_CONSENT_IMPORT_BYTES = 8 * 1_048_576;

export const consentImportQuerySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dots, _ and -')
    .describe(
      'Names the list: a row without an `event_id` is `<name>:<line>`, so that it is stored once however often it is sent',
    ),
  dry_run: z.enum(['true', 'false']).default('false').describe('true: only look at the rows'),
  first_line: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .describe(
      'Line of the list in which the first row stands, for a list that is sent in pieces (Default: 2 for CSV, because of the header, and 1 for JSON lines)',
    ),
});
export type ConsentImportQuery = z.output<typeof consentImportQuerySchema>;

export const consentImportResultSchema = z
  .object({
    rows: z.int().describe('All that were read'),
    stored: z.int(),
    repeated: z.int().describe('Were here before, and say the same'),
    checked: z.int().describe('Of a dry run: could be stored'),
    refused: z
      .array(
        z.object({
          line: z.int(),
          code: z.string().describe('`malformed-row`, or a code of `recordConsent`'),
          reason: z.string().describe('What is wrong with the row, without anything of it'),
        }),
      )
      .describe('Rows that were not stored; all others were'),
  })
  .meta({ id: 'ConsentImportResult' });
export type ConsentImportResult = z.output<typeof consentImportResultSchema>;
