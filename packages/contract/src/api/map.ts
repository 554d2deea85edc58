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
      'declared-not-seen',
      'seen-not-declared',
      'map-shrunk',
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
    external: z.boolean().describe('Nobody declared it, or the configuration says that it is a vendor'),
    stores: z.array(z.string()).describe('Data types'),
    first_seen: timeSchema.nullable(),
    last_seen: timeSchema.nullable(),
    answered_by: z
      .enum(['client', 'connection', 'ticket', 'nobody'])
      .describe('How a request reaches this service now'),
  })
  .meta({ id: 'Service' });

/** Who says it, where, since when and until when. */
const saying = {
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

const typed = {
  data_type: z.string(),
  category: z.string().nullable().describe('null: the configuration gives none'),
};

const external = z.boolean().describe('It goes to, or comes from, an external service');

export const flowSchema = z
  .object({ from: z.string(), to: z.string(), ...typed, external, ...saying })
  .describe('What one source says; the same flow from two sources is two')
  .meta({ id: 'Flow' });

export const storeSchema = z.object({ service: z.string(), ...typed, ...saying }).meta({ id: 'Store' });

const word = z.string().min(1).max(200);

const momentSchema = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .describe('RFC 3339, or a date, which is its first moment in UTC');

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

const named = z.array(z.string());
const counts = <Name extends string>(...names: readonly Name[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, z.int()])) as Record<Name, z.ZodInt>);

/** What every answer about the map says about itself. */
const asked = {
  at: timeSchema.describe('When it was answered'),
  as_of: timeSchema.describe('The moment of the map that it is about'),
  filter: mapQuerySchema.describe('What was asked for'),
};

const sayingSchema = z.object(saying).meta({ id: 'Saying' });

export const changeSchema = z
  .object({
    kind: z.enum(['flow', 'store']),
    service: z.string(),
    to_service: z.string().nullable().describe('null for a store'),
    ...typed,
    at: timeSchema.describe('Added or changed: seen first so. Removed: seen last'),
    by: z.array(z.object({ team: z.string(), source: z.string() })).describe('Who says so, or said so last'),
    before: z.array(sayingSchema),
    after: z.array(sayingSchema),
  })
  .meta({ id: 'MapChange' });

export const mapChangesSchema = z
  .object({
    from: timeSchema.describe('The earlier moment'),
    to: timeSchema.describe('The later moment'),
    added: z.array(changeSchema),
    removed: z.array(changeSchema),
    changed: z.array(changeSchema).describe('Another team, purpose, subject, retention or region'),
  })
  .meta({ id: 'MapChanges' });

/** What changed, without the map beside it. */
export const mapDifferenceSchema = z
  .object({
    ...asked,
    counts: counts('added', 'removed', 'changed'),
    changes: mapChangesSchema,
  })
  .meta({ id: 'MapDifference' });

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

const placeSchema = z.object({
  service: z.string(),
  teams: named.describe('Who says that it is theirs'),
  external: z.boolean(),
});

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
export const gapListSchema = z
  .object({ ...asked, counts: counts('gaps'), items: z.array(gapSchema) })
  .meta({ id: 'GapList' });

export type GapView = z.output<typeof gapSchema>;
export type ServiceView = z.output<typeof serviceSchema>;
export type MapFilter = z.output<typeof mapFilterSchema>;
export type MapChangesQuery = z.output<typeof mapChangesQuerySchema>;
export type MapDifferenceView = z.output<typeof mapDifferenceSchema>;
export type MapQuery = z.output<typeof mapQuerySchema>;
export type ReachQuery = z.output<typeof reachQuerySchema>;
export type PathsQuery = z.output<typeof pathsQuerySchema>;
export type EdgeView = z.output<typeof edgeSchema>;
export type SayingView = z.output<typeof sayingSchema>;
export type ChangeView = z.output<typeof changeSchema>;
export type MapChangesView = z.output<typeof mapChangesSchema>;
export type MapTeamsView = z.output<typeof mapTeamsSchema>;
export type ReachView = z.output<typeof reachSchema>;
export type PathsView = z.output<typeof pathsSchema>;
export type ImpactView = z.output<typeof impactSchema>;
export type ImpactListView = z.output<typeof impactListSchema>;
export type GapListView = z.output<typeof gapListSchema>;
export type StoreView = z.output<typeof storeSchema>;
export type FlowView = z.output<typeof flowSchema>;
export type MapView = z.output<typeof mapSchema>;
export type HoldersView = z.output<typeof holdersSchema>;
export type ClientView = z.output<typeof clientSchema>;
export type ConnectionView = z.output<typeof connectionSchema>;
