import * as z from 'zod';

export const retainedSchema = z
  .object({
    collection: z.string(),
    count: z.int(),
    reason: z.string(),
    until: z.string().nullable(),
    justification: z
      .string()
      .optional()
      .describe('The reason as an IRI of the W3C Data Privacy Vocabulary, where the policy gives one'),
  })
  .meta({ id: 'Retained' });

export const residualSchema = z
  .object({
    what: z.string(),
    until: z.string().nullable(),
    copy: z
      .string()
      .optional()
      .describe('Which of the copies it is that stores of this kind keep by themselves: `write-ahead-log`'),
  })
  .meta({ id: 'Residual' });

export const effectsSchema = z
  .record(
    z.string(),
    z.object({
      found: z.int(),
      erased: z.int(),
      masked: z.int(),
      hidden: z
        .int()
        .optional()
        .describe('Only marked as deleted (soft-deleted): they are there (Default: 0)'),
      kept: z.int(),
      level: z
        .enum(['hidden', 'logical', 'purged', 'key-destroyed'])
        .describe('How far gone it is: not shown, not given by the store, not in its files, or unreadable'),
    }),
  )
  .describe('Of an erasure, where the connector tells: what became of what was found, by collection');

export const evidenceSchema = z
  .object({
    matched: z.boolean(),
    counts: z.record(z.string(), z.int()),
    retained: z.array(retainedSchema),
    residuals: z.array(residualSchema),
    notes: z.array(z.string()),
    effects: effectsSchema.optional(),
    replaced: z
      .array(
        z.object({
          collection: z.string(),
          field: z.string(),
          count: z.int(),
          old: z
            .array(z.string())
            .describe(
              'HMAC-SHA-256 of each former value, keyed by the request; the value itself is not kept',
            ),
        }),
      )
      .optional()
      .describe('Of a rectification: which values were replaced'),
  })
  .describe('What a task brought back: counts, what was kept and why, what remains until when')
  .meta({ id: 'Evidence' });

export type EvidenceView = z.output<typeof evidenceSchema>;
