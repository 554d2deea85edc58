import * as z from 'zod';
import { httpUrl } from './values.ts';

/** A bucket of Amazon S3 or of what speaks its protocol. */
const s3 = z.strictObject({
  /** `https://s3.eu-central-1.amazonaws.com`; private addresses only where `networks.allow_private` has them. */
  endpoint: httpUrl,
  region: z.string().min(1),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket'),
  /** What the names of objects begin with. */
  prefix: z
    .string()
    .regex(/^([A-Za-z0-9_-]+\/)*$/, 'folders, each with a slash behind it')
    .default('habeas/'),
  /** May name environment variables: `${S3_ACCESS_KEY_ID}`. */
  access_key_id: z.string().min(1),
  secret_access_key: z.string().min(1),
  session_token: z.string().min(1).optional(),
  /** Authorities to trust instead of those that Node.js knows; PEM, relative to the configuration. */
  ca: z.string().optional(),
});

/** Where packages lie, sealed, until they expire. */
export const packagesSection = z
  .strictObject({
    /** Where new ones go: beside everything else, in a folder, or in a bucket. */
    storage: z.enum(['postgres', 'disk', 's3']).default('postgres'),
    /** Relative to the configuration; where several servers work, all of them must see it. */
    folder: z.string().min(1).optional(),
    s3: s3.optional(),
  })
  .refine(({ storage, folder }) => storage !== 'disk' || folder !== undefined, 'storage: disk needs a folder')
  .refine(({ storage, s3: bucket }) => storage !== 's3' || bucket !== undefined, 'storage: s3 needs s3');
