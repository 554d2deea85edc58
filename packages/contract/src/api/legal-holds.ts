import * as z from 'zod';
import { identitySchema, pageOf, pageQuerySchema, timeSchema, wordsSchema } from './common.ts';
import { dataCategorySchema } from './policy.ts';

const scope = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('subject'),
    identities: z.array(identitySchema).min(1).max(20).describe('Stored as keyed digests only'),
  }),
  z.strictObject({ kind: z.literal('system'), system: z.string().min(1).max(200) }),
  z.strictObject({ kind: z.literal('category'), category: dataCategorySchema }),
  z.strictObject({ kind: z.literal('organization') }),
]);

export const placeHoldSchema = z
  .strictObject({ scope, reason: wordsSchema.describe('Such as the case; write no personal data') })
  .meta({ id: 'PlaceLegalHold' });

export const legalHoldSchema = z
  .object({
    id: z.string(),
    scope: z.enum(['subject', 'system', 'category', 'organization']),
    system: z.string().nullable(),
    category: z.string().nullable(),
    identity_types: z.array(z.string()).describe('Of a hold on a subject; values never come back'),
    reason: z.string(),
    placed_by: z.string(),
    placed_at: timeSchema,
    released_by: z.string().nullable(),
    released_at: timeSchema.nullable(),
    release_reason: z.string().nullable(),
    requests: z.array(z.string()).describe('Requests that it holds now'),
  })
  .meta({ id: 'LegalHold' });

export const legalHoldPageSchema = pageOf(legalHoldSchema).meta({ id: 'LegalHoldPage' });

export const listLegalHoldsQuerySchema = pageQuerySchema.extend({
  released: z.enum(['true', 'false']).optional().describe('(Default: both)'),
});

export type LegalHoldScope = z.output<typeof scope>;
export type LegalHoldView = z.output<typeof legalHoldSchema>;
