import * as z from 'zod';
import { key, span } from './values.ts';

const residual = z
  .strictObject({
    /** In words, for the receipt. */
    what: z.string().min(1).optional(),
    /** One that the kind tells by itself, by its name: only its end is said here, and `what` may say it better. */
    copy: z.string().min(1).optional(),
    /** How long after the erasure the last one ends. */
    for: span.optional(),
    /** The date on which it ends. */
    until: z.iso.date().nullable().default(null),
  })
  .refine(
    ({ what, copy }) => what !== undefined || copy !== undefined,
    'says what it is: give it `what` or `copy`',
  )
  .refine(
    (one) => one.for === undefined || one.until === null,
    'ends after a time or on a date: give it `for` or `until`',
  );

/** A system that Habeas acts on itself. */
export const connectionSection = z.strictObject({
  /** Names the system in plans, evidence and packages. */
  key,
  /** Which connector acts on it: `postgres`, `mysql`, `sqlite`, `redis`, `files`, `logs`, `s3`, `azure`, `dynamodb`, `sphinx`, `memcached`, `rabbitmq`, `nats`, or an ES module of the user's as a path, relative to the configuration: `./wiki.ts`. */
  kind: z.string(),
  /** The service whose data this is, as it is named in declarations. (Default: the key) */
  service: z.string().optional(),
  team: z.string(),
  /** May name environment variables: `${SHOP_DATABASE_URL}`. */
  url: z.string(),
  /** Dataset files, relative to the configuration. */
  datasets: z.array(z.string()).min(1),
  /** What the kind needs beside the address: the keys of `s3` and `dynamodb`, and whatever the user's own module is given, as it is. */
  options: z.record(z.string(), z.unknown()).optional(),
  /** Most tasks that act on this system at once, per server process. (Default: 4; 64 for kinds whose tasks share one pass) */
  concurrency: z.int().min(1).max(64).optional(),
  /** Copies that an erasure does not reach, such as backups: what they are, and when the last one ends. */
  residuals: z.array(residual).optional(),
});

export type ConnectionConfig = z.output<typeof connectionSection>;
