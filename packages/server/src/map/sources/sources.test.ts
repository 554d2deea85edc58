import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { serveMetrics, servePages } from '../../../test/page-server.ts';
import { auditMigrations } from '../../audit/index.ts';
import { createLogger, fixedClock, parseConfig } from '../../foundation/index.ts';
import { notifyMigrations } from '../../notify/index.ts';
import { createMap } from '../create-map.ts';
import { mapMigrations } from '../migrations.ts';
import { ownDeclarations } from '../own-declarations.ts';
import { parseExposition } from '../parse-exposition.ts';
import { readDeclarations } from '../read-declarations.ts';
import type { MapTables } from '../tables.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...mapMigrations };
const store = (type: string, more = '') =>
  `store{team="data",service="bigtable",data_type="${type}"${more}} 1\n`;

function open(database: TestDatabase, map: Record<string, unknown>, file = 'habeas.yaml') {
  const text = JSON.stringify({ map, networks: { allow_private: ['127.0.0.0/8'] } });
  const config = parseConfig({ text, file, environment: {} });
  const clock = fixedClock('2026-11-21T08:00:00Z');
  const lines: string[] = [];
  const logger = createLogger({ destination: { write: (line) => void lines.push(line) } });
  return { map: createMap({ db: database.db, clock, organizationId: 'acme', config, logger }), clock, lines };
}

/** What has not ended, as `source kind data_type`. */
async function openOf(database: TestDatabase) {
  const rows = await database.db
    .withTables<MapTables>()
    .selectFrom('map_declarations')
    .select(['source', 'kind', 'data_type'])
    .where('last_seen', 'is', null)
    .execute();
  return rows.map(({ source, kind, data_type: type }) => `${source} ${kind} ${type}`).sort();
}

function folderOf(scope: DisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-targets-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it('reads the targets of file_sd anew each time, in YAML and JSON, with the labels that they give', async () => {
  using scope = new DisposableStack();
  await using database = await createTestDatabase(migrations);
  await using one = await serveMetrics('store{data_type="email"} 1\nup 1\n');
  await using two = await serveMetrics(store('ip'));
  const folder = folderOf(scope);
  const host = (page: { url: string }) => new URL(page.url).host;
  const labels = { team: 'growth', service: 'mailer', __metrics_path__: '/metrics' };
  writeFileSync(join(folder, 'a.yml'), `- targets: ["${host(one)}"]\n  labels: ${JSON.stringify(labels)}\n`);
  const { map } = open(
    database,
    { scrape: [{ file_sd: ['*.yml', '*.json'], name: 'files' }] },
    join(folder, 'habeas.yaml'),
  );
  expect((await map.poll()).sources[0]).toMatchObject({
    source: 'files',
    state: 'ok',
    started: 1,
    warnings: [],
  });
  expect((await map.services()).map(({ name, team }) => [name, team])).toEqual([['mailer', 'growth']]);

  writeFileSync(join(folder, 'b.json'), JSON.stringify([{ targets: [host(two)] }]));
  expect((await map.poll()).sources[0]).toMatchObject({ started: 1 });
  // A file that is just being written, and a target that is away, take nothing back.
  writeFileSync(join(folder, 'a.yml'), '- targets: ["');
  two.status = 503;
  const broken = (await map.poll()).sources[0];
  expect(broken).toMatchObject({ state: 'ok', ended: 0, declarations: 2 });
  expect(broken?.warnings).toEqual([
    expect.stringContaining('a.yml'),
    expect.stringContaining('answered with status 503'),
    expect.stringContaining('declared stays as it is, because they could not be asked'),
  ]);
  // What the list does not name any more has ended.
  writeFileSync(join(folder, 'a.yml'), '[]');
  two.status = 200;
  expect((await map.poll()).sources[0]).toMatchObject({ ended: 1, warnings: [] });
  expect(await openOf(database)).toEqual(['files store ip']);
  // A list without any target is more likely broken than true.
  rmSync(join(folder, 'b.json'));
  expect((await map.poll()).sources[0]).toMatchObject({ state: 'partial', ended: 0 });
});

it('reads the targets of http_sd, keeps the last list, and sends secrets to the list alone', async () => {
  await using database = await createTestDatabase(migrations);
  const seen: (string | undefined)[] = [];
  await using page = await servePages((request, response) => {
    seen.push(request.headers.authorization);
    response.end(store('email'));
  });
  const list = { status: 200, text: JSON.stringify([{ targets: [new URL(page.url).host] }]) };
  await using discovery = await servePages((request, response) => {
    expect(request.headers.authorization).toBe('Bearer sesame');
    response.writeHead(list.status, { 'content-type': 'application/json' }).end(list.text);
  });
  const { map } = open(database, {
    scrape: [{ http_sd: discovery.url, name: 'list', bearer_token: 'sesame' }],
  });
  list.status = 500;
  expect((await map.poll()).sources[0]).toMatchObject({
    state: 'failing',
    error: { message: 'list answered with status 500 instead of 200.' },
  });
  list.status = 200;
  expect((await map.poll()).sources[0]).toMatchObject({ state: 'ok', started: 1 });
  for (const text of [
    '<html>',
    '{}',
    '[{"targets":["user@evil"]}]',
    '[{"targets":["a/b"]}]',
    '[{"targets":[1]}]',
  ]) {
    list.text = text;
    const report = (await map.poll()).sources[0];
    expect(report).toMatchObject({ state: 'ok', ended: 0, declarations: 1 });
    expect(report?.warnings[0]).toContain('Its last list still counts');
  }
  expect(new Set(seen)).toEqual(new Set([undefined]));
});

it('calls no discovered target in a network that it may not call', async () => {
  await using database = await createTestDatabase(migrations);
  await using discovery = await servePages(
    (_, response) => void response.end('[{"targets":["169.254.169.254:80"]}]'),
  );
  const { map } = open(database, { scrape: [{ http_sd: discovery.url, name: 'list' }] });
  expect((await map.poll()).sources[0]?.warnings[0]).toContain(
    'leads into a network that Habeas does not call',
  );
});

it('limits the samples of a page', async () => {
  await using database = await createTestDatabase(migrations);
  await using page = await serveMetrics('a 1\nb 1\nc 1\n');
  const { map, lines } = open(database, { scrape: [{ url: page.url }], max_samples: 2 });
  expect((await map.poll()).sources[0]?.error?.message).toContain('has 3 samples, more than 2');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    msg: 'Source fails',
    code: 'SCRAPE_FAILED',
    reason: expect.stringContaining('has 3 samples'),
  });
});

