import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Effect, readEffects } from './effects.ts';
import { freePorts } from './free-ports.ts';
import { DEFAULT_PEOPLE, person } from './people.ts';
import { openPostbox } from './postbox.ts';
import {
  type RunningService,
  SERVICES,
  type ServiceName,
  type ServiceProcess,
  startService,
} from './service-process.ts';

export interface AcmeOptions {
  /** Where the services keep their data and their logs. */
  readonly folder: string;
  /** The shop's database; created if the server has none of that name. */
  readonly shopDatabaseUrl: string;
  /** How many people Acme has. (Default: 2,000) */
  readonly people?: number;
  /** The public keys by which the services know Habeas' calls: Ed25519 in base64url. */
  readonly habeasPublicKeys: readonly string[];
  /** (Default: free ones) */
  readonly ports?: Partial<Readonly<Record<ServiceName, number>>>;
  /** Throws away the data of former runs, so that erased people are back. (Default: false) */
  readonly fresh?: boolean;
  /** More of a service's command line, such as `['--hang']`; see `services/service-options.ts`. */
  readonly switches?: Switches;
  readonly onProgress?: (progress: AcmeProgress) => void;
}

export type Switches = Partial<Readonly<Record<ServiceName, readonly string[]>>>;

export interface AcmeProgress {
  readonly service: ServiceName;
  /** People whose data is made, while it is made; then the service answers. */
  readonly state:
    | { readonly kind: 'seeding'; readonly done: number; readonly total: number }
    | { readonly kind: 'ready' };
}

/** Whom a request may be about. */
export interface AcmeSubject {
  /** What the person would type into a form. */
  readonly email: string;
  readonly userId: string;
  /** Everything that points at the person in any system; the e-mail address above comes first. */
  readonly identities: readonly { readonly type: string; readonly value: string }[];
}

/** The running company. */
export interface Acme {
  readonly services: readonly RunningService[];
  readonly shopDatabaseUrl: string;
  /** A page with the mails that people of the example get. */
  readonly mailsUrl: string;
  /** What `habeas.yaml` of this folder reads: where the metrics and the mail server are, and the shop's database. */
  readonly environment: Readonly<Record<string, string>>;
  /** Person `n`, from 0. */
  subject(n: number): AcmeSubject;
  /** Where a service keeps its data. */
  folderOf(name: ServiceName): string;
  /** The journal of a service that has one: what was done under which idempotency key. */
  effectsOf(name: 'accounts' | 'mailer'): readonly Effect[];
  /** Ends a service as a crash would (SIGKILL), and waits until it is gone. */
  kill(name: ServiceName): Promise<void>;
  /** Starts a service again on its port, with other switches if they are given; kills it before if it runs. */
  restart(name: ServiceName, switches?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the four services, each in its own process, and waits until each `/metrics` answers. The processes end with
 * this one, however it ends. Their output goes to `<folder>/<service>.log`.
 */
export async function startAcme(options: AcmeOptions): Promise<Acme> {
  const people = options.people ?? DEFAULT_PEOPLE;
  const folder = resolve(options.folder);
  await mkdir(folder, { recursive: true });
  const postbox = await openPostbox();
  const free = await freePorts(SERVICES.length);
  const processes = new Map<ServiceName, ServiceProcess>();
  const folderOf = (name: ServiceName) => join(folder, name);

  const launch = async (
    name: ServiceName,
    extra: { fresh: boolean; port: number; switches: readonly string[] },
  ) => {
    const child = startService({
      name,
      port: extra.port,
      data: folderOf(name),
      log: join(folder, `${name}.log`),
      shopDatabaseUrl: options.shopDatabaseUrl,
      arguments: [
        `--people=${people}`,
        ...(extra.fresh ? ['--fresh'] : []),
        ...options.habeasPublicKeys.map((key) => `--habeas-key=${key}`),
        ...extra.switches,
      ],
      onSeeded: (done) =>
        options.onProgress?.({ service: name, state: { kind: 'seeding', done, total: people } }),
    });
    processes.set(name, child);
    await child.ready();
    options.onProgress?.({ service: name, state: { kind: 'ready' } });
  };
  const stop = async () => {
    await Promise.all([...[...processes.values()].map((child) => child.end('SIGTERM')), postbox.close()]);
  };
  const running = (name: ServiceName): ServiceProcess => {
    const child = processes.get(name);
    if (child === undefined) throw new Error(`The service ${name} was never started.`);
    return child;
  };

  try {
    await Promise.all(
      SERVICES.map(({ name }, index) =>
        launch(name, {
          fresh: options.fresh ?? false,
          port: options.ports?.[name] ?? free[index] ?? 0,
          switches: options.switches?.[name] ?? [],
        }),
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get services() {
      return SERVICES.map(({ name }) => running(name).service);
    },
    shopDatabaseUrl: options.shopDatabaseUrl,
    mailsUrl: postbox.pageUrl,
    get environment() {
      const urls = SERVICES.map(({ name }) => [
        `ACME_${name.toUpperCase()}_METRICS`,
        running(name).service.metricsUrl,
      ]);
      return {
        ...Object.fromEntries(urls),
        SHOP_DATABASE_URL: options.shopDatabaseUrl,
        ACME_SMTP: postbox.smtpUrl,
      };
    },
    subject,
    folderOf,
    effectsOf: (name) => readEffects(join(folderOf(name), `${name}.sqlite`)),
    kill: (name) => running(name).end('SIGKILL'),
    restart: async (name, switches) => {
      const { service, end } = running(name);
      await end('SIGKILL');
      await launch(name, {
        fresh: false,
        port: service.port,
        switches: switches ?? options.switches?.[name] ?? [],
      });
    },
    stop,
  };
}

/** Everything that points at person `n` (from 0), however many people there are. */
export function subject(n: number): AcmeSubject {
  const { email, newsEmail, userId } = person(n);
  const identities = [
    { type: 'email', value: email },
    { type: 'user_id', value: userId },
    ...(newsEmail === undefined ? [] : [{ type: 'email', value: newsEmail }]),
  ];
  return { email, userId, identities };
}
