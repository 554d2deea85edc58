import * as z from 'zod';
import { timeSchema, wordsSchema } from './common.ts';
import { mapFilterSchema } from './map-filter.ts';
import { asked, counts } from './map-parts.ts';

const gapDecisionSchema = z
  .object({
    decision: z
      .enum(['approved', 'rejected'])
      .describe(
        'approved: it is right so, and no gap any more; rejected: it must not stay so, and stays a gap',
      ),
    category: z.string().nullable().describe('Of an approved data type: the category that it has since then'),
    reason: z.string(),
    decided_by: z.string().describe('As the audit log names them'),
    decided_at: timeSchema,
  })
  .meta({ id: 'GapDecision' });

export const gapSchema = z
  .object({
    id: z
      .string()
      .nullable()
      .describe('By which somebody decides about it; null: nothing is to decide, its cause is to be mended'),
    kind: z.enum([
      'undeclared-receiver',
      'store-without-eraser',
      'data-type-without-category',
      'team-without-client',
      'client-not-approved',
      'duplicate-service',
      'source-failing',
      'rejected-label',
      'declared-not-seen',
      'seen-not-declared',
      'map-shrunk',
    ]),
    service: z.string().nullable(),
    team: z.string().nullable(),
    data_type: z.string().nullable(),
    message: z.string().describe('What is missing and what to do'),
    client: z.string().nullable().describe('Id of the client that somebody has to approve or reject'),
    proposed_category: z
      .string()
      .nullable()
      .describe('Of a data type without a category: what its name suggests'),
    decision: gapDecisionSchema.nullable().describe('null: nobody decided yet'),
  })
  .meta({ id: 'Gap' });

export const gapListSchema = z
  .object({ ...asked, counts: counts('gaps'), items: z.array(gapSchema) })
  .meta({ id: 'GapList' });

export const gapListQuerySchema = mapFilterSchema.extend({
  approved: z
    .enum(['true', 'false'])
    .describe('true: also what somebody approved (Default: false)')
    .optional(),
});

export const approveGapSchema = z
  .strictObject({
    reason: wordsSchema.describe('Kept with the decision and in the audit log; write no personal data'),
    category: z
      .string()
      .max(200)
      .regex(/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/, 'a data category such as user.contact.email')
      .optional()
      .describe('Of a data type without a category, and only of one: the category that it gets'),
  })
  .meta({ id: 'ApproveGap' });

export type GapView = z.output<typeof gapSchema>;
export type GapDecisionView = z.output<typeof gapDecisionSchema>;
export type GapListQuery = z.output<typeof gapListQuerySchema>;
export type GapListView = z.output<typeof gapListSchema>;
export type ApproveGap = z.output<typeof approveGapSchema>;
