import * as z from 'zod';
import { momentSchema } from './common.ts';

const word = z.string().min(1).max(200);

/** The one filter that every question about the map takes: what it leaves out does not exist for the answer. */
export const mapFilterSchema = z.object({
  team: word.describe('Only data of services of this team, and what they exchange with others').optional(),
  service: word.describe('Only data of this service, and what it exchanges with others').optional(),
  data_type: word.describe('Only this data type').optional(),
  category: word
    .describe('Only this data category and those below it: `user.contact` has `user.contact.email`')
    .optional(),
  external: z
    .enum(['true', 'false'])
    .describe('true: only what external services are part of; false: only what stays inside')
    .optional(),
  as_of: momentSchema.describe('The map as it was then. (Default: now)').optional(),
});

export const mapQuerySchema = mapFilterSchema.extend({
  compare_to: momentSchema
    .describe('Adds `changes`: what was added, removed and changed between this moment and `as_of`')
    .optional(),
  group_by: z
    .enum(['team'])
    .describe('team: adds `teams`, and leaves the lists of services, stores and flows empty')
    .optional(),
});

/** What changed between `compare_to` and `as_of`. */
export const mapChangesQuerySchema = mapFilterSchema.extend({
  compare_to: momentSchema.describe('The other moment, before or after `as_of`'),
});

/** Upstream, downstream and impact of one service. */
export const reachQuerySchema = mapFilterSchema.extend({ service: word.describe('Where to begin') });

export const MAX_HOPS = 12;

export const pathsQuerySchema = mapFilterSchema.omit({ service: true }).extend({
  from: word.describe('Name of a service'),
  to: word.describe('Name of a service'),
  max_hops: z.coerce.number().int().min(1).max(MAX_HOPS).default(6).describe('Longest path'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('Most paths; the shortest ones'),
});

export type MapFilter = z.output<typeof mapFilterSchema>;
export type MapChangesQuery = z.output<typeof mapChangesQuerySchema>;
export type MapQuery = z.output<typeof mapQuerySchema>;
export type ReachQuery = z.output<typeof reachQuerySchema>;
export type PathsQuery = z.output<typeof pathsQuerySchema>;
