import * as z from 'zod';
import { timeSchema } from './common.ts';

export const gapSchema = z
  .object({
    kind: z.enum([
      'undeclared-receiver',
      'store-without-eraser',
      'data-type-without-category',
      'team-without-client',
      'client-not-approved',
      'duplicate-service',
      'source-failing',
      'rejected-label',
    ]),
    service: z.string().nullable(),
    team: z.string().nullable(),
    data_type: z.string().nullable(),
    message: z.string().describe('What is missing and what to do'),
  })
  .meta({ id: 'Gap' });

export const serviceSchema = z
  .object({
    name: z.string(),
    team: z.string().nullable().describe('null: somebody sends data there, but nobody declared it'),
    stores: z.array(z.string()).describe('Data types'),
    first_seen: timeSchema.nullable(),
    last_seen: timeSchema.nullable(),
    answered_by: z
      .enum(['client', 'connection', 'ticket', 'nobody'])
      .describe('How a request reaches this service'),
  })
  .meta({ id: 'Service' });

export const flowSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    data_type: z.string(),
    category: z.string().nullable(),
    first_seen: timeSchema,
    last_seen: timeSchema,
    source: z.string(),
  })
  .meta({ id: 'Flow' });

export const mapQuerySchema = z.object({
  team: z.string().optional(),
  service: z.string().optional(),
  data_type: z.string().optional(),
});

export const mapSchema = z
  .object({
    at: timeSchema,
    services: z.array(serviceSchema),
    flows: z.array(flowSchema),
    stores: z.array(
      z.object({
        service: z.string(),
        team: z.string(),
        data_type: z.string(),
        category: z.string().nullable(),
        first_seen: timeSchema,
        last_seen: timeSchema,
        source: z.string(),
      }),
    ),
    gaps: z.array(gapSchema),
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

export const clientStateSchema = z.enum(['proposed', 'approved', 'rejected']).meta({ id: 'ClientState' });

export const clientSchema = z
  .object({
    id: z.string(),
    team: z.string(),
    service: z.string().nullable(),
    address: z.string(),
    protocol: z.enum(['grpc', 'http']),
    state: clientStateSchema,
    decided_by: z.string().nullable().describe('Who approved or rejected it: a key, or `allow-list`'),
    stale: z
      .boolean()
      .describe('No source declares it any more; an approved one stays usable until it is rejected'),
    first_seen: timeSchema,
    last_seen: timeSchema,
  })
  .meta({ id: 'Client' });

export const connectionSchema = z
  .object({
    key: z.string(),
    kind: z.string(),
    service: z.string(),
    team: z.string(),
    datasets: z.array(z.string()),
    capabilities: z.array(z.string()),
  })
  .describe('A configured system; its address and password never come back')
  .meta({ id: 'Connection' });

export const healthReportSchema = z
  .object({ ok: z.boolean(), message: z.string(), problems: z.array(z.string()) })
  .meta({ id: 'HealthReport' });

export const publicKeyListSchema = z
  .object({ items: z.array(z.string().describe('Ed25519 public point in base64url')) })
  .describe('Newest first; a service trusts all of them')
  .meta({ id: 'PublicKeyList' });

export const serviceListSchema = z.object({ items: z.array(serviceSchema) }).meta({ id: 'ServiceList' });
export const clientListSchema = z.object({ items: z.array(clientSchema) }).meta({ id: 'ClientList' });
export const connectionListSchema = z
  .object({ items: z.array(connectionSchema) })
  .meta({ id: 'ConnectionList' });
export const gapListSchema = z.object({ items: z.array(gapSchema) }).meta({ id: 'GapList' });

export type GapView = z.output<typeof gapSchema>;
export type ServiceView = z.output<typeof serviceSchema>;
export type FlowView = z.output<typeof flowSchema>;
export type MapView = z.output<typeof mapSchema>;
export type HoldersView = z.output<typeof holdersSchema>;
export type ClientView = z.output<typeof clientSchema>;
export type ConnectionView = z.output<typeof connectionSchema>;
