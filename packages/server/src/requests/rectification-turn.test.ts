import { setTimeout as delay } from 'node:timers/promises';
import { memoryOperationStore, servePersonalData } from '@habeas/sdk';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { auditMigrations } from '../audit/index.ts';
import { parseDatasets } from '../catalog/index.ts';
import {
  type Capability,
  type Connector,
  createPdClientConnector,
  createPostgresConnector,
  type PlannableSystem,
  type Systems,
} from '../connectors/index.ts';
import {
  createLogger,
  createOutbound,
  createOutboundPolicy,
  HabeasError,
  newSecretKey,
  systemClock,
} from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { parsePolicy } from '../policy/index.ts';
import { type Caller, createRequests, type Requests, requestMigrations } from './index.ts';

const caller: Caller = { organizationId: 'acme', actor: 'key:key_1' };
const CITY = 'user.contact.address.city';
const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: customers
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: city, data_categories: [${CITY}] }
`;
const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
const { x = '' } = await exportJWK(publicKey);

let opened = new AsyncDisposableStack();
afterEach(() => opened.disposeAsync());

/** A PostgreSQL database and a service, each with a copy of everybody's city, and two servers over one state of Habeas. */
async function startWorld(policy = '') {
  opened = new AsyncDisposableStack();
  const store = await createTestDatabase();
  opened.defer(() => store.close());
  await store.pool.query(`
    create table public.customers (id int primary key, email text not null, city text not null);
    insert into public.customers values (1, 'ada@example.org', 'Garz'), (2, 'bob@example.org', 'Garz')`);
  const shop = createPostgresConnector({
    key: 'shop',
    url: store.url,
    datasets: parseDatasets(DATASET, 'shop.yml'),
    clock: systemClock,
  });
  opened.defer(() => shop.close());
  const accounts = await startAccounts();
  const database = await createTestDatabase({
    ...auditMigrations,
    ...notifyMigrations,
    ...requestMigrations,
  });
  opened.defer(() => database.close());
  const systems = systemsOf(new Map([['shop', shop] as const, ['accounts', accounts.connector] as const]));
  const masterKey = newSecretKey();
  const server = async (): Promise<Requests> => {
    const requests = createRequests({
      db: database.db,
      organizationId: caller.organizationId,
      databaseUrl: database.url,
      systems,
      policy: parsePolicy(policy, 'policy.yaml'),
      masterKey,
      clock: systemClock,
      logger: createLogger({ level: 'silent' }),
      sign: async () => ({ signature: '', publicKey: {} }),
      proveEntry: async () => undefined,
      callback: (taskId) => ({
        url: `https://habeas.example/callbacks/${taskId}`,
        secret: `whsec_${'A'.repeat(43)}=`,
      }),
      verifyCallback: () => new Date(),
      retry: { maxFailures: 3, firstDelayMilliseconds: 1, longestDelayMilliseconds: 20 },
      reconcileMilliseconds: 50,
    });
    opened.defer(() => requests.stop());
    await requests.start();
    return requests;
  };
  const servers = [await server(), await server()] as const;
  const [requests] = servers;
  return {
    requests,
    servers,
    async ask(city: string, email = 'ada@example.org', by = requests): Promise<string> {
      const { request } = await by.receive(caller, {
        right: 'rectification',
        identities: [{ type: 'email', value: email }],
        changes: [{ target: CITY, to: city }],
        dryRun: false,
      });
      return request.id;
    },
    async inState(id: string, state: string): Promise<void> {
      await eventually(`${id} is ${state}`, async () => {
        const { state: is } = await requests.get(caller, id);
        if (is === 'blocked' && state !== 'blocked')
          throw new Error(JSON.stringify((await requests.tasks(caller, id)).map(({ error }) => error)));
        return is === state;
      });
    },
    async cities(email = 'ada@example.org'): Promise<readonly (string | undefined)[]> {
      const { rows } = await store.pool.query('select city from public.customers where email = $1', [email]);
      return [rows[0].city, accounts.cities.get(email)];
    },
    /** What the task of the shop that tries the new value says of its wait. */
    async noteOf(id: string): Promise<string | null | undefined> {
      const tasks = await requests.tasks(caller, id);
      return tasks.find(({ key }) => key === 'validate:shop')?.note;
    },
  };
}

