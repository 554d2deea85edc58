import { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { runHabeas } from '../../test/run-habeas.ts';
import { auditMigrations } from '../audit/index.ts';
import { createLogger, fixedClock, parseConfig } from '../foundation/index.ts';
import { createHttpServer, type HttpServer } from '../http/index.ts';
import { applyReading, createMap, type Declaration, mapMigrations } from '../map/index.ts';
import { notifyMigrations } from '../notify/index.ts';

const organizationId = 'acme';
let database: TestDatabase;
let app: HttpServer;
let url: string;

const store = (team: string, service: string, dataType: string): Declaration => ({
  kind: 'store',
  team,
  service,
  dataType,
});
const transmit = (team: string, service: string, toService: string, dataType: string): Declaration => ({
  kind: 'transmit',
  team,
  service,
  toService,
  dataType,
});

beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...mapMigrations });
  const before = [
    transmit('web', 'front', 'orders', 'email'),
    store('shop', 'orders', 'email'),
    transmit('shop', 'orders', 'mailer', 'email'),
    transmit('growth', 'mailer', 'adnet', 'email'),
    transmit('growth', 'mailer', 'orders', 'email'),
  ];
  const after = [...before.slice(0, -1), store('growth', 'mailer', 'ip')];
  for (const [time, declarations] of [
    ['2026-03-01T10:00:00Z', before],
    ['2026-03-01T11:00:00Z', after],
  ] as const) {
    await applyReading(database.db, {
      organizationId,
      startedAt: new Date(time),
      lossPercent: 50,
      reading: {
        state: 'read',
        source: 'http://a.example/metrics',
        declarations,
        rejections: [],
        problems: [],
        complete: true,
      },
    });
  }
  const config = parseConfig({
    text: JSON.stringify({
      map: { scrape: [{ url: 'http://a.example/metrics' }] },
      data_types: { email: 'user.contact.email' },
    }),
    file: 'habeas.yaml',
    environment: {},
  });
  const logger = createLogger({ level: 'silent' });
  const clock = fixedClock('2026-03-01T12:00:00Z');
  const map = createMap({ db: database.db, clock, organizationId, config, logger });
  app = await createHttpServer(inMemoryApplication({ db: database.db, map }));
  url = await app.listen({ port: 0, host: '127.0.0.1' });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const habeas = (...argv: string[]) => runHabeas(['map', ...argv], { url, key: TEST_KEY });

async function lines(...argv: string[]) {
  const { exit, out, notes } = await habeas(...argv);
  expect([exit, notes]).toEqual([0, '']);
  return out.trimEnd().split('\n');
}

