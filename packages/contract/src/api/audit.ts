import * as z from 'zod';
import { pageOf, pageQuerySchema, timeSchema } from './common.ts';

export const auditEntrySchema = z
  .object({
    id: z.string(),
    sequence: z.int(),
    at: timeSchema,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .meta({ id: 'AuditEntry' });

export const listAuditQuerySchema = pageQuerySchema.extend({
  subject: z.string().optional().describe('Only entries about this id'),
  request: z.string().optional().describe('Only entries about this request and its tasks'),
});
export const auditPageSchema = pageOf(auditEntrySchema).meta({ id: 'AuditPage' });

/** An entry as the log holds it: the canonical JSON (RFC 8785) of this object is the leaf of the tree. */
export const loggedEntrySchema = z
  .object({
    action: z.string(),
    actor: z.string(),
    at: timeSchema,
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    id: z.string(),
    organizationId: z.string(),
    subject: z.string(),
  })
  .meta({ id: 'LoggedEntry' });

/** That an earlier tree is the beginning of the newest one. */
export const consistencyProofSchema = z
  .object({
    from: z.int().describe('Entries of the earlier tree'),
    checkpoint: z.string().describe('The newest checkpoint: a signed note'),
    proof: z.array(z.string()).describe('Hashes in base64 (RFC 6962 §2.1.2)'),
  })
  .meta({ id: 'ConsistencyProof' });

/** One event of the stream `GET /api/v1/events`. */
export const streamEventSchema = z
  .object({
    id: z.string(),
    at: timeSchema,
    type: z.string(),
    request_id: z.string().nullable(),
    data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .meta({ id: 'StreamEvent' });

export const listEventsQuerySchema = pageQuerySchema.extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'the `next` of an earlier page')
    .optional(),
});

export const eventPageSchema = pageOf(streamEventSchema).meta({ id: 'EventPage' });

export type AuditEntryView = z.output<typeof auditEntrySchema>;
export type ConsistencyProofView = z.output<typeof consistencyProofSchema>;
export type StreamEvent = z.output<typeof streamEventSchema>;
