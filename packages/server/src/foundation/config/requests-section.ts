import * as z from 'zod';
import { duration, span } from './values.ts';

/** How requests are carried out. */
export const requestsSection = z.strictObject({
  /** Longest time that one attempt of a task may take: for a store where one person has very much. */
  task_timeout: duration.prefault('15m'),
  /** How long after its answer was due a blocked request that destroyed nothing waits for a person; then it is cancelled. */
  give_up_blocked: span.prefault('90d'),
  /** When a task that failed in a way that may pass is tried again. */
  retries: z
    .strictObject({
      /** After this many failures in a row it waits for a person. (Default: 64) */
      max_failures: z.int().min(1).max(1_000).optional(),
      /** Before the second try; doubled with each failure, of which half is random. (Default: 1s) */
      first_delay: duration.optional(),
      /** (Default: 1h) */
      longest_delay: duration.optional(),
    })
    .prefault({}),
  /** System → systems that an erasure is done in before it, such as files before the rows that name them. */
  after: z.record(z.string(), z.array(z.string()).min(1)).default({}),
  /** Groups of systems that an erasure goes through one after the other. */
  groups: z.array(z.array(z.string()).min(1)).default([]),
});