describe('habeas map', () => {
  it('downstream and upstream follow one data type, and end on cycles', async () => {
    expect(await lines('downstream', 'front', '--data-type', 'email')).toEqual([
      'Data of front goes to 3 services of 2 teams, 1 data type at 2026-03-01 12:00:00 UTC',
      '',
      'email user.contact.email',
      '  HOPS  SERVICE  TEAM     BY WAY OF',
      '     1  orders   shop     front',
      '     2  mailer   growth   orders',
      '     3  adnet    no team  mailer     external',
    ]);
    const then = await lines('downstream', 'orders', '--as-of', '2026-03-01T10:00:00Z');
    expect(then[0]).toContain('goes to 2 services of 1 team, 1 data type as of 2026-03-01 10:00:00 UTC');
    expect(await lines('upstream', 'front')).toEqual([
      'front gets nothing that the filter leaves at 2026-03-01 12:00:00 UTC',
    ]);
  });

  it('paths shows each hop with what it stands on', async () => {
    const found = await lines('paths', 'front', 'adnet');
    expect(found.slice(0, 4)).toEqual([
      '1 path from front to adnet at 2026-03-01 12:00:00 UTC',
      '',
      'front → orders → mailer → adnet: email',
      '  HOP              DATA   EVIDENCE  SEEN                      SOURCE',
    ]);
    expect(found[4]).toMatch(/^ {2}front → orders {3}email {2}observed {2}2026-03-01 to 2026-03-01 {2}http/);
    expect(await lines('paths', 'adnet', 'front')).toEqual([
      'No data type goes from adnet to front in 6 hops or fewer at 2026-03-01 12:00:00 UTC',
    ]);
  });

  it('impact says what is exposed and whom to call', async () => {
    expect(await lines('impact', 'orders')).toEqual([
      'orders of shop concerns 4 services, 3 teams and 1 data category at 2026-03-01 12:00:00 UTC',
      '',
      'What is there, and exposed if it is breached',
      '  DATA   CATEGORY            STORED  RECEIVED  SENT',
      '  email  user.contact.email  yes     yes       yes',
      '',
      'Who gets data that was here',
      '  HOPS  SERVICE  TEAM     DATA',
      '     1  mailer   growth   email',
      '     2  adnet    no team  email  external',
      '',
      'Whose data comes here',
      '  HOPS  SERVICE  TEAM  DATA',
      '     1  front    web   email',
      '',
      'Whom to call',
      '  TEAM     BECAUSE     SERVICES  CLIENTS',
      '  shop     owner       orders',
      '  growth   downstream  mailer',
      '  web      upstream    front',
      '  no team  downstream  adnet',
    ]);
  });

  it('impact of no service in particular says how far each one reaches', async () => {
    expect((await lines('impact')).slice(2)).toEqual([
      'SERVICE  TEAM     DATA TYPES  UPSTREAM  DOWNSTREAM',
      'front    web               1         0           3',
      'orders   shop              1         1           2',
      'mailer   growth            2         2           1',
      'adnet    no team           1         3           0',
    ]);
  });

  it('gaps takes the filter, and --group-by team sums up', async () => {
    expect(await lines('gaps', '--service', 'adnet')).toEqual([
      '1 gap at 2026-03-01 12:00:00 UTC',
      '',
      'gap  mailer sends personal data to adnet, which no team declared. Let its team',
      '     declare it, or correct the name.',
    ]);
    expect(await lines('--group-by', 'team', '--category', 'user.contact')).toEqual([
      '3 teams, 4 services, 3 flows, 0 gaps at 2026-03-01 12:00:00 UTC',
      '',
      'TEAM     SERVICES  HOLDS',
      'growth   mailer',
      'shop     orders    email',
      'web      front',
      'no team  adnet',
      '',
      'FROM    TO       MOVES  FLOWS',
      'growth  no team  email      1',
      'shop    growth   email      1',
      'web     shop     email      1',
    ]);
  });

  it('--compare-to shows what changed, with who and when', async () => {
    expect((await lines('--compare-to', '2026-03-01T10:00:00Z')).slice(2)).toEqual([
      '1 added, 1 removed, 0 changed from 2026-03-01 10:00:00 to 2026-03-01 12:00:00 UTC',
      '+  mailer stores ip 2026-03-01 11:00:00 by growth (http://a.example/metrics)',
      '-  mailer → orders email 2026-03-01 10:00:00 by growth',
      '   (http://a.example/metrics)',
    ]);
  });

  it('prints each answer as JSON that fits the API', async () => {
    const json = async (...argv: string[]) => (await habeas(...argv, '--json')).json();
    expect(api.reachSchema.parse(await json('downstream', 'front'))).toMatchObject({ service: 'front' });
    expect(api.pathsSchema.parse(await json('paths', 'front', 'adnet'))).toMatchObject({ truncated: false });
    expect(api.impactSchema.parse(await json('impact', 'orders'))).toMatchObject({ service: 'orders' });
    expect(api.impactListSchema.parse(await json('impact')).items).toHaveLength(4);
    expect(api.gapListSchema.parse(await json('gaps', '--external', 'true')).counts.gaps).toBe(1);
    expect(api.mapSchema.parse(await json('--group-by', 'team')).teams?.items).toHaveLength(4);
  });

  it('says which services may have been meant, and refuses a moment that is none', async () => {
    const unknown = await habeas('impact', 'oders');
    expect([unknown.exit, unknown.notes]).toEqual([2, expect.stringContaining('Did you mean orders?')]);
    expect((await habeas('gaps', '--as-of', 'yesterday')).exit).toBe(2);
    expect((await habeas('--as-of', '2999-01-01')).exit).toBe(2);
    expect((await habeas('paths', 'front', 'adnet', '--max-hops', '99')).exit).toBe(2);
  });
});
