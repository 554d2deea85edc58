import * as z from 'zod';
import { timeSchema } from './common.ts';
import { evidenceSchema } from './evidence.ts';

export const taskKindSchema = z
  .enum([
    'resolve',
    'locate',
    'approval',
    'gate',
    'collect',
    'erase',
    'validate',
    'rectify',
    'restrict',
    'object',
    'register',
    'verify',
    'ticket',
    'package',
  ])
  .meta({ id: 'TaskKind' });

export const taskStateSchema = z
  .enum(['pending', 'ready', 'running', 'waiting', 'succeeded', 'skipped', 'blocked', 'cancelled'])
  .describe(
    'pending: something it depends on is not done; ready: due; running: a worker has it; waiting: a system or a team has it; blocked: needs a person',
  )
  .meta({ id: 'TaskState' });

export const taskSchema = z
  .object({
    id: z.string(),
    request_id: z.string(),
    key: z.string().describe('Name inside the plan: `erase:shop`'),
    kind: taskKindSchema,
    system: z.string().nullable(),
    team: z.string().nullable(),
    state: taskStateSchema,
    depends_on: z.array(z.string()).describe('Keys of tasks'),
    attempts: z.int(),
    failures: z
      .int()
      .describe('In a row: since it last went well, or a person retried it; `error` is the last one'),
    next_attempt_at: timeSchema.nullable(),
    started_at: timeSchema.nullable(),
    ended_at: timeSchema.nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    evidence: evidenceSchema.nullable(),
    note: z
      .string()
      .nullable()
      .describe('What a team said when it closed its ticket, or why a person skipped the task'),
  })
  .meta({ id: 'Task' });

export const taskListSchema = z.object({ items: z.array(taskSchema) }).meta({ id: 'TaskList' });

/** A system that does not do what tasks ask of it, now. */
export const failingSystemSchema = z
  .object({
    system: z.string(),
    tasks: z.int().describe('Open tasks whose last attempt failed'),
    blocked: z.int().describe('Of these, those that are not tried again by themselves'),
    requests: z.int().describe('That wait for them'),
    error: z.object({ code: z.string(), message: z.string() }).describe('Of the task that failed most often'),
    next_attempt_at: timeSchema.nullable().describe('When the first of them is tried again'),
  })
  .meta({ id: 'FailingSystem' });

export const failingSystemListSchema = z
  .object({ items: z.array(failingSystemSchema) })
  .meta({ id: 'FailingSystemList' });

export type FailingSystem = z.output<typeof failingSystemSchema>;
export type TaskKind = z.output<typeof taskKindSchema>;
export type TaskState = z.output<typeof taskStateSchema>;
export type TaskView = z.output<typeof taskSchema>;
