import * as z from 'zod';

/** How people are told by mail what becomes of their requests. */
export const peopleSection = z.strictObject({
  /** `asked`: who asked by themselves; `all`: also those for whom somebody with an API key asked; `none`. */
  tell: z.enum(['none', 'asked', 'all']).default('asked'),
  /** How the organization calls itself in mails. (Default: its key) */
  name: z.string().min(1).max(200).optional(),
  /** Where a request names no language. */
  language: z.enum(['en', 'de', 'fr', 'es', 'nl', 'it', 'pl']).default('en'),
  /** A folder with templates of one's own, relative to the configuration. */
  templates: z.string().optional(),
});
