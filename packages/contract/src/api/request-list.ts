import * as z from 'zod';
import { momentSchema, pageOf, pageQuerySchema, rightSchema } from './common.ts';
import { regimeSchema } from './policy.ts';
import { requestSchema, requestStateSchema } from './requests.ts';

/** Requests that all of this is true of. */
export const requestFilterSchema = z.object({
  state: requestStateSchema.optional(),
  right: rightSchema.optional(),
  open: z
    .enum(['true', 'false'])
    .optional()
    .describe('true: only those that have not ended; false: only those that have (Default: both)'),
  regime: regimeSchema.optional().describe('Only those that are answered under this law'),
  owner: z.string().min(1).max(200).optional().describe('Only those that this team answers for'),
  due_before: momentSchema.optional().describe('Only those that have to be answered before this moment'),
  received_from: momentSchema.optional().describe('Only those received at this moment or later'),
  received_before: momentSchema.optional().describe('Only those received before this moment'),
  id: z
    .string()
    .regex(/^[a-z0-9_]{1,100}$/, 'the beginning of an id')
    .optional()
    .describe('Only those whose id begins so'),
  order: z
    .enum(['newest', 'due'])
    .optional()
    .describe('newest: last received first; due: first due first (Default: newest)'),
});

export const listRequestsQuerySchema = pageQuerySchema.extend(requestFilterSchema.shape);

export const requestPageSchema = pageOf(requestSchema).meta({ id: 'RequestPage' });

export type RequestFilter = z.output<typeof requestFilterSchema>;
