import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, LineCounter, type Node, parseDocument } from 'yaml';
import * as z from 'zod';
import { HabeasError, type SourcePlace } from './errors.ts';

/** `5s`, `10m`, `2h`, `30d` → milliseconds. */
const span = z
  .string()
  .regex(/^\d{1,6}(ms|s|m|h|d)$/, 'a duration such as 500ms, 5s, 10m, 2h or 30d')
  .transform(durationToMilliseconds);

/** A span that something waits for. */
const duration = span
  // A timer of Node cannot wait longer than 2^31 - 1 milliseconds; it would run at once instead.
  .refine((milliseconds) => milliseconds < 2 ** 31, 'at most 24 days');

const key = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a key of lower-case letters, digits, - and _');

const httpUrl = z.url({ protocol: /^https?$/ });

/** How a source wants to be asked. Secrets come from the environment: `${PROMETHEUS_TOKEN}`. */
const signIn = {
  bearer_token: z.string().min(1).optional(),
  basic_auth: z.strictObject({ username: z.string(), password: z.string() }).optional(),
  /** Such as `X-Scope-OrgID`, by which Mimir and Thanos tell tenants apart. */
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'a name of a header'), z.string()).optional(),
};

/** Names a source in the map and in messages. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name of letters, digits, dots, - and _');

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

const mapSchema = z.strictObject({
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

export type MapConfig = z.output<typeof mapSchema>;

/** How the services at some addresses are spoken to over TLS. Files are PEM, relative to the configuration. */
const clientTls = z
  .strictObject({
    /** `host` or `host:port`. (Default: all addresses) */
    addresses: z.array(z.string()).min(1).optional(),
    /** Authorities to trust instead of those that Node.js knows. */
    ca: z.string().optional(),
    /** The certificate that Habeas shows to services that ask for one (mTLS), and its key. */
    certificate: z.string().optional(),
    key: z.string().optional(),
  })
  .refine(
    (entry) => (entry.certificate === undefined) === (entry.key === undefined),
    'certificate and key go together',
  );

const connection = z.strictObject({
  /** Names the system in plans, evidence and packages. */
  key,
  /** Which connector acts on it: `postgres`, or one that the user adds. */
  kind: z.string(),
  /** The service whose data this is, as it is named in declarations. (Default: the key) */
  service: z.string().optional(),
  team: z.string(),
  /** May name environment variables: `${SHOP_DATABASE_URL}`. */
  url: z.string(),
  /** Dataset files, relative to the configuration. */
  datasets: z.array(z.string()).min(1),
  /** Most tasks that act on this system at once, per server process. (Default: 4) */
  concurrency: z.int().min(1).max(64).default(4),
  /** Copies that an erasure does not reach, such as backups: what they are, and when the last one ends. */
  residuals: z
    .array(z.strictObject({ what: z.string().min(1), until: z.iso.date().nullable().default(null) }))
    .optional(),
});

/** Where events are posted to. */
const webhook = z.strictObject({
  /** Redirects are not followed; private addresses only where `networks.allow_private` has them. */
  url: httpUrl.refine((text) => {
    const url = URL.parse(text);
    return url !== null && url.username === '' && url.password === '' && url.hash === '';
  }, 'an address without user, password and fragment'),
  /** Signs what is sent, after Standard Webhooks: 24 to 64 random bytes in base64, with or without `whsec_`. */
  secret: z.string().refine((text) => {
    const base64 = text.replace(/^whsec_/, '');
    const { length } = Buffer.from(base64, 'base64');
    return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && length >= 24 && length <= 64;
  }, '24 to 64 bytes in base64, such as `openssl rand -base64 32` prints'),
});

/** Where somebody is told what concerns them. */
const receiver = { mail: z.email().optional(), webhook: webhook.optional() };

const notifySchema = z.strictObject({
  /** The mail server that takes what Habeas sends. */
  smtp: z
    .strictObject({
      /** `smtp://host:587`, or `smtps://` for TLS from the first byte; may hold user and password, which need TLS. */
      url: z.url({ protocol: /^smtps?$/ }),
      from: z.email(),
    })
    .optional(),
  /** Programs that follow what happens. */
  webhooks: z
    .array(
      z.strictObject({
        name,
        ...webhook.shape,
        /** Types of events: exact ones, `map.*`, or `*`. */
        events: z
          .array(
            z.string().regex(/^(\*|[a-z][a-z-]*(\.[a-z-]+)*(\.\*)?)$/, 'a type of events, `map.*` or `*`'),
          )
          .min(1)
          .default(['*']),
      }),
    )
    .default([]),
  /** Who runs Habeas. */
  operators: z.strictObject(receiver).prefault({}),
  /** A receiver that fails for so long loses what it did not take. */
  give_up_after: duration.prefault('3d'),
});

