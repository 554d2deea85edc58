import * as z from 'zod';
import { timeSchema } from './common.ts';

const word = z.string().min(1).max(200);

const details = {
  purpose: word.optional().describe('What the data is used for'),
  subject: word.optional().describe('Whose data it is, such as `customer`'),
  retention: word.optional().describe('How long it is kept, such as `30d`'),
  region: word.optional().describe('Where it is kept, or goes to'),
};

export const declaredServiceSchema = z
  .strictObject({
    team: word,
    service: word,
    stores: z
      .array(z.union([word, z.strictObject({ data_type: word, ...details })]))
      .max(1_000)
      .default([])
      .describe('Data types that it keeps'),
    transmits: z
      .array(z.strictObject({ to_service: word, data_type: word, ...details }))
      .max(1_000)
      .default([]),
    client: z
      .strictObject({ address: z.string().max(300), protocol: z.enum(['grpc', 'http']).default('grpc') })
      .optional()
      .describe('Where it answers for personal data; a proposal until somebody approves it'),
  })
  .describe('What one service declares')
  .meta({ id: 'DeclaredService' });

export const pushSchema = z
  .strictObject({
    source: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)
      .describe('Names the job. What it sent before is replaced'),
    ttl_seconds: z
      .int()
      .min(60)
      .max(400 * 86_400)
      .describe('After this time without another push all of it counts as gone'),
    declarations: z.array(declaredServiceSchema).max(1_000),
  })
  .meta({ id: 'Push' });

export const pushedSchema = z
  .object({
    source: z.string(),
    state: z
      .enum(['ok', 'partial'])
      .describe('partial: something was refused, so nothing that is missing ended'),
    declarations: z.int(),
    started: z.int().describe('Declarations that are new'),
    ended: z.int().describe('Declarations that are gone'),
    expires_at: timeSchema,
    warnings: z.array(z.string()).describe('What was refused, and why'),
  })
  .meta({ id: 'Pushed' });

export const targetGroupsSchema = z
  .array(z.object({ targets: z.array(z.string()), labels: z.record(z.string(), z.string()) }))
  .describe('Targets in the format of the http_sd of Prometheus')
  .meta({ id: 'TargetGroups' });

export type Push = z.input<typeof pushSchema>;
export type Pushed = z.output<typeof pushedSchema>;
export type TargetGroups = z.output<typeof targetGroupsSchema>;
