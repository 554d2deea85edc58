import * as z from 'zod';
import { receiver } from './notify-section.ts';
import { s3Section } from './s3-section.ts';
import { duration } from './values.ts';

/** The audit log as those see it who verify it. */
export const auditSection = z.strictObject({
  /** First line of every checkpoint, and name of the log's key: like an address, without scheme, spaces and `+`. (Default: habeas/<organization>) */
  origin: z
    .string()
    .regex(/^[^\s+\p{C}]{1,100}$/u, 'a name without spaces and +, such as privacy.example.org/audit')
    .optional(),
  /** Where checkpoints go, so that nobody can change what was logged before without being found out. */
  publish: z
    .strictObject({
      /** How often, if the log grew. */
      every: duration.prefault('1d'),
      /** A file for each checkpoint, in this folder; relative to the configuration. */
      folder: z.string().optional(),
      /** An object for each checkpoint; never overwritten and never removed. */
      s3: s3Section('checkpoints/').optional(),
      ...receiver,
    })
    .prefault({}),
});
