import * as z from 'zod';
import { timeSchema } from './common.ts';
import { regimeSchema } from './policy.ts';

export const extendSchema = z
  .strictObject({
    reason: z
      .enum([
        'ComplexityOfProcess',
        'HighVolumeOfProcesses',
        'IdentityVerificationRequired',
        'InformationRequired',
      ])
      .describe('A delay reason of the W3C Data Privacy Vocabulary; the person is told'),
  })
  .meta({ id: 'Extend' });

export const stopClockSchema = z
  .strictObject({
    reason: z
      .enum(['identity', 'clarification'])
      .describe('What has to be cleared up with the person: who they are, or what they ask for'),
  })
  .meta({ id: 'StopClock' });

export const deadlineSchema = z
  .object({
    request_id: z.string(),
    regime: regimeSchema,
    received_at: timeSchema,
    due_at: timeSchema,
    acknowledge_by: timeSchema.nullable(),
    acknowledged_at: timeSchema.nullable(),
    clock_stopped_at: timeSchema.nullable(),
    explanation: z.array(z.string()).describe('How the end is counted, step by step'),
    changes: z.array(
      z.object({
        kind: z.enum(['extended', 'clock-stopped', 'clock-resumed', 'acknowledged']),
        at: timeSchema,
        actor: z.string(),
        reason: z.string().nullable().describe('IRI of a delay reason, or what was cleared up'),
        due_before: timeSchema,
        due_after: timeSchema,
      }),
    ),
  })
  .meta({ id: 'Deadline' });

export type DeadlineView = z.output<typeof deadlineSchema>;
