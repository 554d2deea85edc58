import * as z from 'zod';
import { timeSchema } from './common.ts';
import { sayingSchema } from './map-changes.ts';
import { asked, counts, external, named, placeSchema, typed } from './map-parts.ts';

/** A flow with all that is said about it. */
export const edgeSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    ...typed,
    external,
    first_seen: timeSchema.describe('Earliest of the evidence'),
    last_seen: timeSchema.describe('Latest of the evidence'),
    evidence: z.array(sayingSchema),
  })
  .meta({ id: 'Edge' });

export const reachSchema = z
  .object({
    ...asked,
    service: z.string(),
    direction: z.enum(['upstream', 'downstream']),
    counts: counts('services', 'teams', 'data_types', 'flows'),
    reached: z
      .array(
        placeSchema.extend({
          ...typed,
          hops: z.int().describe('Along this data type only; 1: a neighbour'),
          via: z.string().describe('The service before it on one shortest way'),
        }),
      )
      .describe('One entry per service and data type'),
    flows: z.array(edgeSchema).describe('All that the data takes on its ways'),
  })
  .meta({ id: 'Reach' });

export const pathsSchema = z
  .object({
    ...asked,
    from: z.string(),
    to: z.string(),
    max_hops: z.int(),
    limit: z.int(),
    truncated: z.boolean().describe('There may be more'),
    counts: counts('paths', 'services', 'data_types'),
    paths: z
      .array(
        z.object({
          services: named.describe('From the first to the last, each once'),
          data_types: named.describe('Each goes the whole way'),
          hops: z.array(z.object({ from: z.string(), to: z.string(), flows: z.array(edgeSchema) })),
        }),
      )
      .describe('Shortest first'),
  })
  .meta({ id: 'Paths' });

const affectedSchema = placeSchema.extend({ data_types: named, hops: z.int() });

export const impactSchema = z
  .object({
    ...asked,
    service: z.string(),
    teams: named.describe('Who says that it is theirs'),
    external: z.boolean(),
    counts: counts('categories', 'data_types', 'services', 'teams').describe(
      'Services: all that it affects, itself included',
    ),
    data: z
      .array(
        z.object({
          ...typed,
          stored: z.boolean(),
          received: z.boolean(),
          sent: z.boolean(),
        }),
      )
      .describe('What is at this service: exposed if it is breached'),
    categories: named,
    upstream: z.array(affectedSchema).describe('Whose data comes here; without it, it goes nowhere'),
    downstream: z.array(affectedSchema).describe('Who gets data that was here; without it, they get none'),
    call: z
      .array(
        z.object({
          team: z.string().nullable().describe('null: services that no team declared'),
          services: named,
          because: z.array(z.enum(['owner', 'upstream', 'downstream'])),
          clients: named.describe('Approved addresses of the team'),
        }),
      )
      .describe('Whom to call, nearest first'),
  })
  .meta({ id: 'Impact' });

export const impactListSchema = z
  .object({
    ...asked,
    counts: counts('services'),
    items: z
      .array(
        placeSchema.extend({
          data_types: z.int().describe('At the service'),
          upstream: z.int().describe('Services whose data comes here'),
          downstream: z.int().describe('Services that get data that was here'),
        }),
      )
      .describe('Furthest reach first'),
  })
  .meta({ id: 'ImpactList' });

export type EdgeView = z.output<typeof edgeSchema>;
export type ReachView = z.output<typeof reachSchema>;
export type PathsView = z.output<typeof pathsSchema>;
export type ImpactView = z.output<typeof impactSchema>;
export type ImpactListView = z.output<typeof impactListSchema>;
