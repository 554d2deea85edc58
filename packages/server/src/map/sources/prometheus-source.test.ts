import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { serveMetrics, servePages } from '../../../test/page-server.ts';
import {
  type PrometheusConfig,
  type PrometheusServer,
  startPrometheus,
} from '../../../test/prometheus-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { auditMigrations } from '../../audit/index.ts';
import { createLogger, parseConfig, systemClock } from '../../foundation/index.ts';
import { notifyMigrations } from '../../notify/index.ts';
import { createMap } from '../create-map.ts';
import type { DataMap } from '../data-map.ts';
import { mapMigrations } from '../migrations.ts';
import type { MapTables } from '../tables.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...mapMigrations };
const isThere = requireProgram('prometheus') !== undefined;

const EMAIL = 'store{team="data",service="bigtable",data_type="email"} 1\n';
const IP = 'store{team="data",service="bigtable",data_type="ip"} 1\n';
const OTHER = 'up_to_date 1\n';

/** Targets are asked every 100 ms, so that a sample is out of the window of 2 s soon. */
function configOf(...jobs: readonly Readonly<Record<string, unknown>>[]): PrometheusConfig {
  return { global: { scrape_interval: '100ms', scrape_timeout: '100ms' }, scrape_configs: jobs };
}

function job(name: string, pages: readonly { readonly url: string }[], more: Record<string, unknown> = {}) {
  const targets = pages.map(({ url }) => new URL(url).host);
  return { job_name: name, static_configs: [{ targets }], ...more };
}

async function serve(scope: AsyncDisposableStack, text: string) {
  const page = scope.use(await serveMetrics(text));
  return page;
}

async function prometheus(scope: AsyncDisposableStack, config: PrometheusConfig): Promise<PrometheusServer> {
  return scope.use(await startPrometheus({ config }));
}

async function mapOf(scope: AsyncDisposableStack, entries: readonly Record<string, unknown>[]) {
  const database = scope.use(await createTestDatabase(migrations));
  return { ...openMap(database.db, entries), database };
}

function openMap(
  db: Awaited<ReturnType<typeof createTestDatabase>>['db'],
  entries: readonly Record<string, unknown>[],
) {
  const prometheus = entries.map((entry) => ({ name: 'prod', window: '2s', backfill: '0d', ...entry }));
  const text = JSON.stringify({ map: { prometheus } });
  const config = parseConfig({ text, file: 'habeas.yaml', environment: {} });
  const map = createMap({
    db,
    clock: systemClock,
    organizationId: 'acme',
    config,
    logger: createLogger({ level: 'silent' }),
  });
  const rows = async () => {
    const found = await db
      .withTables<MapTables>()
      .selectFrom('map_declarations')
      .select([
        'source',
        'kind',
        'team',
        'service',
        'to_service',
        'data_type',
        'address',
        'first_seen',
        'last_seen',
      ])
      .orderBy('source')
      .orderBy('kind')
      .orderBy('data_type')
      .orderBy('first_seen')
      .execute();
    return found;
  };
  /** What is open, as `kind service data_type`. */
  const open = async () =>
    (await rows())
      .filter(({ last_seen: end }) => end === null)
      .map((row) => [row.kind, row.service, row.data_type ?? row.address].join(' '));
  return { map, rows, open };
}

const only = async (map: DataMap) => {
  const [report, ...others] = (await map.poll()).sources;
  expect(others).toEqual([]);
  if (report === undefined) throw new Error('Nothing was read.');
  return report;
};

/** Waits until Prometheus has, or has no longer, a sample in the window. */
const shows = (server: PrometheusServer, query: string, count: number) =>
  eventually(`${query} gives ${count}`, async () => Object.keys(await server.ask(query)).length === count);
const goneFromWindow = (server: PrometheusServer, selector: string) =>
  shows(server, `last_over_time(${selector}[2200ms])`, 0);

