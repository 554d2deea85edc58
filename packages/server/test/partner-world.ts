import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { stringify } from 'yaml';
import { createLogger, loadConfig } from '../src/foundation/index.ts';
import { openState } from '../src/main.ts';
import { migrations } from '../src/migrations.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { PARTNER_CA, PARTNER_CERTIFICATE, PARTNER_KEY } from './partner-certificates.ts';
import { SMALL_SHOP, SMALL_SHOP_DATASET } from './small-shop.ts';
import { receiveWebhooks, type WebhookReceiverServer } from './webhook-receiver.ts';

export const DOMAIN = 'dsr.acme.example';
export const BUSINESS = 'ACME';

export interface PartnerWorld extends AsyncDisposable {
  /** Where the server listens. */
  readonly url: string;
  readonly folder: string;
  /** The admin key. */
  readonly key: string;
  /** The shop that requests act on. */
  readonly shop: TestDatabase;
  readonly state: TestDatabase;
  /** Where callbacks go. */
  readonly receiver: WebhookReceiverServer;
  readonly callbackOrigin: string;
  /** Lines of the server's log. */
  readonly log: string[];
  /** Calls our own API as an officer does. */
  api(method: string, path: string, body?: object): Promise<Response>;
  emails(): Promise<readonly string[]>;
  /** What doctor says of other organizations' systems. */
  examine(): Promise<readonly { readonly what: string; readonly finding: string }[]>;
}

export interface PartnerWorldOptions {
  /** What of `partners.drp` is different. */
  readonly drp?: Readonly<Record<string, unknown>>;
  readonly opendsr?: Readonly<Record<string, unknown>>;
  /** More of the configuration. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly policy?: string;
  readonly networks?: readonly string[];
  /** Files to write into the folder of the configuration. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A real server on a free port, over a small shop in PostgreSQL, that other organizations' systems may send requests to. */
export async function startPartnerWorld(options: PartnerWorldOptions = {}): Promise<PartnerWorld> {
  const [state, shop, receiver] = await Promise.all([
    createTestDatabase(migrations),
    createTestDatabase(),
    receiveWebhooks(),
  ]);
  await sql.raw(`set search_path to public; ${SMALL_SHOP}`).execute(shop.db);
  const folder = mkdtempSync(join(tmpdir(), 'habeas-partners-'));
  const files: Readonly<Record<string, string>> = {
    'dataset.yml': SMALL_SHOP_DATASET,
    'policy.yml': options.policy ?? '{}',
    'tls/chain.pem': `${PARTNER_CERTIFICATE}${PARTNER_CA}`,
    'tls/key.pem': PARTNER_KEY,
    ...options.files,
  };
  mkdirSync(join(folder, 'tls'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const configuration = {
    organization: 'acme',
    data_dir: '.habeas',
    policy: 'policy.yml',
    networks: { allow_private: options.networks ?? ['127.0.0.1'] },
    connections: [{ key: 'shop', kind: 'postgres', team: 'shop', url: shop.url, datasets: ['dataset.yml'] }],
    partners: {
      opendsr: {
        domain: DOMAIN,
        certificate: 'tls/chain.pem',
        key: 'tls/key.pem',
        identities: { email: 'email', controller_customer_id: 'customer_id' },
        ...options.opendsr,
      },
      drp: { business_id: BUSINESS, ...options.drp },
    },
    ...options.more,
  };
  const file = join(folder, 'habeas.yaml');
  writeFileSync(file, stringify(configuration));
  const log: string[] = [];
  const opened = await openState({
    databaseUrl: state.url,
    organizationId: 'acme',
    dataDir: join(folder, '.habeas'),
    environment: {},
    logger: createLogger({ level: 'info', destination: { write: (line: string) => void log.push(line) } }),
  });
  const server = await opened.createServer(loadConfig({ file, environment: {} }), {
    publicUrl: 'https://habeas.acme.example',
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    key: opened.firstKey ?? '',
    folder,
    shop,
    state,
    receiver,
    log,
    callbackOrigin: `http://127.0.0.1:${receiver.port}`,
    api: (method, path, body) =>
      fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${opened.firstKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    async emails() {
      const { rows } = await sql<{ email: string }>`select email from public.customers order by id`.execute(
        shop.db,
      );
      return rows.map(({ email }) => email);
    },
    examine: () => server.partners.examine(),
    async [Symbol.asyncDispose]() {
      await server.close();
      await opened.close();
      await receiver[Symbol.asyncDispose]();
      await Promise.all([state.close(), shop.close()]);
      rmSync(folder, { recursive: true });
    },
  };
}
