import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { receiveMails } from '../../test/mail-server.ts';
import { type PageServer, serveMetrics } from '../../test/page-server.ts';
import { auditMigrations } from '../audit/index.ts';
import { createLogger, fixedClock, parseConfig } from '../foundation/index.ts';
import { createEventFeed, createNotifications, notifyMigrations } from '../notify/index.ts';
import { applyReading } from './apply-reading.ts';
import { createMap } from './create-map.ts';
import type { TransmitDeclaration } from './declaration.ts';
import { sensitivityOf } from './exports/sensitive-categories.ts';
import { mapMigrations } from './migrations.ts';
import { type Alert, distinctAlerts, flowAlert } from './watch-alerts.ts';
import { APPEARS_AGAIN_MILLISECONDS, appearancesOf, type KnownAlert } from './watch-appearances.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...mapMigrations };
const logger = createLogger({ level: 'silent' });
const organizationId = 'acme';

const PLAIN_FLOW = 'transmit{team="data",service="sentinel",to_service="hammer",data_type="ip"} 1\n';
const FLOW = 'transmit{team="data",service="sentinel",to_service="hammer",data_type="diagnosis"} 1\n';
const STORE = 'store{team="data",service="bigtable",data_type="ip"} 1\n';
const clientAt = (address: string) => `client{team="data",address="${address}",protocol="grpc"} 1\n`;

interface Options {
  readonly pages: readonly PageServer[];
  readonly allow?: readonly string[];
  readonly connections?: readonly { readonly service: string; readonly team: string }[];
}

function open(database: Pick<TestDatabase, 'db'>, { pages, allow = [], connections = [] }: Options) {
  const clock = fixedClock('2026-11-21T08:00:00Z');
  const value = {
    map: { scrape: pages.map(({ url }) => ({ url })) },
    clients: { allow },
    data_types: { ip: 'user.device.ip_address', diagnosis: 'user.health_and_medical' },
    connections: connections.map((connection) => ({
      ...connection,
      key: 'shop',
      kind: 'postgres',
      url: 'postgres://shop',
      datasets: ['shop.yml'],
    })),
  };
  const config = parseConfig({ text: JSON.stringify(value), file: 'habeas.yaml', environment: {} });
  return { map: createMap({ db: database.db, clock, organizationId, config, logger }), clock, config };
}

async function told(database: TestDatabase) {
  const { rows } = await sql<{ type: string; data: string }>`
    select type, data from outbox_events where type like 'map.%' and type not in ('map.changed', 'map.shrunk')
    order by sequence`.execute(database.db);
  return rows.map(({ type, data }) => ({ type, ...JSON.parse(data) }));
}

const kindsOf = async (database: TestDatabase) => (await told(database)).map(({ type }) => type);

describe('a flow of a sensitive category', () => {
  it('is told once when it appears, whichever sources say it and however often they are read', async () => {
    await using database = await createTestDatabase(migrations);
    await using one = await serveMetrics(PLAIN_FLOW);
    await using other = await serveMetrics('');
    const { map, clock } = open(database, { pages: [one, other] });
    await map.poll();
    expect(await told(database)).toEqual([]);
    one.text = PLAIN_FLOW + FLOW;
    clock.advance(30_000);
    await map.poll();
    const alert = {
      type: 'map.sensitive-flow-appeared',
      team: 'data',
      service: 'sentinel',
      to_service: 'hammer',
      data_type: 'diagnosis',
      category: 'user.health_and_medical',
      sensitivity: 'article 9',
      source: one.url,
      since: '2026-11-21T08:00:30.000Z',
    };
    expect(await told(database)).toEqual([alert]);
    other.text = FLOW.replace('} 1', ',purpose="research"} 1');
    clock.advance(30_000);
    await map.poll();
    await Promise.all([map.poll(), map.poll()]);
    expect(await told(database)).toEqual([alert]);
  });

  it('is told again only if it was gone for a day', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(PLAIN_FLOW + FLOW);
    const { map, clock } = open(database, { pages: [page] });
    const pollWith = async (text: string, hoursLater: number) => {
      page.text = text;
      clock.advance(hoursLater * 3_600_000);
      await map.poll();
    };
    await pollWith(PLAIN_FLOW + FLOW, 0);
    await pollWith(PLAIN_FLOW, 1);
    await pollWith(PLAIN_FLOW + FLOW, 1);
    await pollWith(PLAIN_FLOW, 100);
    await pollWith(PLAIN_FLOW + FLOW, 23);
    expect(await kindsOf(database)).toHaveLength(1);
    await pollWith(PLAIN_FLOW, 1);
    await pollWith(PLAIN_FLOW + FLOW, 24);
    expect((await told(database)).map(({ since }) => since)).toEqual([
      '2026-11-21T08:00:00.000Z',
      '2026-11-27T14:00:00.000Z',
    ]);
  });

  it('is told even if it is gone again, and the process too, before the whole map was looked at', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(PLAIN_FLOW);
    const declaration: TransmitDeclaration = {
      kind: 'transmit',
      team: 'data',
      service: 'sentinel',
      toService: 'hammer',
      dataType: 'diagnosis',
    };
    await applyReading(database.db, {
      organizationId,
      reading: {
        state: 'read',
        source: page.url,
        declarations: [declaration],
        rejections: [],
        problems: [],
        complete: true,
      },
      startedAt: new Date('2026-11-21T07:59:00Z'),
      categoryOf: () => 'user.health_and_medical',
    });
    expect(await told(database)).toEqual([]);
    const { map } = open(database, { pages: [page] });
    await map.poll();
    expect(await kindsOf(database)).toEqual(['map.sensitive-flow-appeared']);
    expect((await map.map()).flows.map((flow) => flow.data_type)).toEqual(['ip']);
  });

  it('and all below it are sensitive; each alert names the declaring team and nothing of the details', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const category = fc.constantFrom(undefined, 'user.health_and_medical', 'user.biometric.x', 'user.name');
    fc.assert(
      fc.property(word, word, word, category, fc.option(word), (team, from, to, found, purpose) => {
        const declaration: TransmitDeclaration = {
          kind: 'transmit',
          team,
          service: from,
          toService: to,
          dataType: 'x',
          purpose: purpose ?? undefined,
        };
        const since = 0;
        const options = { source: 's', since, categoryOf: () => found };
        const alert = flowAlert({ ...options, declaration });
        expect(alert === undefined).toBe(sensitivityOf(found ?? null) === undefined);
        if (alert === undefined) return;
        expect(alert.data).toMatchObject({ team, service: from, to_service: to, category: found });
        const plain = flowAlert({ ...options, declaration: { ...declaration, purpose: undefined } });
        expect(alert).toEqual(plain);
        const elsewhere = flowAlert({ ...options, declaration: { ...declaration, toService: `${to}x` } });
        expect(elsewhere?.subject).not.toBe(alert.subject);
      }),
    );
  });
});