export type NotifyConfig = z.output<typeof notifySchema>;

/** `habeas.yaml`, as a person writes it; docs/operate.md lists exactly these keys. */
export const configSchema = z
  .strictObject({
    organization: key.default('default'),
    /** Where the embedded database, the master key and logs lie; relative to the configuration. (Default: .habeas) */
    data_dir: z.string().default('.habeas'),
    listen: z
      .strictObject({
        host: z.string().default('127.0.0.1'),
        port: z.int().min(0).max(65535).default(7311),
        /** How services reach this server, for callbacks. (Default: http://host:port) */
        public_url: z.url({ protocol: /^https?$/ }).optional(),
      })
      .prefault({}),
    map: mapSchema.prefault({}),
    /** Data type → data category of the taxonomy, e.g. `ip: user.device.ip_address`. */
    data_types: z.record(z.string(), z.string()).default({}),
    clients: z
      .strictObject({
        /** Addresses that need no approval by a person: `host`, `host:port`, an IP or a CIDR range. */
        allow: z.array(z.string()).default([]),
        /** How long one call may take. */
        timeout: duration.prefault('10s'),
        /** Most tasks that act on one service at once, per server process. */
        concurrency: z.int().min(1).max(64).default(4),
        /** Which services are spoken to over TLS; the first entry that names an address counts. (Default: none) */
        tls: z.array(clientTls).default([]),
      })
      .prefault({}),
    /** Private address ranges that Habeas may call at all. (Default: none) */
    networks: z.strictObject({ allow_private: z.array(z.string()).default([]) }).prefault({}),
    /** Team → where it is told what concerns its services. */
    teams: z.record(z.string().min(1), z.strictObject(receiver)).default({}),
    notify: notifySchema.prefault({}),
    connections: z.array(connection).default([]),
    requests: z
      .strictObject({
        /** Longest time that one attempt of a task may take: for a store where one person has very much. */
        task_timeout: duration.prefault('15m'),
        /** When a task that failed in a way that may pass is tried again. */
        retries: z
          .strictObject({
            /** After this many failures in a row it waits for a person. (Default: 12) */
            max_failures: z.int().min(1).max(1_000).optional(),
            /** Before the second try; doubled with each failure, of which half is random. (Default: 1s) */
            first_delay: duration.optional(),
            /** (Default: 15m) */
            longest_delay: duration.optional(),
          })
          .prefault({}),
      })
      .prefault({}),
    /** The policy file, relative to the configuration. (Default: the built-in policy) */
    policy: z.string().optional(),
    /** The record of processing, relative to the configuration; see docs/record-of-processing.md. */
    record: z.string().optional(),
  })
  .check(({ value: { teams, notify }, issues }) => {
    if (notify.smtp !== undefined) return;
    const mails = [
      ...Object.entries(teams).map(([team, { mail }]) => ({ mail, path: ['teams', team, 'mail'] })),
      { mail: notify.operators.mail, path: ['notify', 'operators', 'mail'] },
    ];
    for (const { mail, path } of mails) {
      if (mail === undefined) continue;
      const message = 'a mail needs a mail server: name it under notify.smtp';
      issues.push({ code: 'custom', path, message, input: mail });
    }
  })
  .check(({ value: { notify }, issues }) => {
    const names = notify.webhooks.map((webhook) => webhook.name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      const path = ['notify', 'webhooks', index, 'name'];
      issues.push({ code: 'custom', path, message: 'another webhook has this name', input: name });
    }
  });

export type Config = Readonly<z.output<typeof configSchema>> & {
  /** The file it came from, or undefined for the defaults. */
  readonly file: string | undefined;
  /** The folder that relative paths start from. */
  readonly folder: string;
};

export type ClientTlsConfig = z.output<typeof clientTls>;
export type ConnectionConfig = z.output<typeof connection>;

export const CONFIG_FILE = 'habeas.yaml';

/** Reads and checks the configuration. `file` that does not exist is an error; without `file`, `habeas.yaml` in the folder is optional. */
export function loadConfig(options: {
  readonly file?: string | undefined;
  readonly folder?: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Reads these parts alone, so that no variable of another part has to be set; the others are as by default. (Default: all) */
  readonly only?: readonly ConfigPart[];
}): Config {
  const folder = options.folder ?? process.cwd();
  const file = resolve(folder, options.file ?? CONFIG_FILE);
  if (!existsSync(file)) {
    if (options.file === undefined) return { ...configSchema.parse({}), file: undefined, folder };
    throw new HabeasError(
      'CONFIG_INVALID',
      `There is no configuration at ${file}. Make one with \`habeas init\`.`,
      { place: { file } },
    );
  }
  const { environment, only } = options;
  return parseConfig({ text: readFileSync(file, 'utf8'), file, environment, only });
}

