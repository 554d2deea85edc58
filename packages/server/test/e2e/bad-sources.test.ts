import type { ServerResponse } from 'node:http';
import type { api } from '@habeas/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PageServer, servePages } from '../page-server.ts';
import { type House, openHouse, type Served } from './house.ts';
import { settled } from './team.ts';

const MEBIBYTE = 1024 * 1024;
const PAGES: Readonly<Record<string, string>> = {
  '/twin': 'store{team="rogue",service="mailer",data_type="email"} 1\n',
  '/broken': [
    'store{team="depot",service="warehouse",data_type="name"} 1',
    'store{team="depot",service="warehouse",data_type="email} 1',
    'store{team="depot" service="warehouse",data_type="phone"} 1',
    'store{team="depot",service="warehouse",data_type="address"} one',
    'store{team="depot",service="warehouse",data_type="ip"} 1',
    '',
  ].join('\n'),
  '/personal': 'store{team="depot",service="cellar",data_type="ada@example.org"} 1\n',
  '/not-metrics': '\u0000\u0001\u0002 <<<>>> \n nothing {{{ here\n',
};

let house: House;
let server: Served;
let pages: PageServer;
/** Bytes of the page of 100 MB that were sent at most, in one answer. */
let sent = 0;

beforeAll(async () => {
  pages = await servePages((request, response) => {
    const path = request.url ?? '/';
    const text = PAGES[path];
    if (path === '/hang') return;
    if (path === '/huge') return sendHuge(response);
    response.writeHead(path === '/failing' ? 500 : 200, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(path === '/endless-line' ? 'x'.repeat(2 * MEBIBYTE) : text);
  });
  house = await openHouse({ people: 40 });
  const bad = ['huge', 'hang', 'failing', 'endless-line', ...Object.keys(PAGES).map((path) => path.slice(1))];
  const urls = [
    ...house.acme.services.map(({ metricsUrl }) => metricsUrl),
    ...bad.map((name) => pages.url.replace('/metrics', `/${name}`)),
  ];
  server = await house.serve(
    house.configure('bad-sources.yaml', { map: { scrape: urls.map((url) => ({ url })), timeout: '3s' } }),
  );
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await pages.close();
});

/** A page of 100 MB of good lines, as fast as it is taken. */
function sendHuge(response: ServerResponse): void {
  const lines = Buffer.from('http_requests_total{path="/some/where"} 1\n'.repeat(1_500));
  let bytes = 0;
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
  const more = (): void => {
    while (bytes < 100 * MEBIBYTE && !response.destroyed) {
      bytes += lines.length;
      sent = Math.max(sent, bytes);
      if (!response.write(lines)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

const gaps = async () => (await server.api.get<{ items: api.GapView[] }>('/api/v1/gaps')).items;
const about = async (path: string) =>
  (await gaps()).filter(({ kind, message }) => kind === 'source-failing' && message.includes(path));

test.each([
  ['/huge', /is larger than 8388608 bytes and was cut off there\. Publish less, or raise map\.max_bytes\./],
  ['/hang', /was not read to its end within 3000 ms\./],
  ['/failing', /answered with status 500 instead of 200\./],
  ['/not-metrics', /answered with something that is not a metrics page\. Is the path right\?/],
])('the page %s is a gap that says what is wrong with it', async (path, message) => {
  const [gap, ...more] = await about(path);
  expect(more).toEqual([]);
  expect(gap?.message).toMatch(message);
});

test('of a page of 100 MB no more is taken than may be', () => {
  expect(sent).toBeGreaterThan(8 * MEBIBYTE);
  expect(sent).toBeLessThan(32 * MEBIBYTE);
});

test('broken lines are told one by one, and the good ones around them count', async () => {
  const told = (await about('/broken')).map(({ message }) => message);
  expect(told.map((message) => /line (\d+) cannot be read/.exec(message)?.[1])).toEqual(['2', '3', '4']);
  const services = (await server.api.get<{ items: api.ServiceView[] }>('/api/v1/services')).items;
  const warehouse = services.find(({ name }) => name === 'warehouse');
  expect(warehouse?.stores).toEqual(['ip', 'name']);
});

test('a label that holds an e-mail address is refused, named by its service, and repeated nowhere', async () => {
  const rejected = (await gaps()).filter(({ kind }) => kind === 'rejected-label');
  expect(rejected).toMatchObject([{ service: 'cellar', team: 'depot' }]);
  const map = await server.api.call('GET', '/api/v1/map');
  expect(map.text).not.toContain('ada@');
  expect(server.printed()).not.toContain('ada@');
});

test('a bad page takes nothing from the others', async () => {
  const services = (await server.api.get<{ items: api.ServiceView[] }>('/api/v1/services')).items;
  expect(services.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['accounts', 'orders', 'mailer', 'analytics', 'crm-vendor', 'warehouse']),
  );
});

test('two services of one name are two systems, and a request reaches both', async () => {
  const duplicate = (await gaps()).find(({ kind }) => kind === 'duplicate-service');
  expect(duplicate).toMatchObject({ service: 'mailer' });
  expect(duplicate?.message).toContain('Teams growth, rogue each say that mailer is theirs.');
  const { api } = server;
  const identities = [{ type: 'email', value: house.acme.subject(3).email }];
  const { id } = await api.ask({ right: 'access', identities });
  const tasks = await settled(api, id);
  // Who was seen first keeps the plain name; the other one's has its team in it.
  const both = tasks.filter(({ system }) => system?.startsWith('mailer') === true);
  expect(both.map(({ kind, team, state }) => [kind, team, state]).sort()).toEqual([
    ['collect', 'growth', 'succeeded'],
    ['ticket', 'rogue', 'waiting'],
  ]);
  expect(both.map(({ system }) => system?.replace(/@(growth|rogue)$/, '@team')).sort()).toEqual([
    'mailer',
    'mailer@team',
  ]);
  expect(both.find(({ kind }) => kind === 'collect')?.evidence?.counts).toMatchObject({ recipients: 1 });
});

test('a plan says which sources it could not read', async () => {
  const plan = await server.api.post<api.PlanView>('/api/v1/plans', { right: 'erasure' });
  const blind = plan.gaps.map(({ message }) => message).join('\n');
  for (const path of ['/huge', '/hang', '/failing', '/broken']) expect(blind).toContain(path);
});
