import * as z from 'zod';
import { duration, name } from './values.ts';

/** Where a value stands in a message: `data.request_id` in its JSON, or `subject.2` for the second part of its subject. */
const path = z
  .string()
  .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,9}$/, 'names joined by dots, such as data.request_id');

/** A subject of NATS, or a pattern of some: `orders.*.erased`, `orders.>`. */
const pattern = z.string().regex(/^[^\s.]+(\.[^\s.]+)*$/, 'a subject of NATS');

export const subject = pattern.refine((text) => !/[*>]/.test(text), 'a subject without * and >');

export const streamName = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, 'a name of letters, digits, - and _');

/** Values of a message by which something is known, as text; numbers and booleans are compared as they are written. */
const values = z.array(z.string().min(1)).min(1);

/** Events by which a system says how its work ends. What is not said is as in the events of Habeas' own form. */
const status = z.strictObject({
  name,
  /** The system that the events are about, by its name in plans. */
  system: z.string().min(1),
  stream: streamName,
  subject: pattern,
  request_id: path.default('request_id'),
  /** Id or idempotency key of the task; events without one are about the tasks that the system has for the request. */
  task: path.default('task'),
  /** When it ended; events without one count from when the stream took them. */
  at: path.default('at'),
  status: path.default('status'),
  in_progress: values.default(['in-progress']),
  completed: values.default(['completed']),
  failed: values.default(['failed']),
  /** Every event means this, whatever it says. */
  means: z.enum(['completed', 'failed']).optional(),
  /** How many records were concerned. */
  count: path.optional(),
  /** Path → values: all other events are about something else. */
  only: z.record(path, values).default({}),
  /** The system is asked all the same when no event came for so long. */
  ask_after: duration.prefault('6h'),
});

const nats = z
  .strictObject({
    /** `nats://host:4222`, or `tls://host:4222`. */
    servers: z.array(z.url({ protocol: /^(nats|tls)$/ })).min(1),
    token: z.string().min(1).optional(),
    user: z.string().min(1).optional(),
    password: z.string().min(1).optional(),
    /** A file of credentials (JWT and seed), relative to the configuration. */
    credentials: z.string().optional(),
    /** Files are PEM, relative to the configuration. */
    tls: z
      .strictObject({
        ca: z.string().optional(),
        certificate: z.string().optional(),
        key: z.string().optional(),
      })
      .optional(),
    /** Tells of tasks that systems begin. */
    tasks: z
      .strictObject({
        /** Made if it is not there. */
        stream: streamName.default('HABEAS_TASKS'),
        /** How subjects begin; organization, system and task kind follow. */
        subject: subject.default('habeas.tasks'),
      })
      .optional(),
    status: z.array(status).default([]),
  })
  .refine(
    (entry) => (entry.user === undefined) === (entry.password === undefined),
    'user and password go together',
  );

/** Streams of events that tasks go out on, and that systems say on how their work ends. */
export const streamsSection = z.strictObject({ nats: nats.optional() }).check(({ value, issues }) => {
  const names = value.nats?.status.map((one) => one.name) ?? [];
  for (const [index, one] of names.entries()) {
    if (names.indexOf(one) === index) continue;
    const where = ['nats', 'status', index, 'name'];
    issues.push({ code: 'custom', path: where, message: 'another status has this name', input: one });
  }
});

export type NatsConfig = NonNullable<z.output<typeof streamsSection>['nats']>;
export type StatusMapping = z.output<typeof status>;
