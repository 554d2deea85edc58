import { api } from '@habeas/contract';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { UNDECIDED } from '../../test/empty-map.ts';
import { type PageServer, serveMetrics, servePages } from '../../test/page-server.ts';
import { auditMigrations, listAudit } from '../audit/index.ts';
import { createLogger, fixedClock, openDatabase, parseConfig } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { type CreateMapOptions, createMap } from './create-map.ts';
import type { DataMap } from './data-map.ts';
import { mapMigrations } from './migrations.ts';
import type { MapTables } from './tables.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...mapMigrations };
const logger = createLogger({ level: 'silent' });
const organizationId = 'acme';

const STORE = 'store{team="data",service="bigtable",data_type="ip"} 1\n';
const FLOW = 'transmit{team="data",service="sentinel",to_service="bigtable",data_type="ip"} 1\n';
const CLIENT = 'client{team="data",address="pd-client.data.svc:1337",protocol="grpc"} 1\n';

interface Setup {
  readonly pages: readonly PageServer[];
  readonly allow?: readonly string[];
  readonly timeout?: string;
  readonly interval?: string;
}

function configFor({ pages, allow = [], timeout = '5s', interval = '30s' }: Setup) {
  const value = {
    map: { scrape: pages.map(({ url }) => ({ url })), timeout, interval },
    clients: { allow },
    data_types: { ip: 'user.device.ip_address' },
  };
  return parseConfig({ text: JSON.stringify(value), file: 'habeas.yaml', environment: {} });
}

function open(database: Pick<TestDatabase, 'db'>, setup: Setup, change: Partial<CreateMapOptions> = {}) {
  const clock = fixedClock('2026-11-21T08:00:00Z');
  const map = createMap({
    db: database.db,
    clock,
    organizationId,
    config: configFor(setup),
    logger,
    ...change,
  });
  return { map, clock };
}

function rowsOf(database: TestDatabase) {
  return database.db
    .withTables<MapTables>()
    .selectFrom('map_declarations')
    .select([
      'organization_id',
      'source',
      'kind',
      'data_type',
      'first_seen',
      'last_seen',
      sql<string>`xmin`.as('xmin'),
    ])
    .orderBy('kind')
    .orderBy('data_type')
    .orderBy('first_seen')
    .execute();
}

async function eventsOf(database: TestDatabase) {
  const { rows } = await sql<{ type: string; data: string }>`
    select type, data from outbox_events order by sequence`.execute(database.db);
  return rows.map((row) => row.type);
}

async function only<Item>(items: Promise<readonly Item[]>): Promise<Item> {
  const [first, ...others] = await items;
  expect(others).toEqual([]);
  if (first === undefined) throw new Error('There is nothing.');
  return first;
}

const at = (time: string) => `2026-11-21T${time}.000Z`;

