import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Acme } from '@habeas/example-acme';
import type { createTestKeys } from '../examples/acme/test/pd-client.ts';
import { parseDatasets } from '../packages/server/src/catalog/index.ts';
import {
  type Connector,
  createPdClientConnector,
  createPostgresConnector,
  type Scope,
} from '../packages/server/src/connectors/index.ts';
import {
  createOutbound,
  createOutboundPolicy,
  systemClock,
} from '../packages/server/src/foundation/index.ts';
import { inFlight, limiter } from './limiter.ts';

const DATASET = fileURLToPath(new URL('../examples/acme/datasets/shop.yml', import.meta.url));
const TIMEOUT_MILLISECONDS = 10_000;
const DUE_MILLISECONDS = 30 * 86_400_000;

export interface BareLoop {
  /** Collects what the company holds of its first people, so many at once; gives how many records there were. */
  collect(options: { readonly people: number; readonly inFlight: number }): Promise<number>;
  close(): Promise<void>;
}

/**
 * The calls that Habeas makes for access requests, by its own connectors, with nothing stored, planned, queued, packed or
 * written down: accounts and the shop's database are asked for identities, and once more if the other one told something new,
 * then they and the mailer for what they hold. The mailer works asynchronously and reports to an address, after which its
 * result is fetched.
 */
export async function openBareLoop(options: {
  readonly acme: Acme;
  readonly keys: ReturnType<typeof createTestKeys>;
  /** Most calls at once on each system. */
  readonly concurrency: number;
}): Promise<BareLoop> {
  const { acme, concurrency } = options;
  const outbound = createOutbound({
    policy: createOutboundPolicy({ allowPrivate: ['127.0.0.0/8'], allow: ['127.0.0.1'] }),
  });
  const client = (service: 'accounts' | 'mailer', team: string, protocol: 'grpc' | 'http') => {
    const port = acme.services.find(({ name }) => name === service)?.port;
    return createPdClientConnector({
      service,
      team,
      address: `127.0.0.1:${port}`,
      protocol,
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
      outbound,
      signToken: () => options.keys.token(service),
    });
  };
  const accounts = client('accounts', 'identity', 'grpc');
  const mailer = client('mailer', 'growth', 'http');
  const shop = createPostgresConnector({
    key: 'shop',
    url: acme.shopDatabaseUrl,
    datasets: parseDatasets(readFileSync(DATASET, 'utf8'), DATASET),
    clock: systemClock,
    connections: concurrency,
  });
  const connectors = { accounts, shop };
  const reports = await listenForReports();
  const limits = { accounts: limiter(concurrency), mailer: limiter(concurrency), shop: limiter(concurrency) };

  const collectFrom = async (
    limit: ReturnType<typeof limiter>,
    connector: Connector,
    scope: Scope,
  ): Promise<number> => {
    let operation: string | undefined;
    for (;;) {
      const asked = { ...scope, operation };
      const step = await limit(() => readAll(connector, asked));
      if (step.state === 'done') return step.records;
      operation = step.operation;
      await Promise.race([reports.about(scope.idempotencyKey), delay(step.retryAfterSeconds * 1_000)]);
    }
  };

  return {
    async collect({ people, inFlight: most }) {
      let records = 0;
      await inFlight({ count: people, most }, async (n) => {
        const requestId = `req_${randomUUID()}`;
        const scope = (identities: Scope['identities']): Scope => {
          const idempotencyKey = `bare_${randomUUID()}`;
          return {
            organizationId: 'acme',
            requestId,
            idempotencyKey,
            identities,
            dueTime: new Date(Date.now() + DUE_MILLISECONDS),
            signal: AbortSignal.timeout(60_000),
            callback: { url: `${reports.url}/${idempotencyKey}`, secret: `whsec_${btoa(idempotencyKey)}` },
          };
        };
        const given = [{ type: 'email', value: acme.subject(n).email }];
        const ask = async (of: 'accounts' | 'shop', identities: Scope['identities']) =>
          limits[of](() => connectors[of].resolve?.(scope(identities)) ?? Promise.resolve([]));
        const [fromAccounts, fromShop] = await Promise.all([ask('accounts', given), ask('shop', given)]);
        const told = unique([...given, ...fromAccounts, ...fromShop]);
        const asks = (own: Scope['identities']) => told.length > unique([...given, ...own]).length;
        const again = await Promise.all([
          asks(fromAccounts) ? ask('accounts', told) : [],
          asks(fromShop) ? ask('shop', told) : [],
        ]);
        const known = unique([...told, ...again.flat()]);
        const counts = await Promise.all([
          collectFrom(limits.accounts, accounts, scope(known)),
          collectFrom(limits.shop, shop, scope(known)),
          collectFrom(limits.mailer, mailer, scope(known)),
        ]);
        for (const count of counts) records += count;
      });
      return records;
    },
    async close() {
      await Promise.all([accounts.close(), mailer.close(), shop.close(), reports.close()]);
    },
  };
}

/** Each identity once, as Habeas stores them. */
function unique(identities: Scope['identities']): Scope['identities'] {
  return [...new Map(identities.map((identity) => [JSON.stringify(identity), identity])).values()];
}

type Read =
  | { readonly state: 'done'; readonly records: number }
  | { readonly state: 'pending'; readonly operation: string; readonly retryAfterSeconds: number };

async function readAll(connector: Connector, scope: Scope): Promise<Read> {
  let records = 0;
  for await (const step of connector.collect(scope)) {
    if (step.state === 'pending') return step;
    if (step.state === 'done') return { state: 'done', records };
    records += step.state === 'texts' ? step.texts.count : 1;
  }
  throw new Error('A system ended its answer in the middle.');
}

/** Where the mailer reports the end of its work: any call for a path says that the work with that key is done. */
async function listenForReports() {
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const about = (key: string) => {
    const known = waiting.get(key) ?? Promise.withResolvers<void>();
    waiting.set(key, known);
    return known;
  };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(204).end();
    about(request.url?.slice(1) ?? '').resolve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    about: async (key: string) => {
      await about(key).promise;
      waiting.delete(key);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
