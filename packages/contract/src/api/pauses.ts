import * as z from 'zod';
import { timeSchema, wordsSchema } from './common.ts';

const systemSchema = z.string().min(1).max(200);

/** Work that was stopped, and by whom. */
export const pauseSchema = z
  .object({
    scope: z
      .enum(['installation', 'organization', 'system'])
      .describe('`installation`: all organizations on this database; only who runs it can pause that'),
    system: systemSchema.nullable().describe('Of a `system`: its name in plans'),
    reason: z.string(),
    paused_by: z.string().describe('As audit entries name it: `key:<id>` or `system`'),
    paused_at: timeSchema,
  })
  .meta({ id: 'Pause' });

export const pauseListSchema = z.object({ items: z.array(pauseSchema) }).meta({ id: 'PauseList' });

export const createPauseSchema = z
  .strictObject({
    system: systemSchema.nullable().default(null).describe('Only this system; null: the whole organization'),
    reason: wordsSchema.describe('Why; write no personal data'),
  })
  .meta({ id: 'CreatePause' });

export const resumeSchema = z
  .strictObject({
    system: systemSchema
      .nullable()
      .default(null)
      .describe('The pause of this system; null: the one of the organization'),
  })
  .meta({ id: 'Resume' });

export type PauseView = z.output<typeof pauseSchema>;
