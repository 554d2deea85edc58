import * as z from 'zod';
import { s3Section } from './s3-section.ts';

/** Where packages lie, sealed, until they expire. */
export const packagesSection = z
  .strictObject({
    /** Where new ones go: beside everything else, in a folder, or in a bucket. */
    storage: z.enum(['postgres', 'disk', 's3']).default('postgres'),
    /** Relative to the configuration; where several servers work, all of them must see it. */
    folder: z.string().min(1).optional(),
    s3: s3Section('habeas/').optional(),
  })
  .refine(({ storage, folder }) => storage !== 'disk' || folder !== undefined, 'storage: disk needs a folder')
  .refine(({ storage, s3: bucket }) => storage !== 's3' || bucket !== undefined, 'storage: s3 needs s3');
