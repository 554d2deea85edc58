import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { documentOf, mapOf } from '../../test/random-map.ts';
import { readZip } from '../../test/read-zip.ts';
import { runHabeas } from '../../test/run-habeas.ts';
import { parseConfig } from '../foundation/index.ts';
import { createHttpServer, type HttpServer } from '../http/index.ts';

let database: TestDatabase;
let app: HttpServer;
let url: string;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  app = await createHttpServer(inMemoryApplication({ db: database.db }));
  url = await app.listen({ port: 0, host: '127.0.0.1' });
  folder = mkdtempSync(join(tmpdir(), 'habeas-map-'));
});

afterAll(async () => {
  await app.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const habeas = (...argv: readonly string[]) => runHabeas(argv, { url, key: TEST_KEY, folder });
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

describe('habeas map export', () => {
  it('writes the map to standard output, for programs too', async () => {
    const { exit, json } = await habeas('map', 'export', '--json');
    expect(exit).toBe(0);
    expect(json()).toMatchObject({ kind: 'habeas.map', map: { services: [{ name: 'orders' }] } });
    expect((await habeas('map', 'export', '--format', 'mermaid')).out).toMatch(/^flowchart LR\n/);
  });

  it('passes the filter on', async () => {
    const { json } = await habeas('map', 'export', '--team', 'nobody');
    expect(json()).toMatchObject({ map: { services: [] } });
    expect((await habeas('map', 'export', '--as-of', 'yesterday')).exit).toBe(2);
  });

  it('saves a file in place of the former one, and nothing beside it', async () => {
    writeFileSync(join(folder, 'record.xlsx'), 'old');
    const { exit, json } = await habeas(
      'map',
      'export',
      '--format',
      'record-xlsx',
      '--output',
      'record.xlsx',
      '--json',
    );
    expect([exit, json()]).toEqual([
      0,
      expect.objectContaining({ format: 'record-xlsx', sha256: expect.any(String) }),
    ]);
    expect([...readZip(readFileSync(join(folder, 'record.xlsx'))).keys()]).toContain('xl/workbook.xml');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('asks for a file where standard output would be of no use', async () => {
    for (const argv of [['record-xlsx'], ['svg', '--json']]) {
      const { exit, notes } = await habeas('map', 'export', '--format', ...argv);
      expect([exit, notes]).toEqual([2, expect.stringContaining('--output')]);
    }
  });
});

describe('habeas map import', () => {
  it('gives declarations that the configuration takes', async () => {
    const map = mapOf({
      services: [{ name: 'orders' }],
      stores: [{ service: 'orders', data_type: 'email', category: 'user.contact.email' }],
    });
    writeFileSync(join(folder, 'map.json'), JSON.stringify(documentOf(map)));
    expect((await habeas('map', 'import', 'map.json', '--output', 'declared.yaml')).exit).toBe(0);
    const config = parseConfig({ text: read('declared.yaml'), file: 'habeas.yaml', environment: {} });
    expect(config.map.declarations).toEqual([
      { team: 'shop', service: 'orders', stores: ['email'], transmits: [] },
    ]);
    expect(config.data_types).toEqual({ email: 'user.contact.email' });
  });

  it('says what is wrong with another file', async () => {
    writeFileSync(join(folder, 'other.yaml'), 'dataset: []');
    const { exit, notes } = await habeas('map', 'import', 'other.yaml');
    expect([exit, notes]).toEqual([
      2,
      expect.stringContaining('other.yaml is not a list of Fideslang systems'),
    ]);
    expect((await habeas('map', 'import', 'gone.yaml')).exit).toBe(2);
  });
});

describe('habeas map diff', () => {
  const store = { service: 'orders', data_type: 'email', category: 'user.contact.email' };
  const health = { service: 'orders', data_type: 'diagnosis', category: 'user.health_and_medical' };
  beforeAll(() => {
    const save = (name: string, map: Parameters<typeof documentOf>[0]) =>
      writeFileSync(join(folder, name), JSON.stringify(documentOf(map)));
    save('main.json', mapOf({ services: [{ name: 'orders' }], stores: [store] }));
    save('branch.json', mapOf({ services: [{ name: 'orders' }], stores: [store, health] }));
    save('shop.json', mapOf({ filter: { team: 'shop' } }));
  });

  it('ends with 6 when there is a change that is not allowed, and shows it', async () => {
    const argv = ['map', 'diff', '--against', 'main.json', '--of', 'branch.json'];
    const { exit, out } = await habeas(...argv, '--fail-on', 'new-sensitive', 'removed');
    expect(exit).toBe(6);
    expect(out).toMatch(/^! new +orders +\(stores\) +diagnosis +user\.health_and_medical +article 9$/m);
    expect((await habeas(...argv, '--fail-on', 'new-external')).exit).toBe(0);
    expect((await habeas(...argv)).exit).toBe(0);
    expect((await habeas(...argv, '--fail-on', 'anything')).exit).toBe(2);
  });

  it('prints JSON for programs and Markdown for people', async () => {
    const argv = [
      'map',
      'diff',
      '--against',
      'main.json',
      '--of',
      'branch.json',
      '--fail-on',
      'new-sensitive',
    ];
    expect((await habeas(...argv, '--json')).json()).toMatchObject({
      changes: [{ change: 'added', data_type: 'diagnosis' }],
      failed: [{ data_type: 'diagnosis', sensitivity: 'article 9' }],
    });
    expect((await habeas(...argv, '--format', 'markdown')).out).toContain(
      '| ❌ | new | `orders` stores | `diagnosis` | `user.health_and_medical` | article 9 |',
    );
  });

  it('compares with the map of the server, asked for in the same way', async () => {
    expect((await habeas('map', 'export', '--output', 'now.json')).exit).toBe(0);
    const { exit, out } = await habeas(
      'map',
      'diff',
      '--against',
      'now.json',
      '--fail-on',
      'new-flow',
      'removed',
    );
    expect([exit, out]).toEqual([0, expect.stringContaining('Nothing changed.')]);
  });

  it('refuses exports of different parts of the map', async () => {
    const { exit, notes } = await habeas('map', 'diff', '--against', 'main.json', '--of', 'shop.json');
    expect([exit, notes]).toEqual([2, expect.stringContaining('different parts of the map')]);
  });
});

describe('habeas check', () => {
  it('tells of mistakes and doubts in the record, with the line', async () => {
    writeFileSync(join(folder, 'habeas.yaml'), 'record: record.yaml\n');
    writeFileSync(join(folder, 'record.yaml'), 'activities:\n  - name: A\n');
    const doubtful = await habeas('check');
    expect([doubtful.exit, doubtful.out]).toEqual([0, expect.stringContaining('record.yaml:2:5')]);
    writeFileSync(join(folder, 'record.yaml'), 'activities:\n  - nam: A\n');
    const wrong = await habeas('check');
    expect([wrong.exit, wrong.out]).toEqual([1, expect.stringContaining('record.yaml:2:5')]);
  });
});
