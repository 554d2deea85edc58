import * as z from 'zod';
import { timeSchema } from './common.ts';
import { mapChangesSchema } from './map-changes.ts';
import { gapSchema } from './map-gaps.ts';
import { asked, counts, external, named, saying, typed } from './map-parts.ts';

export const serviceSchema = z
  .object({
    name: z.string(),
    team: z.string().nullable().describe('null: somebody sends data there, but nobody declared it'),
    external: z.boolean().describe('Nobody declared it, or the configuration says that it is a vendor'),
    stores: z.array(z.string()).describe('Data types'),
    first_seen: timeSchema.nullable(),
    last_seen: timeSchema.nullable(),
    answered_by: z
      .enum(['client', 'connection', 'ticket', 'nobody'])
      .describe('How a request reaches this service now'),
  })
  .meta({ id: 'Service' });

export const flowSchema = z
  .object({ from: z.string(), to: z.string(), ...typed, external, ...saying })
  .describe('What one source says; the same flow from two sources is two')
  .meta({ id: 'Flow' });

export const storeSchema = z.object({ service: z.string(), ...typed, ...saying }).meta({ id: 'Store' });

export const mapTeamsSchema = z
  .object({
    items: z.array(
      z.object({
        team: z.string().nullable().describe('null: services that no team declared'),
        services: named,
        stores: named.describe('Data types'),
        categories: named.describe('Of what its services store'),
      }),
    ),
    flows: z.array(
      z.object({
        from_team: z.string().nullable(),
        to_team: z.string().nullable(),
        data_types: named,
        categories: named,
        flows: z.int().describe('Pairs of services and data types'),
      }),
    ),
  })
  .meta({ id: 'MapTeams' });

export const mapSchema = z
  .object({
    ...asked,
    counts: counts('services', 'teams', 'data_types', 'stores', 'flows', 'gaps').describe(
      'A store or flow that several sources name is one',
    ),
    services: z.array(serviceSchema),
    flows: z.array(flowSchema),
    stores: z.array(storeSchema),
    gaps: z.array(gapSchema),
    changes: mapChangesSchema.nullable().describe('With `compare_to`'),
    teams: mapTeamsSchema.nullable().describe('With `group_by=team`'),
  })
  .meta({ id: 'Map' });

export const holdersSchema = z
  .object({
    data_type: z.string(),
    holders: z.array(z.object({ service: z.string(), team: z.string().nullable() })),
    movers: z.array(z.object({ from: z.string(), to: z.string() })),
  })
  .describe('Who holds a data type and who moves it')
  .meta({ id: 'Holders' });

export const serviceListSchema = z.object({ items: z.array(serviceSchema) }).meta({ id: 'ServiceList' });

export type ServiceView = z.output<typeof serviceSchema>;
export type MapTeamsView = z.output<typeof mapTeamsSchema>;
export type StoreView = z.output<typeof storeSchema>;
export type FlowView = z.output<typeof flowSchema>;
export type MapView = z.output<typeof mapSchema>;
export type HoldersView = z.output<typeof holdersSchema>;