describe('a store without an eraser', () => {
  it('is told to its team, with the client that waits for a decision if there is one', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE);
    const { map, clock } = open(database, { pages: [page] });
    await map.poll();
    const alert = { type: 'map.store-without-eraser', team: 'data', service: 'bigtable' };
    expect(await told(database)).toMatchObject([
      { ...alert, data_types: 'ip', reason: 'no-client', client: null, since: '2026-11-21T08:00:00.000Z' },
    ]);
    page.text = STORE.replace('bigtable', 'ledger') + STORE + clientAt('pd.data.svc:1337');
    clock.advance(30_000);
    await map.poll();
    const [client] = await map.listClients();
    expect((await told(database)).slice(1)).toMatchObject([
      { ...alert, service: 'ledger', reason: 'client-not-approved', client: client?.id },
    ]);
  });

  it.each<[string, Partial<Options>]>([
    ['the allow-list approves its client in the same poll', { allow: ['pd.data.svc'] }],
    ['a connection acts on it', { connections: [{ service: 'bigtable', team: 'data' }] }],
  ])('is no alert if %s', async (_, options) => {
    await using database = await createTestDatabase(migrations);
    await using stores = await serveMetrics(STORE);
    await using clients = await serveMetrics(clientAt('pd.data.svc:1337'));
    const { map } = open(database, { pages: [stores, clients], ...options });
    await map.poll();
    expect(await told(database)).toEqual([]);
  });
});

describe('the address of a client', () => {
  it('is told when it is another one than before, also if the allow-list takes it, but not the first one', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(clientAt('pd.data.svc:1337'));
    const { map, clock } = open(database, { pages: [page], allow: ['pd.data.svc', 'evil.data.svc'] });
    await map.poll();
    expect(await told(database)).toEqual([]);
    for (const address of ['evil.data.svc:1337', 'unknown.svc:1']) {
      page.text = clientAt(address);
      clock.advance(30_000);
      await map.poll();
      await map.poll();
    }
    const alert = { type: 'map.client-address-changed', team: 'data', service: null, protocol: 'grpc' };
    expect(await told(database)).toMatchObject([
      {
        ...alert,
        address: 'evil.data.svc:1337',
        address_before: 'pd.data.svc:1337',
        state: 'approved',
        since: '2026-11-21T08:00:30.000Z',
      },
      {
        ...alert,
        address: 'unknown.svc:1',
        address_before: 'evil.data.svc:1337',
        state: 'proposed',
        since: '2026-11-21T08:01:00.000Z',
      },
    ]);
  });
});

it('a client whose address comes back after days is told again', async () => {
  await using database = await createTestDatabase(migrations);
  await using page = await serveMetrics(clientAt('a.svc:1') + STORE);
  const { map, clock } = open(database, { pages: [page], allow: ['a.svc', 'b.svc'] });
  for (const address of ['a.svc:1', 'b.svc:1', 'a.svc:1', 'b.svc:1']) {
    page.text = clientAt(address) + STORE;
    clock.advance(48 * 3_600_000);
    await map.poll();
  }
  expect((await told(database)).map(({ address }) => address)).toEqual(['b.svc:1', 'b.svc:1']);
});