describe('poll', () => {
  it('remembers since when and until when each source declared something', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE + FLOW);
    const { map, clock } = open(database, { pages: [page] });
    expect(await map.poll()).toEqual({
      at: clock.now(),
      sources: [
        {
          source: page.url,
          state: 'ok',
          declarations: 2,
          started: 2,
          ended: 0,
          error: null,
          warnings: [],
        },
      ],
    });
    clock.advance(60_000);
    await map.poll();
    const seen = { first_seen: at('08:00:00'), last_seen: at('08:01:00') };
    expect((await map.map()).flows).toMatchObject([
      { from: 'sentinel', to: 'bigtable', source: page.url, ...seen },
    ]);
    expect(await map.services()).toMatchObject([
      { name: 'bigtable', team: 'data', stores: ['ip'], ...seen },
      { name: 'sentinel', team: 'data', stores: [], ...seen },
    ]);
    clock.advance(60_000);
    page.text = STORE;
    expect((await map.poll()).sources).toMatchObject([{ started: 0, ended: 1 }]);
    expect((await map.map()).flows).toEqual([]);
    clock.advance(60_000);
    page.text = STORE + FLOW;
    await map.poll();
    const history = (await rowsOf(database)).map((row) => [row.kind, row.first_seen, row.last_seen]);
    expect(history).toEqual([
      ['store', new Date(at('08:00:00')), null],
      ['transmit', new Date(at('08:00:00')), new Date(at('08:01:00'))],
      ['transmit', new Date(at('08:03:00')), null],
    ]);
  });

  it('writes nothing but a heartbeat when nothing changed', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE + FLOW + CLIENT);
    const { map, clock } = open(database, { pages: [page], allow: ['pd-client.data.svc'] });
    await map.poll();
    const before = [
      await rowsOf(database),
      await eventsOf(database),
      await map.listClients(),
      await listAudit(database.db, { organizationId }),
    ];
    const counted = await sql<{ xmin: string }>`select xmin from map_clients`.execute(database.db);
    page.text = CLIENT + FLOW + STORE;
    await map.poll();
    const after = [
      await rowsOf(database),
      await eventsOf(database),
      await map.listClients(),
      await listAudit(database.db, { organizationId }),
    ];
    expect(after).toEqual(before);
    expect((await sql<{ xmin: string }>`select xmin from map_clients`.execute(database.db)).rows).toEqual(
      counted.rows,
    );
    clock.advance(1_000);
    await map.poll();
    expect((await map.map()).flows).toMatchObject([{ last_seen: at('08:00:01') }]);
  });

  it('says in the audit log and in an event what changed, without a label', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE + FLOW);
    const { map } = open(database, { pages: [page] });
    await map.poll();
    const entry = await only(listAudit(database.db, { organizationId }));
    expect(entry).toMatchObject({
      actor: 'system',
      action: 'map.changed',
      subject: page.url,
      details: { started: 2, ended: 0 },
    });
    expect(await eventsOf(database)).toEqual(['map.changed', 'map.store-without-eraser']);
  });

  it('ends nothing while a source is dead, and tells when it dies and comes back', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE + FLOW);
    await using other = await serveMetrics('store{team="shop",service="orders",data_type="name"} 1\n');
    const { map, clock } = open(database, { pages: [page, other] });
    await map.poll();
    page.status = 503;
    page.text = '';
    clock.advance(60_000);
    const report = await map.poll();
    expect(report.sources).toMatchObject([
      { source: page.url, state: 'failing', error: { code: 'SCRAPE_FAILED' } },
      { source: other.url, state: 'ok' },
    ]);
    await map.poll();
    const view = await map.map();
    expect(view.flows).toMatchObject([{ last_seen: at('08:00:00') }]);
    expect(view.stores.map((store) => [store.service, store.last_seen])).toEqual([
      ['bigtable', at('08:00:00')],
      ['orders', at('08:01:00')],
    ]);
    const failing = (await map.gaps()).filter((gap) => gap.kind === 'source-failing');
    expect(failing.map((gap) => gap.message)).toEqual([
      `${page.url} answered with status 503 instead of 200. It was last read completely at ${at('08:00:00')}; what it said then still counts.`,
    ]);
    page.status = 200;
    page.text = STORE;
    clock.advance(60_000);
    expect((await map.poll()).sources).toMatchObject([{ state: 'ok', ended: 1 }, {}]);
    expect((await map.gaps()).filter((gap) => gap.kind === 'source-failing')).toEqual([]);
    const types = (await eventsOf(database)).filter((type) => type.startsWith('source.'));
    expect(types).toEqual(['source.failing', 'source.recovered']);
  });

  it('ends nothing on a page with broken or refused lines, takes what is new in it, and names both', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE);
    const { map } = open(database, { pages: [page] });
    await map.poll();
    page.text = `${FLOW}store{team="data",service="bigtable" 1\nstore{team="data",service="lake",data_type="ada@example.org"} 1\n`;
    const report = await map.poll();
    expect(report.sources).toMatchObject([{ state: 'partial', started: 1, ended: 0, warnings: [{}, {}] }]);
    const view = await map.map();
    expect([view.stores.length, view.flows.length]).toEqual([1, 1]);
    expect(view.gaps).toContainEqual({
      ...UNDECIDED,
      kind: 'rejected-label',
      service: 'lake',
      team: 'data',
      data_type: null,
      message: `Label data_type of metric store of service lake of team data looks like an e-mail address and was refused; publish which kind of data it is, not the data. (${page.url})`,
    });
    expect(view.gaps).toContainEqual({
      ...UNDECIDED,
      kind: 'source-failing',
      service: null,
      team: null,
      data_type: null,
      message: `${page.url} line 2 cannot be read: the labels do not end.`,
    });
    const stored = await sql<{ text: string }>`select map_sources::text as text from map_sources`.execute(
      database.db,
    );
    expect(JSON.stringify([report, view, stored.rows])).not.toContain('ada@');
  });

  it('stores a declaration once, whatever servers read the same pages at the same time', async () => {
    await using database = await createTestDatabase(migrations);
    const lines = Array.from(
      { length: 50 },
      (_, n) => `store{team="data",service="s${n}",data_type="ip"} 1\n`,
    );
    await using one = await serveMetrics(lines.join('') + CLIENT);
    await using two = await serveMetrics(lines.toReversed().join('') + CLIENT);
    const servers = Array.from({ length: 4 }, () => openDatabase({ url: database.url, connections: 3 }));
    try {
      const maps = servers.map((server) =>
        open(server, { pages: [one, two], allow: ['pd-client.data.svc'] }),
      );
      for (const text of [undefined, '', lines.slice(20).join('')]) {
        if (text !== undefined) one.text = `up 1\n${text}`;
        for (const { clock } of maps) clock.advance(1_000);
        await Promise.all(maps.map(({ map }) => map.poll()));
        const open = (await rowsOf(database)).filter(
          (row) => row.last_seen === null && row.source === one.url,
        );
        expect(open).toHaveLength(text === undefined ? 51 : text === '' ? 0 : 30);
      }
      const rows = await rowsOf(database);
      expect(rows.filter((row) => row.source === one.url)).toHaveLength(81);
      expect(rows.filter((row) => row.source === two.url)).toHaveLength(51);
      const events = await eventsOf(database);
      expect(events.filter((type) => type === 'map.changed')).toHaveLength(4);
      expect(events.filter((type) => type === 'client.proposed')).toHaveLength(1);
      expect(events.filter((type) => type === 'client.approved')).toHaveLength(1);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  it('gives up a reading that began before the one that is stored', async () => {
    await using database = await createTestDatabase(migrations);
    const pages = [STORE, STORE + FLOW];
    let slow: (() => void) | undefined;
    await using page = await servePages((_, response) => {
      const text = pages.shift();
      if (slow === undefined) slow = () => response.end(text);
      else response.end(text);
    });
    const first = open(database, { pages: [page] });
    const second = open(database, { pages: [page] });
    const old = first.map.poll();
    second.clock.advance(1_000);
    while (slow === undefined) await new Promise((resolve) => setImmediate(resolve));
    await second.map.poll();
    slow();
    expect((await old).sources).toMatchObject([{ started: 0, ended: 0 }]);
    expect((await rowsOf(database)).map((row) => row.last_seen)).toEqual([null, null]);
  });

  it('keeps organizations apart', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE + CLIENT);
    const acme = open(database, { pages: [page] });
    const other = open(database, { pages: [page] }, { organizationId: 'other' });
    await acme.map.poll();
    expect(await other.map.services()).toEqual([]);
    expect(await other.map.gaps()).toEqual([]);
    expect(await other.map.listClients()).toEqual([]);
    const client = await only(acme.map.listClients());
    await expect(
      other.map.decideClient({ id: client.id, decision: 'approved', actor: 'key:key_1' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await other.map.poll();
    expect(await acme.map.services()).toHaveLength(1);
    expect(await other.map.services()).toHaveLength(1);
    expect((await only(other.map.listClients())).id).not.toBe(client.id);
  });
});

describe('clients', () => {
  it('are proposals until somebody approves them, with an audit entry and an event', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE + CLIENT);
    const { map } = open(database, { pages: [page] });
    await map.poll();
    const proposed = await only(map.listClients());
    expect(proposed).toEqual({
      id: proposed.id,
      team: 'data',
      service: null,
      address: 'pd-client.data.svc:1337',
      protocol: 'grpc',
      state: 'proposed',
      decided_by: null,
      reason: null,
      stale: false,
      first_seen: at('08:00:00'),
      last_seen: at('08:00:00'),
    });
    expect(api.clientSchema.parse(proposed)).toEqual(proposed);
    expect(await map.systems()).toMatchObject([
      { answeredBy: { kind: 'ticket', reason: 'client-not-approved' } },
    ]);
    const decided = await map.decideClient({ id: proposed.id, decision: 'approved', actor: 'key:key_1' });
    expect(decided).toMatchObject({ state: 'approved', decided_by: 'key:key_1' });
    expect(await map.systems()).toEqual([
      {
        key: 'bigtable',
        service: 'bigtable',
        team: 'data',
        dataTypes: ['ip'],
        answeredBy: {
          kind: 'client',
          client: {
            id: proposed.id,
            team: 'data',
            address: 'pd-client.data.svc:1337',
            protocol: 'grpc',
            service: undefined,
            stale: false,
          },
        },
      },
    ]);
    await map.decideClient({ id: proposed.id, decision: 'approved', actor: 'key:key_1' });
    await map.decideClient({ id: proposed.id, decision: 'rejected', actor: 'key:key_2' });
    await map.poll();
    expect(await map.systems()).toMatchObject([{ answeredBy: { kind: 'ticket' } }]);
    const entries = await listAudit(database.db, { organizationId, subject: proposed.id });
    expect(entries.map((entry) => [entry.action, entry.actor])).toEqual([
      ['client.rejected', 'key:key_2'],
      ['client.approved', 'key:key_1'],
      ['client.proposed', 'system'],
    ]);
    const events = (await eventsOf(database)).filter((type) => type.startsWith('client.'));
    expect(events).toEqual(['client.proposed', 'client.approved', 'client.rejected']);
  });

  it('are approved at once where the allow-list accepts the address, and only there', async () => {
    await using database = await createTestDatabase(migrations);
    const evil = 'client{team="data",service="bigtable",address="evil.example:1337",protocol="grpc"} 1\n';
    await using page = await serveMetrics(STORE + CLIENT + evil);
    const { map } = open(database, { pages: [page], allow: ['pd-client.data.svc:1337', '127.0.0.0/8'] });
    await map.poll();
    expect(
      (await map.listClients()).map((client) => [client.address, client.state, client.decided_by]),
    ).toEqual([
      ['pd-client.data.svc:1337', 'approved', 'allow-list'],
      ['evil.example:1337', 'proposed', null],
    ]);
    expect(await map.systems()).toMatchObject([
      { answeredBy: { kind: 'client', client: { address: 'pd-client.data.svc:1337' } } },
    ]);
  });

  it('become proposals again when the allow-list does not accept them any more, unless a person decided', async () => {
    await using database = await createTestDatabase(migrations);
    const second = CLIENT.replace('1337', '1338');
    const third = CLIENT.replace('1337', '1339');
    await using page = await serveMetrics(STORE + CLIENT + second + third);
    const wide = open(database, { pages: [page], allow: ['pd-client.data.svc'] });
    await wide.map.poll();
    const ids = Object.fromEntries(
      (await wide.map.listClients()).map((client) => [client.address, client.id]),
    );
    const decide = (port: number, decision: 'approved' | 'rejected') =>
      wide.map.decideClient({ id: ids[`pd-client.data.svc:${port}`] ?? '', decision, actor: 'key:key_1' });
    await decide(1338, 'approved');
    await decide(1339, 'rejected');
    await wide.map.poll();
    const states = async (map: DataMap) =>
      (await map.listClients()).map((client) => [client.address.split(':')[1], client.state]).sort();
    expect(await states(wide.map)).toEqual([
      ['1337', 'approved'],
      ['1338', 'approved'],
      ['1339', 'rejected'],
    ]);
    const narrow = open(database, { pages: [page] });
    await narrow.map.poll();
    expect(await states(narrow.map)).toEqual([
      ['1337', 'proposed'],
      ['1338', 'approved'],
      ['1339', 'rejected'],
    ]);
  });

  it('at a new address are new proposals; the one that vanished stays usable, is shown as stale, and can be rejected', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE + CLIENT);
    const { map, clock } = open(database, { pages: [page] });
    await map.poll();
    const { id } = await only(map.listClients());
    await map.decideClient({ id, decision: 'approved', actor: 'key:key_1' });
    page.text = STORE + CLIENT.replace('pd-client', 'pd-client-2');
    clock.advance(60_000);
    await map.poll();
    const [old, moved] = await map.listClients();
    expect(old).toMatchObject({ id, state: 'approved', stale: true, last_seen: at('08:00:00') });
    expect(moved).toMatchObject({ state: 'proposed', stale: false, first_seen: at('08:01:00') });
    expect(await map.systems()).toMatchObject([
      { answeredBy: { kind: 'client', client: { id, stale: true } } },
    ]);
    expect((await map.gaps()).map((gap) => gap.kind)).toEqual(['client-not-approved']);
    await map.decideClient({ id: moved?.id ?? '', decision: 'approved', actor: 'key:key_1' });
    expect(await map.systems()).toMatchObject([{ answeredBy: { client: { id: moved?.id } } }]);
    await map.decideClient({ id: moved?.id ?? '', decision: 'rejected', actor: 'key:key_1' });
    await map.decideClient({ id, decision: 'rejected', actor: 'key:key_1' });
    expect(await map.systems()).toMatchObject([{ answeredBy: { kind: 'ticket' } }]);
  });

  it('of a source that left the configuration are stale', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE + CLIENT);
    await open(database, { pages: [page] }).map.poll();
    const { map } = open(database, { pages: [] });
    expect(await map.listClients()).toMatchObject([{ stale: true }]);
    expect(await map.gaps()).toMatchObject([
      { kind: 'store-without-eraser' },
      { kind: 'team-without-client' },
      { kind: 'source-failing', message: expect.stringContaining('is not in the configuration any more') },
    ]);
  });

  it('are not decided on when the audit entry or the event cannot be written', async () => {
    for (const table of ['audit_entries', 'outbox_events']) {
      await using database = await createTestDatabase(migrations);
      await using page = await serveMetrics(STORE + CLIENT);
      const { map } = open(database, { pages: [page] });
      await map.poll();
      const { id } = await only(map.listClients());
      await sql`alter table ${sql.id(table)} rename to elsewhere`.execute(database.db);
      await expect(map.decideClient({ id, decision: 'approved', actor: 'key:key_1' })).rejects.toThrow();
      expect((await only(map.listClients())).state).toBe('proposed');
    }
  });

  it('that do not exist are not found', async () => {
    await using database = await createTestDatabase(migrations);
    const { map } = open(database, { pages: [] });
    await expect(
      map.decideClient({ id: 'cli_none', decision: 'approved', actor: 'key:key_1' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('start and stop', () => {
  it('polls again after each interval until it is stopped', async () => {
    await using database = await createTestDatabase(migrations);
    let reads = 0;
    const third = Promise.withResolvers<void>();
    await using page = await servePages((_, response) => {
      reads += 1;
      if (reads === 3) third.resolve();
      response.end(STORE);
    });
    const { map } = open(database, { pages: [page], interval: '10ms' });
    map.start();
    map.start();
    await third.promise;
    await map.stop();
    const after = reads;
    expect(await map.services()).toHaveLength(1);
    map.start();
    while (reads === after) await new Promise((resolve) => setImmediate(resolve));
    await map.stop();
  });

  it('goes on after the database did not answer for a while', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(STORE);
    const { map } = open(database, { pages: [page], interval: '10ms' });
    await sql`alter table map_sources rename to elsewhere`.execute(database.db);
    await expect(map.poll()).rejects.toThrow();
    map.start();
    await sql`alter table elsewhere rename to map_sources`.execute(database.db);
    const services = async (): Promise<number> => (await map.services()).length;
    while ((await services()) === 0) await new Promise((resolve) => setImmediate(resolve));
    await map.stop();
  });

  it('stops at once while a source hangs, and does not call that source failing', async () => {
    await using database = await createTestDatabase(migrations);
    const asked = Promise.withResolvers<void>();
    await using page = await servePages(() => asked.resolve());
    const { map } = open(database, { pages: [page], timeout: '1h' });
    map.start();
    await asked.promise;
    await map.stop();
    expect((await map.gaps()).filter((gap) => gap.kind === 'source-failing')).toEqual([]);
  });
});

describe('the answers', () => {
  it('fit the API', async () => {
    await using database = await createTestDatabase(migrations);
    await using page = await serveMetrics(
      `${STORE + FLOW + CLIENT}store{team="x",service="bigtable",data_type="shoe"} 1\n`,
    );
    await using dead = await servePages((_, response) => response.destroy());
    const { map } = open(database, { pages: [page, dead] });
    await map.poll();
    const view = await map.map();
    expect(api.mapSchema.parse(view)).toEqual(view);
    expect(new Set(view.gaps.map((gap) => gap.kind))).toEqual(
      new Set([
        'duplicate-service',
        'store-without-eraser',
        'team-without-client',
        'client-not-approved',
        'data-type-without-category',
        'source-failing',
      ]),
    );
    const holders = await map.holders('ip');
    expect(api.holdersSchema.parse(holders)).toEqual(holders);
    expect(holders).toEqual({
      data_type: 'ip',
      holders: [{ service: 'bigtable', team: 'data' }],
      movers: [{ from: 'sentinel', to: 'bigtable' }],
    });
    expect((await map.systems()).map((system) => system.key)).toEqual(['bigtable', 'bigtable@x']);
  });

  it('refuse an allow-list that means nothing', async () => {
    await using database = await createTestDatabase(migrations);
    expect(() => open(database, { pages: [], allow: ['http://x'] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
