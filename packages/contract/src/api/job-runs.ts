import * as z from 'zod';
import { signedShape } from './signed.ts';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const codeSchema = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/);
const jobSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/)
  .describe('Name of the job: its file without `.sql`');

/** What a job did, as the one who ran it tells. */
export const recordJobRunSchema = z
  .strictObject({
    job: jobSchema,
    purpose: codeSchema,
    target: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)
      .describe('Key of the target that it ran in'),
    input_sha256: sha256Schema.describe('Of the SQL as it was written'),
    sql_sha256: sha256Schema.describe('Of the SQL as it ran'),
    output_sha256: sha256Schema
      .optional()
      .describe('Of the CSV that it gave; left out where it gives no rows'),
    written_sha256: sha256Schema
      .optional()
      .describe(
        'Of the rows that it wrote into tables, all columns as CSV in the order in which the database gave them; left out where it writes none, or its own `returning` says what it gives',
      ),
    rows: z.int().min(0).describe('Rows that it gave, or wrote'),
    watermark: z
      .strictObject({ snapshot: z.string().regex(/^\d+:\d+:[\d,]*$/), as_of: z.iso.datetime() })
      .describe('The state of consent that it ran on'),
    relations: z
      .array(
        z.strictObject({
          name: z.string().max(200),
          form: z.enum(['bitmap', 'exists', 'not-exists']),
        }),
      )
      .max(1_000)
      .describe('What was narrowed, and how'),
    started_at: z.iso.datetime(),
  })
  .meta({ id: 'RecordJobRun' });
export type RecordJobRun = z.output<typeof recordJobRunSchema>;

export const jobRunReceiptSchema = z
  .object({
    receipt: z
      .object({
        version: z.literal(1),
        organization: z.string(),
        job_run_id: z.string(),
        recorded_at: z.iso.datetime(),
        ...recordJobRunSchema.shape,
      })
      .describe('Canonical JSON (RFC 8785) of this object is what is signed'),
    ...signedShape,
  })
  .meta({ id: 'JobRunReceipt' });
export type JobRunReceipt = z.output<typeof jobRunReceiptSchema>;

export const jobListSchema = z
  .object({
    items: z.array(
      z
        .object({
          job: jobSchema,
          purpose: codeSchema.nullable().describe('null: its file does not say, and it is refused'),
          target: z.string().nullable().describe('null: its file does not say, and there are several'),
          runs: z.int().describe('0: it is there and never ran'),
          last_run_id: z.string().nullable(),
          last_run_at: z.iso.datetime().nullable(),
        })
        .meta({ id: 'Job' }),
    ),
  })
  .meta({ id: 'JobList' });
export type JobView = z.output<typeof jobListSchema>['items'][number];
