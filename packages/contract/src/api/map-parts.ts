import * as z from 'zod';
import { timeSchema } from './common.ts';
import { mapQuerySchema } from './map-filter.ts';

/** Who says it, where, since when and until when. */
export const saying = {
  team: z.string(),
  source: z.string(),
  evidence: z
    .enum(['observed', 'declared'])
    .describe('observed: a program says it about itself; declared: a person wrote it down'),
  purpose: z.string().nullable(),
  subject: z.string().nullable().describe('Whose data it is, such as `customer`'),
  retention: z.string().nullable(),
  region: z.string().nullable(),
  first_seen: timeSchema,
  last_seen: timeSchema,
};

export const typed = {
  data_type: z.string(),
  category: z.string().nullable().describe('null: the configuration gives none'),
};

export const external = z.boolean().describe('It goes to, or comes from, an external service');

export const named = z.array(z.string());

export const counts = <Name extends string>(...names: readonly Name[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, z.int()])) as Record<Name, z.ZodInt>);

/** What every answer about the map says about itself. */
export const asked = {
  at: timeSchema.describe('When it was answered'),
  as_of: timeSchema.describe('The moment of the map that it is about'),
  filter: mapQuerySchema.describe('What was asked for'),
};

export const placeSchema = z.object({
  service: z.string(),
  teams: named.describe('Who says that it is theirs'),
  external: z.boolean(),
});