describe.skipIf(!isThere).concurrent('a Prometheus server as a source', () => {
  it('gives the same map whether Prometheus keeps the labels of a service or renames them', async () => {
    await using scope = new AsyncDisposableStack();
    const page = await serve(
      scope,
      [
        EMAIL,
        'personal_data_transmit_info{team="data",service="bigtable",to_service="mailer",data_type="email",purpose="news"} 1\n',
        'client{team="data",service="bigtable",address="bigtable.svc:1337",protocol="grpc"} 1\n',
        'client{method="GET",service="other"} 1\n',
        'store{team="data",service="bigtable",data_type="gone"} 0\n',
        'store{team="data",service="bigtable",data_type="nan"} NaN\n',
      ].join(''),
    );
    const replica = await serve(scope, page.text);
    const labels = { team: 'platform', service: 'scraper', data_type: 'x', purpose: 'monitoring' };
    const shape = (name: string, honor: boolean) => ({
      job_name: name,
      honor_labels: honor,
      static_configs: [{ targets: [page, replica].map(({ url }) => new URL(url).host), labels }],
    });
    const server = await prometheus(scope, configOf(shape('kept', true), shape('renamed', false)));
    await shows(server, 'client{address!=""}', 4);
    expect(Object.keys(await server.ask('{exported_team="data",__name__="store"} > 0'))).toHaveLength(2);
    const { map, open, rows } = await mapOf(scope, [
      { url: server.url, name: 'kept', matchers: 'job="kept"' },
      { url: server.url, name: 'renamed', matchers: 'job="renamed"' },
    ]);
    const [kept, renamed] = (await map.poll()).sources;
    expect(kept).toMatchObject({ source: 'kept', state: 'ok', declarations: 3, started: 3, warnings: [] });
    expect(renamed).toMatchObject({
      source: 'renamed',
      state: 'ok',
      declarations: 3,
      started: 3,
      warnings: [],
    });
    const declared = ['client bigtable bigtable.svc:1337', 'store bigtable email', 'transmit bigtable email'];
    expect((await open()).sort()).toEqual([...declared, ...declared].sort());
    expect(new Set((await rows()).map(({ team }) => team))).toEqual(new Set(['data']));
    expect((await map.poll()).sources.map(({ started, ended }) => started + ended)).toEqual([0, 0]);
  });

  it('ends what a target that answers does not declare any more, and nothing of one that is down', async () => {
    await using scope = new AsyncDisposableStack();
    const first = await serve(scope, EMAIL + IP);
    const second = await serve(scope, 'store{team="data",service="hammer",data_type="email"} 1\n');
    const server = await prometheus(scope, configOf(job('apps', [first, second])));
    await shows(server, 'store', 3);
    const { map, open } = await mapOf(scope, [{ url: server.url }]);
    expect(await only(map)).toMatchObject({ state: 'ok', started: 3 });

    first.text = IP;
    second.status = 500;
    await goneFromWindow(server, 'store{data_type="email"}');
    const report = await only(map);
    expect(report).toMatchObject({ state: 'ok', started: 0, ended: 1 });
    expect(report.warnings).toEqual([
      expect.stringMatching(
        /^What 1 target\(s\) of prod declared stays .* could not be asked: apps 127\.0\.0\.1:\d+\.$/,
      ),
    ]);
    expect(await open()).toEqual(['store hammer email', 'store bigtable ip']);

    // Habeas is started again while the target is still down, and the target comes back without its declaration.
    second.text = OTHER;
    second.status = 200;
    await shows(server, 'up == 0', 0);
    expect(await only(map)).toMatchObject({ ended: 1, warnings: [] });
    expect(await open()).toEqual(['store bigtable ip']);
  });

  it('remembers over a restart of Habeas which target declared what', async () => {
    await using scope = new AsyncDisposableStack();
    const page = await serve(scope, EMAIL);
    const other = await serve(scope, IP);
    const server = await prometheus(scope, configOf(job('apps', [page, other])));
    await shows(server, 'store', 2);
    const { map, database } = await mapOf(scope, [{ url: server.url }]);
    await map.poll();
    page.status = 500;
    await goneFromWindow(server, 'store{data_type="email"}');
    const again = openMap(database.db, [{ url: server.url }]);
    expect(await only(again.map)).toMatchObject({ state: 'ok', ended: 0, declarations: 2 });
    expect(await again.open()).toHaveLength(2);
  });

  it('ends nothing while Prometheus is away, nor when it has just been started', async () => {
    await using scope = new AsyncDisposableStack();
    const pages = [await serve(scope, EMAIL), await serve(scope, IP)];
    const config = configOf(job('apps', pages));
    const server = await prometheus(scope, config);
    await shows(server, 'store', 2);
    const { map, open } = await mapOf(scope, [{ url: server.url }]);
    await map.poll();
    await server.kill();
    expect(await only(map)).toMatchObject({
      state: 'failing',
      error: {
        code: 'SCRAPE_FAILED',
        message: 'prod could not be reached, or the connection broke (ECONNREFUSED).',
      },
    });
    // Longer than the window, so that nothing of before counts; and one target is seen long before the other.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    for (const page of pages) page.text = OTHER;
    await server.reload(configOf({ ...job('apps', pages), scrape_interval: '1h' }));
    await server.start();
    const after = await only(map);
    expect(after.ended).toBe(0);
    expect(await open()).toHaveLength(2);
    await server.reload(config);
    await shows(server, 'up == 1', 2);
    await eventually(
      'both ended',
      async () => (await map.poll()) !== undefined && (await open()).length === 0,
    );
  });

  it('does not take samples that a relabelling drops for declarations that ended', async () => {
    await using scope = new AsyncDisposableStack();
    const page = await serve(scope, EMAIL + IP + OTHER);
    const server = await prometheus(scope, configOf(job('apps', [page])));
    await shows(server, 'store', 2);
    const { map, open } = await mapOf(scope, [{ url: server.url }]);
    await map.poll();
    const drop = { source_labels: ['__name__', 'data_type'], regex: 'store;email', action: 'drop' };
    await server.reload(configOf(job('apps', [page], { metric_relabel_configs: [drop] })));
    await goneFromWindow(server, 'store{data_type="email"}');
    const report = await only(map);
    expect(report).toMatchObject({ state: 'ok', ended: 0, declarations: 2 });
    expect(report.warnings[0]).toContain('left out by relabelling rules');
    expect(await open()).toHaveLength(2);
  });

  it('ends nothing when the answer comes with warnings', async () => {
    await using scope = new AsyncDisposableStack();
    const page = await serve(scope, EMAIL + IP);
    const config = configOf(job('apps', [page]));
    const server = await prometheus(scope, config);
    await shows(server, 'store', 2);
    const { map, open } = await mapOf(scope, [{ url: server.url }]);
    await map.poll();
    page.text = IP;
    // A second storage that does not answer: Prometheus answers without it, and says so.
    await server.reload({ ...config, remote_read: [{ url: 'http://127.0.0.1:1/read', read_recent: true }] });
    await goneFromWindow(server, 'store{data_type="email"}');
    const report = await only(map);
    expect(report).toMatchObject({ state: 'partial', ended: 0 });
    expect(report.warnings[0]).toMatch(/^prod answered with \d+ warning\(s\), so a part may be missing\.$/);
    expect(await open()).toHaveLength(2);
    await server.reload(config);
    await eventually('it ended', async () => (await only(map)).ended === 1);
  });

  it('ends what a removed target declared while others of its job are there; a whole job only when a person says so', async () => {
    await using scope = new AsyncDisposableStack();
    const pages = [await serve(scope, EMAIL), await serve(scope, IP)] as const;
    const server = await prometheus(scope, configOf(job('apps', pages)));
    await shows(server, 'store', 2);
    const { map, open, database } = await mapOf(scope, [{ url: server.url }]);
    await map.poll();
    await server.reload(configOf(job('apps', [pages[1]])));
    await goneFromWindow(server, 'up{job="apps"} unless up{job="apps"} == 1').catch(() => undefined);
    await eventually('the removed one ended', async () => (await only(map)).ended === 1);
    await server.reload(configOf(job('others', [await serve(scope, OTHER)])));
    await goneFromWindow(server, 'store');
    await goneFromWindow(server, 'up{job="apps"}');
    for (let poll = 0; poll < 3; poll += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(await only(map)).toMatchObject({ ended: 0 });
    }
    expect((await only(map)).warnings[0]).toContain('name their job in removed_jobs');
    expect(await open()).toEqual(['store bigtable ip']);
    const told = openMap(database.db, [{ url: server.url, removed_jobs: ['apps'] }]);
    expect(await only(told.map)).toMatchObject({ ended: 1, warnings: [] });
  });

  it('signs in as it is told to, and tells the secrets to nobody', async () => {
    await using scope = new AsyncDisposableStack();
    const page = await serve(scope, EMAIL);
    const server = await prometheus(scope, configOf(job('apps', [page])));
    await shows(server, 'store', 1);
    const seen: (string | undefined)[] = [];
    await using gate = await servePages(async (request, response) => {
      seen.push(request.headers.authorization, String(request.headers['x-scope-orgid']));
      const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
      const answer = await fetch(`${server.url}${request.url?.replace('/tenant', '')}`, {
        method: 'POST',
        body: Buffer.concat(chunks).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      response.setHeader('content-type', 'application/json').end(await answer.text());
    });
    const url = `${gate.url.replace('/metrics', '')}/tenant/?token=hidden`;
    const { map } = await mapOf(scope, [
      { url, name: undefined, bearer_token: 'sesame', headers: { 'X-Scope-OrgID': 'acme' } },
      { url, basic_auth: { username: 'ada', password: 'sesame' } },
    ]);
    const report = await map.poll();
    expect(report.sources.map(({ state }) => state)).toEqual(['ok', 'ok']);
    expect(new Set(seen)).toEqual(
      new Set([
        'Bearer sesame',
        'acme',
        `Basic ${Buffer.from('ada:sesame').toString('base64')}`,
        'undefined',
      ]),
    );
    expect(JSON.stringify([report, await map.map(), await map.gaps()])).not.toMatch(/sesame|hidden/);
  });

  it('makes no interval twice when two servers of Habeas poll at once', async () => {
    await using scope = new AsyncDisposableStack();
    const pages = [await serve(scope, EMAIL), await serve(scope, IP)] as const;
    const server = await prometheus(scope, configOf(job('apps', pages)));
    await shows(server, 'store', 2);
    const { map, rows, open, database } = await mapOf(scope, [{ url: server.url }]);
    const other = openMap(database.db, [{ url: server.url }]);
    await Promise.all([map.poll(), other.map.poll(), map.poll(), other.map.poll()]);
    expect(await rows()).toHaveLength(2);
    // Only one of them sees a declaration whose target then goes down.
    pages[0].text += 'store{team="data",service="bigtable",data_type="phone"} 1\n';
    await shows(server, 'store', 3);
    await map.poll();
    pages[0].status = 500;
    await goneFromWindow(server, 'store{data_type="phone"}');
    await Promise.all([other.map.poll(), map.poll(), other.map.poll()]);
    expect(await open()).toHaveLength(3);
    expect(await rows()).toHaveLength(3);
  });

  it('refuses hostile labels without repeating them, and ends nothing of the target that has them', async () => {
    await using scope = new AsyncDisposableStack();
    const labels = [
      'ada@example.org',
      '<script>alert(1)</script>\\n',
      'x'.repeat(1_000_000),
      'a\u202Eb',
      '41'.repeat(9),
    ];
    const page = await serve(scope, EMAIL + IP);
    const server = await prometheus(scope, configOf(job('ada@example.org', [page])));
    await shows(server, 'store', 2);
    const { map, open } = await mapOf(scope, [{ url: server.url }]);
    await map.poll();
    page.text =
      IP + labels.map((text) => `store{team="data",service="bigtable",data_type="${text}"} 1\n`).join('');
    await goneFromWindow(server, 'store{data_type="email"}');
    const report = await only(map);
    expect(report).toMatchObject({ started: 0, ended: 0 });
    expect(report.warnings.length).toBeGreaterThan(4);
    expect(JSON.stringify(report)).not.toMatch(/ada@|script|41414141|xxxx|202E|\u202E/);
    expect(await open()).toHaveLength(2);
  });
});