export type ConfigPart = keyof z.output<typeof configSchema>;

export function parseConfig(options: {
  readonly text: string;
  readonly file: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly only?: readonly ConfigPart[] | undefined;
}): Config {
  const { value, placeOf } = parseYamlWithPlaces(options.text, options.file, 'CONFIG_INVALID');
  const expanded = expandVariables(partsOf(value, options.only), {
    environment: options.environment,
    path: [],
    placeOf,
  });
  const result = configSchema.safeParse(expanded ?? {});
  if (!result.success) throw fromZodError(result.error, { code: 'CONFIG_INVALID', placeOf });
  return { ...result.data, file: options.file, folder: dirname(options.file) };
}

function partsOf(value: unknown, only: readonly ConfigPart[] | undefined): unknown {
  if (only === undefined || typeof value !== 'object' || value === null) return value;
  const wanted: ReadonlySet<string> = new Set(only);
  return Object.fromEntries(Object.entries(value).filter(([name]) => wanted.has(name)));
}

export type PlaceOf = (path: readonly PropertyKey[]) => SourcePlace;

/** Parses YAML and keeps, for each path into the value, the line that it came from. */
export function parseYamlWithPlaces(
  text: string,
  file: string,
  code: 'CONFIG_INVALID' | 'DATASET_INVALID' | 'POLICY_INVALID' | 'RECORD_INVALID',
): { readonly value: unknown; readonly placeOf: PlaceOf } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const place = (offset: number | undefined): SourcePlace => {
    if (offset === undefined) return { file };
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  const first = document.errors[0];
  if (first !== undefined) {
    const at = place(first.pos[0]);
    throw new HabeasError(code, `${formatPlace(at)}: not valid YAML (${first.code}).`, { place: at });
  }
  const placeOf: PlaceOf = (path) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const parent = document.getIn(path.slice(0, length - 1), true);
      const last = path[length - 1];
      if (isMap(parent) && last !== undefined) {
        const pair = parent.items.find(
          (item) => String((item.key as Node & { value?: unknown })?.value ?? item.key) === String(last),
        );
        const range = (pair?.key as Node | undefined)?.range;
        if (range) return place(range[0]);
      }
      const node = document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range) return place(node.range[0]);
    }
    return { file };
  };
  return { value: document.toJS({ maxAliasCount: 100 }), placeOf };
}

/** All that is wrong in one error, each with its line. */
export function fromZodError(
  error: z.ZodError,
  options: {
    readonly code: 'CONFIG_INVALID' | 'DATASET_INVALID' | 'POLICY_INVALID' | 'RECORD_INVALID';
    readonly placeOf: PlaceOf;
  },
): HabeasError {
  const details = error.issues.map((issue) => {
    const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const at = options.placeOf([...issue.path, ...unknownKey]);
    return `${formatPlace(at)}: ${issue.path.join('.') || 'the file'}: ${issue.message}`;
  });
  const firstPath = error.issues[0]?.path ?? [];
  return new HabeasError(options.code, details.join('\n'), { details, place: options.placeOf(firstPath) });
}

/** `file:line:column`, the way editors and terminals make it a link. */
export function formatPlace(place: SourcePlace): string {
  return [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
}

interface ExpandOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly path: readonly PropertyKey[];
  readonly placeOf: PlaceOf;
}

function expandVariables(value: unknown, options: ExpandOptions): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const found = options.environment[name];
      if (found !== undefined) return found;
      const place = options.placeOf(options.path);
      throw new HabeasError(
        'CONFIG_INVALID',
        `${formatPlace(place)}: the environment variable ${name} is not set.`,
        { place },
      );
    });
  }
  const child = (part: PropertyKey): ExpandOptions => ({ ...options, path: [...options.path, part] });
  if (Array.isArray(value)) return value.map((entry, index) => expandVariables(entry, child(index)));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [name, expandVariables(entry, child(name))]),
    );
  }
  return value;
}

const UNIT_MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `10m` → 600000. The text must have passed the pattern above. */
export function durationToMilliseconds(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2] as keyof typeof UNIT_MILLISECONDS | undefined;
  if (match?.[1] === undefined || unit === undefined)
    throw new HabeasError('CONFIG_INVALID', `"${text}" is not a duration such as 5s, 10m or 30d.`);
  return Number(match[1]) * UNIT_MILLISECONDS[unit];
}