/** A service that takes a moment to change a city. */
async function startAccounts() {
  const cities = new Map([
    ['ada@example.org', 'Garz'],
    ['bob@example.org', 'Garz'],
  ]);
  const server = await servePersonalData({
    service: 'accounts',
    port: 0,
    host: '127.0.0.1',
    habeas: { publicKeys: [x] },
    operations: memoryOperationStore(),
    onError: () => undefined,
    describe: { dataCategories: [CITY], identitiesNeeded: ['email'] },
    get: () => [],
    delete: () => ({ counts: {} }),
    verify: () => ({ counts: {} }),
    rectify: {
      check: ({ values, changes }) => ({ counts: count(cities, values('email'), changes[0]?.to) }),
      async change({ values, changes }) {
        const to = changes[0]?.to;
        const counts = count(cities, values('email'), to);
        await delay(20);
        for (const email of values('email')) if (cities.has(email)) cities.set(email, String(to));
        return { counts };
      },
    },
  });
  opened.defer(() => server.close());
  const connector = createPdClientConnector({
    service: 'accounts',
    team: 'identity',
    address: `127.0.0.1:${server.port}`,
    protocol: 'http',
    timeoutMilliseconds: 5_000,
    outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) }),
    signToken: ({ audience, requestId, method }) =>
      new SignJWT({ method, ...(requestId === undefined ? {} : { request_id: requestId }) })
        .setProtectedHeader({ alg: 'EdDSA' })
        .setIssuer('habeas')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('5 minutes')
        .sign(privateKey),
  });
  opened.defer(() => connector.close());
  return { cities, connector };
}

function count(cities: ReadonlyMap<string, string>, emails: readonly string[], to: unknown) {
  const due = emails.filter((email) => cities.has(email) && cities.get(email) !== to);
  return due.length === 0 ? {} : { profiles: due.length };
}

const CAPABILITIES: Readonly<Record<string, readonly Capability[]>> = {
  shop: ['locate', 'rectify', 'verify'],
  accounts: ['rectify', 'verify'],
};

function systemsOf(connectors: ReadonlyMap<string, Connector>): Systems {
  return {
    sweep: async () => undefined,
    plannable: async () =>
      [...connectors.keys()].map(
        (key): PlannableSystem => ({
          key,
          team: `team-${key}`,
          by: 'connection',
          capabilities: new Set(CAPABILITIES[key]),
          needs: ['email'],
          resolves: [],
          dataTypes: ['city'],
        }),
      ),
    blindSpots: async () => [],
    async connector(key) {
      const found = connectors.get(key);
      if (found === undefined) throw new HabeasError('INTERNAL', `There is no ${key}.`);
      return found;
    },
    concurrency: () => 4,
    close: async () => undefined,
  };
}

describe('two rectifications of one person that contradict each other', () => {
  it('are both completed, and the value of the one that came later stands in every store, whichever server does what', async () => {
    const world = await startWorld();
    for (let round = 0; round < 6; round += 1) {
      const made = await Promise.all(
        world.servers.map(async (server, index) => {
          const city = `Graz ${round}.${index}`;
          return { city, id: await world.ask(city, 'ada@example.org', server) };
        }),
      );
      for (const { id } of made) await world.inState(id, 'completed');
      const later = made.toSorted((a, b) => (a.id < b.id ? -1 : 1)).at(-1);
      expect(await world.cities()).toEqual([later?.city, later?.city]);
    }
    expect(await world.cities('bob@example.org')).toEqual(['Garz', 'Garz']);
  });

  it('wait for each other in the order in which they came, and say so; nobody else waits', async () => {
    const world = await startWorld('rules: [{ when: { right: rectification }, approval: required }]\n');
    const first = await world.ask('Graz');
    const second = await world.ask('Wien', 'Ada@Example.org ');
    const other = await world.ask('Linz', 'bob@example.org');
    for (const id of [second, other]) await world.requests.command(caller, id, { type: 'approve' });
    await world.inState(other, 'completed');
    await eventually('the second waits', async () => typeof (await world.noteOf(second)) === 'string');
    expect(await world.noteOf(second)).toBe(`after ${first}, which corrects the same person and came first`);
    expect(await world.cities()).toEqual(['Garz', 'Garz']);
    await world.requests.command(caller, first, { type: 'approve' });
    for (const id of [first, second]) await world.inState(id, 'completed');
  });

  it('do not wait for one that was rejected', async () => {
    const world = await startWorld('rules: [{ when: { right: rectification }, approval: required }]\n');
    const first = await world.ask('Graz');
    const second = await world.ask('Wien');
    await world.requests.command(caller, second, { type: 'approve' });
    await eventually('the second waits', async () => typeof (await world.noteOf(second)) === 'string');
    await world.requests.command(caller, first, { type: 'reject', reason: 'no proof' });
    await world.inState(second, 'completed');
    expect(await world.cities()).toEqual(['Wien', 'Wien']);
  });
});
