import * as z from 'zod';
import { duration, httpUrl, name, span } from './values.ts';

/** How a source wants to be asked. Secrets come from the environment: `${PROMETHEUS_TOKEN}`. */
const signIn = {
  bearer_token: z.string().min(1).optional(),
  basic_auth: z.strictObject({ username: z.string(), password: z.string() }).optional(),
  /** Such as `X-Scope-OrgID`, by which Mimir and Thanos tell tenants apart. */
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'a name of a header'), z.string()).optional(),
};

const prometheus = z.strictObject({
  /** Where its API is, without `/api/v1`. */
  url: httpUrl,
  /** (Default: the URL without user, password and query) */
  name: name.optional(),
  ...signIn,
  /** Restricts what is read: `cluster="prod",env!="test"`. */
  matchers: z
    .string()
    .regex(/^[^{}]*$/, 'matchers without braces')
    .optional(),
  /** How far back a sample counts as present; longer than the longest scrape interval. */
  window: duration.prefault('10m'),
  timeout: duration.prefault('60s'),
  /** Most bytes of one answer. */
  max_bytes: z
    .int()
    .positive()
    .default(256 * 1024 * 1024),
  /** How much of its history is read, once; `0d` for none. */
  backfill: span.prefault('15d'),
  /** Jobs that are gone for good: what they declared ends. */
  removed_jobs: z.array(z.string()).default([]),
});

const scrape = z
  .strictObject({
    url: httpUrl.optional(),
    /** Files with targets in Prometheus' format, YAML or JSON, relative to the configuration; `*` in the last part. */
    file_sd: z.array(z.string()).min(1).optional(),
    /** Answers with targets in Prometheus' format. */
    http_sd: httpUrl.optional(),
    name: name.optional(),
    ...signIn,
  })
  .refine(
    (entry) => [entry.url, entry.file_sd, entry.http_sd].filter((value) => value !== undefined).length === 1,
    'one of url, file_sd and http_sd',
  );

const details = {
  purpose: z.string().optional(),
  subject: z.string().optional(),
  retention: z.string().optional(),
  region: z.string().optional(),
};

/** What one service declares, as a person writes it for a service that has no metrics. */
export const declaredServiceSchema = z.strictObject({
  team: z.string(),
  service: z.string(),
  stores: z.array(z.union([z.string(), z.strictObject({ data_type: z.string(), ...details })])).default([]),
  transmits: z
    .array(z.strictObject({ to_service: z.string(), data_type: z.string(), ...details }))
    .default([]),
  client: z
    .strictObject({ address: z.string(), protocol: z.enum(['grpc', 'http']).default('grpc') })
    .optional(),
});

export type DeclaredService = z.output<typeof declaredServiceSchema>;

/** What feeds the data map. */
export const mapSection = z.strictObject({
  /** Prometheus servers, or what answers like one: Thanos, Mimir, VictoriaMetrics. */
  prometheus: z.array(prometheus).default([]),
  /** Pages with metrics that Habeas reads itself. */
  scrape: z.array(scrape).default([]),
  /** Services without metrics: vendors, laptops, paper. */
  declarations: z.array(declaredServiceSchema).default([]),
  /** The team that runs Habeas: in what Habeas declares about itself. */
  own_team: z.string().min(1).default('habeas'),
  /** Services that are no part of the organization, such as vendors, by name. Receivers that nobody declares are too. */
  external: z.array(z.string().min(1)).default([]),
  /** A map that loses more than this many percent of its flows and stores between two polls is told. */
  alert_loss_percent: z.number().min(0).max(100).default(20),
  interval: duration.prefault('30s'),
  timeout: duration.prefault('5s'),
  max_bytes: z
    .int()
    .positive()
    .default(8 * 1024 * 1024),
  max_samples: z.int().positive().default(500_000),
  /** Names of the three metrics; each bare and with this prefix is read. */
  prefix: z
    .string()
    .regex(/^[a-zA-Z0-9_:]*$/, 'the beginning of a metric name')
    .default('personal_data_'),
});

export type MapConfig = z.output<typeof mapSection>;
