import * as z from 'zod';
import { httpUrl } from './values.ts';

/**
 * A bucket of Amazon S3 or of what speaks its protocol.
 * @param prefix What the names of objects begin with if the configuration does not say.
 */
export const s3Section = (prefix: string) =>
  z.strictObject({
    /** `https://s3.eu-central-1.amazonaws.com`; private addresses only where `networks.allow_private` has them. */
    endpoint: httpUrl,
    region: z.string().min(1),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket'),
    /** What the names of objects begin with. */
    prefix: z
      .string()
      .regex(/^([A-Za-z0-9_-]+\/)*$/, 'folders, each with a slash behind it')
      .default(prefix),
    /** May name environment variables: `${S3_ACCESS_KEY_ID}`. */
    access_key_id: z.string().min(1),
    secret_access_key: z.string().min(1),
    session_token: z.string().min(1).optional(),
    /** Authorities to trust instead of those that Node.js knows; PEM, relative to the configuration. */
    ca: z.string().optional(),
  });

/** A bucket as the configuration has it. */
export type S3Config = z.output<ReturnType<typeof s3Section>>;