describe('a poll', () => {
  it('is one mail to each team that it concerns, of the first poll too, and to operators what concerns all', async () => {
    await using database = await createTestDatabase(migrations);
    await using mails = await receiveMails();
    const pages = [FLOW + STORE, STORE.replace('bigtable', 'ledger'), STORE.replace('"data"', '"shop"')];
    await using stack = new AsyncDisposableStack();
    const servers = await Promise.all(pages.map(serveMetrics));
    for (const server of servers) stack.use(server);
    const { map, clock, config } = open(database, { pages: servers });
    const feed = createEventFeed({ ...database, logger });
    stack.defer(() => feed.close());
    const notifications = createNotifications({
      ...database,
      organizationId,
      config: {
        ...config,
        teams: { data: { mail: 'data@acme.example' } },
        notify: {
          ...config.notify,
          smtp: { url: `smtp://127.0.0.1:${mails.port}`, from: 'habeas@acme.example' },
          operators: { mail: 'ops@acme.example' },
        },
      },
      feed,
      sign: () => '',
      clock,
      logger,
    });
    stack.defer(() => notifications.stop());
    await notifications.start();
    await map.poll();
    const subjects = () => mails.mails.map(({ to, parsed }) => `${to.join()}: ${parsed.subject}`).sort();
    const first = [
      'data@acme.example: Habeas: 3 things to know about the data of team data',
      'ops@acme.example: Habeas: bigtable stores ip, and nothing erases it there',
    ];
    await eventually('two mails', () => mails.mails.length === 2);
    expect(subjects()).toEqual(first);
    clock.advance(30_000);
    await map.poll();
    for (const server of servers) server.text = PLAIN_FLOW;
    clock.advance(30_000);
    await map.poll();
    await eventually('another mail', () => mails.mails.length > 2);
    expect(subjects().filter((subject) => !first.includes(subject))).toEqual([
      expect.stringMatching(/^ops@acme\.example: Habeas: The map lost \d of its \d flows and stores/),
    ]);
  });
});

it('docs/notifications.md lists what each alert says', async () => {
  await using database = await createTestDatabase(migrations);
  await using page = await serveMetrics(FLOW + STORE + clientAt('pd.data.svc:1337'));
  const { map, clock } = open(database, { pages: [page] });
  await map.poll();
  page.text = FLOW + STORE + clientAt('pd.data.svc:1338');
  clock.advance(30_000);
  await map.poll();
  const text = readFileSync(new URL('../../../../docs/notifications.md', import.meta.url), 'utf8');
  const [, table = ''] = text.split('| `data` of | has |');
  for (const { type, ...data } of await told(database)) {
    const row = table.split('\n').find((line) => line.startsWith(`| \`${type}\` |`)) ?? '';
    const names = [...row.replaceAll(/\([^)]*\)/g, '').matchAll(/`([a-z_]+)`/g)].map(([, name]) => name);
    expect([type, names]).toEqual([type, Object.keys(data)]);
  }
  expect(new Set(await kindsOf(database)).size).toBe(3);
});

describe('appearances', () => {
  const alertOf = (subject: string): Alert => ({
    kind: 'map.store-without-eraser',
    subject,
    data: { team: 'data', since: '2026-11-21T08:00:00.000Z' },
  });

  it('tell each thing once for each time that it appears, whatever the order of looks', () => {
    const look = fc.record({
      hours: fc.integer({ min: 0, max: 40 }),
      present: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 30 }), (looks) => {
        let now = 0;
        let known: readonly KnownAlert[] = [];
        const got: Record<string, number[]> = {};
        const want: Record<string, number[]> = {};
        /** When each was first missed since it was there last; undefined: there; null: never there. */
        const missed: Record<string, number | undefined | null> = { a: null, b: null, c: null };
        for (const { hours, present } of looks) {
          now += hours * 3_600_000;
          const found = appearancesOf(known, distinctAlerts(present.map(alertOf)), new Date(now));
          for (const { subject } of found.appeared) got[subject] = [...(got[subject] ?? []), now];
          known = remember(known, found, new Date(now));
          for (const subject of ['a', 'b', 'c'] as const) {
            const since = missed[subject];
            if (!present.includes(subject)) {
              if (since === undefined) missed[subject] = now;
              continue;
            }
            const isNew =
              since === null || (since !== undefined && now - since >= APPEARS_AGAIN_MILLISECONDS);
            if (isNew) want[subject] = [...(want[subject] ?? []), now];
            missed[subject] = undefined;
          }
        }
        expect(got).toEqual(want);
      }),
    );
  });

  /** What the table holds afterwards. */
  function remember(
    known: readonly KnownAlert[],
    { appeared, returned, gone }: ReturnType<typeof appearancesOf>,
    now: Date,
  ): readonly KnownAlert[] {
    const rows = new Map(known.map((alert) => [alert.subject, alert]));
    for (const { kind, subject } of [...appeared, ...returned]) {
      rows.set(subject, { kind, subject, goneAt: null });
    }
    for (const { kind, subject } of gone) rows.set(subject, { kind, subject, goneAt: now });
    return [...rows.values()];
  }
});
