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

export type AuditEntryView = z.output<typeof auditEntrySchema>;
export type StreamEvent = z.output<typeof streamEventSchema>;