it('takes declarations from the configuration, and ends what is taken out of it', async () => {
  await using database = await createTestDatabase(migrations);
  const declarations = [
    {
      team: 'growth',
      service: 'mailchimp',
      stores: ['email', { data_type: 'name', purpose: 'newsletter', retention: '2y', region: 'us' }],
      transmits: [{ to_service: 'paper', data_type: 'address' }],
      client: { address: 'mailchimp.svc:1337' },
    },
  ];
  const { map } = open(database, { declarations });
  expect((await map.poll()).sources).toMatchObject([{ source: 'configuration', state: 'ok', started: 4 }]);
  const wrong = open(database, {
    declarations: [{ team: 'growth', service: 'ada@example.org', stores: ['email'] }],
  });
  expect((await wrong.map.poll()).sources[0]).toMatchObject({ state: 'partial', started: 0, ended: 0 });
  expect((await open(database, {}).map.poll()).sources[0]).toMatchObject({ state: 'ok', ended: 4 });
});

it('takes what a job pushes for as long as the job says, and replaces it by the next push', async () => {
  await using database = await createTestDatabase(migrations);
  const { map, clock } = open(database, {});
  const service = (...stores: string[]) => [{ team: 'data', service: 'nightly', stores, transmits: [] }];
  const push = (...stores: string[]) =>
    map.push({ job: 'nightly', ttl: 3_600_000, services: service(...stores) });
  expect(await push('email', 'ip')).toMatchObject({ source: 'push:nightly', state: 'ok', started: 2 });
  clock.advance(3_000_000);
  expect(await push('email')).toMatchObject({ started: 0, ended: 1 });
  clock.advance(3_000_000);
  expect((await map.poll()).sources).toEqual([]);
  expect(await openOf(database)).toEqual(['push:nightly store email']);
  clock.advance(600_000);
  expect((await map.poll()).sources).toMatchObject([{ source: 'push:nightly', ended: 1 }]);
  expect((await map.poll()).sources).toEqual([]);
  expect(await openOf(database)).toEqual([]);
  expect(await push('email')).toMatchObject({ started: 1 });
  expect(await push('ada@example.org')).toMatchObject({ state: 'partial', started: 0, ended: 0 });
});

it('gives Prometheus the pages of the configuration and approved clients, without secrets', async () => {
  await using database = await createTestDatabase(migrations);
  await using page = await serveMetrics(
    `${store('email')}client{team="data",address="pd.svc:1337",protocol="grpc"} 1\n`,
  );
  const { host } = new URL(page.url);
  const { map } = open(database, {
    scrape: [
      { url: page.url.replace('://', '://ada:sesame@') },
      { url: 'https://other.svc/some/page?token=sesame' },
    ],
  });
  await map.poll();
  const other = {
    targets: ['other.svc:443'],
    labels: { __scheme__: 'https', __metrics_path__: '/some/page', habeas_role: 'metrics' },
  };
  const own = { targets: [host], labels: { team: 'data', service: 'bigtable', habeas_role: 'metrics' } };
  expect(await map.targets()).toEqual([own, other]);
  const [client] = await map.listClients();
  await map.decideClient({ id: client?.id ?? '', decision: 'approved', actor: 'key:1' });
  expect(await map.targets()).toEqual([
    own,
    other,
    { targets: ['pd.svc:1337'], labels: { team: 'data', protocol: 'grpc', habeas_role: 'client' } },
  ]);
});

it('declares what Habeas itself keeps, as it reads it of others', () => {
  const page = parseExposition(ownDeclarations({ team: 'platform "1"', prefix: 'personal_data_' }), {
    prefix: 'personal_data_',
  });
  const { declarations, rejections } = readDeclarations(page.samples);
  expect([page.brokenCount, rejections]).toEqual([0, []]);
  expect(declarations).toContainEqual({
    kind: 'store',
    team: 'platform "1"',
    service: 'habeas',
    dataType: 'email',
    purpose: 'subject_requests',
    retention: 'until_forgotten',
  });
});

it('wants a name for two sources that would have the same', async () => {
  await using database = await createTestDatabase(migrations);
  const url = 'http://prometheus.svc:9090';
  const tenants = ['a', 'b'].map((tenant) => ({ url, headers: { 'X-Scope-OrgID': tenant } }));
  expect(() => open(database, { prometheus: tenants })).toThrow(
    'two sources are called http://prometheus.svc:9090/',
  );
});
