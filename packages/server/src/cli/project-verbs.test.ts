import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { runHabeas } from '../../test/run-habeas.ts';

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(`
    create table customers (id bigint primary key, email text not null, name text, born date);
    create table orders (id bigint primary key, customer_id bigint references customers (id), total integer not null)`);
  await client.query("insert into customers values (1, 'canary@example.org', 'Canary', null)");
  await client.end();
});
afterAll(() => database.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-project-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const habeas = (argv: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  runHabeas(argv, { folder, environment });
const init = (...more: string[]) =>
  habeas(['init', '--database-url', database.url, '--key', 'shop', '--team', 'shop', ...more]);
/** How a configuration names an environment variable. */
const variable = (name: string) => `\${${name}}`;
const edit = (file: string, from: string | RegExp, to: string) => {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toMatch(from);
  writeFileSync(path, text.replace(from, to));
};

describe('habeas init', () => {
  it('drafts a configuration and a dataset that habeas check finds nothing wrong with', async () => {
    const made = await init();
    expect([made.exit, made.notes]).toEqual([0, '']);
    expect(made.out).toContain('2 tables, 7 columns, 1 reference. No rows were read.');
    const dataset = readFileSync(join(folder, 'datasets/shop.yml'), 'utf8');
    expect(dataset).toMatch(/name: customers/);
    expect(dataset).not.toContain('canary');
    const checked = await habeas(['check']);
    expect(checked.out).toMatch(/0 errors.*1 connection, 1 dataset, 1 compared/);
    expect(checked.exit).toBe(0);
  });

  it('writes no password to any file or screen, and names the variable to set', async () => {
    const secret = new URL(database.url);
    secret.password = 'pa55word';
    const made = await habeas(['init', '--database-url', secret.toString(), '--key', 'web-shop']);
    expect(made.exit).toBe(0);
    const config = readFileSync(join(folder, 'habeas.yaml'), 'utf8');
    expect(config).toContain(`url: ${variable('WEB_SHOP_DATABASE_URL')}`);
    expect(config + made.out + made.notes).not.toContain('pa55word');
    const checked = await habeas(['check'], { WEB_SHOP_DATABASE_URL: secret.toString() });
    expect([checked.exit, checked.out]).toEqual([0, expect.stringContaining('1 compared')]);
  });

  it('overwrites nothing without --force, and prints what to add to a configuration that exists', async () => {
    await init();
    const config = readFileSync(join(folder, 'habeas.yaml'), 'utf8');
    edit('datasets/shop.yml', 'dataset:', '# mine\ndataset:');
    const again = await init();
    expect([again.exit, again.notes]).toEqual([2, expect.stringContaining('exists')]);
    const second = await habeas(['init', '--database-url', database.url, '--key', 'other']);
    expect([second.exit, second.out]).toEqual([0, expect.stringMatching(/Add this .*- key: other/s)]);
    expect(readFileSync(join(folder, 'habeas.yaml'), 'utf8')).toBe(config);
    expect(readFileSync(join(folder, 'datasets/shop.yml'), 'utf8')).toContain('# mine');
    expect((await init('--force')).exit).toBe(0);
    expect(readFileSync(join(folder, 'datasets/shop.yml'), 'utf8')).not.toContain('# mine');
  });

  it('says what is wrong with an address, and leaves nothing behind', async () => {
    const wrong = await habeas(['init', '--database-url', 'mysql://x']);
    expect([wrong.exit, wrong.notes]).toEqual([2, expect.stringContaining('postgres://')]);
    const closed = await habeas([
      'init',
      '--database-url',
      'postgres://u:secret@127.0.0.1:9/x',
      '--key',
      'x',
    ]);
    expect(closed.exit).toBe(4);
    expect(closed.notes).not.toContain('secret');
    expect(existsSync(join(folder, 'habeas.yaml'))).toBe(false);
  });
});

describe('habeas check', () => {
  it('names file, line and column of each mistake in the configuration', async () => {
    writeFileSync(
      join(folder, 'habeas.yaml'),
      'organization: acme\nconnections:\n  - key: Shop\n    colour: red\n',
    );
    const { exit, out } = await habeas(['check']);
    expect(exit).toBe(1);
    expect(out).toMatch(/^habeas\.yaml:3:5: error: connections\.0\.key: .*\(CONFIG_INVALID\)$/m);
    expect(out).toMatch(/^habeas\.yaml:4:5: error: .*colour.*\(CONFIG_INVALID\)$/m);
    writeFileSync(join(folder, 'habeas.yaml'), 'organization: [\n');
    expect((await habeas(['check'])).out).toMatch(/^habeas\.yaml:\d+:\d+: error: /m);
  });

  it('names the line of a table that the database does not have, and says nothing of it offline', async () => {
    await init();
    edit('datasets/shop.yml', '- name: orders', '- name: ordres');
    const line =
      readFileSync(join(folder, 'datasets/shop.yml'), 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('ordres')) + 1;
    const live = await habeas(['check']);
    expect([live.exit, live.out]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(`^datasets/shop\\.yml:${line}:\\d+: error: .*ordres.*\\(table-missing\\)$`, 'm'),
      ),
    ]);
    const offline = await habeas(['check', '--offline']);
    expect([offline.exit, offline.out]).toEqual([0, expect.stringContaining('0 compared')]);
  });

  it('reports a reference to nowhere, a policy that is wrong and a dataset that is missing, all in one go', async () => {
    await init();
    edit('datasets/shop.yml', /field: customers\.id/, 'field: custmers.id');
    edit('habeas.yaml', 'map:', 'policy: policy.yml\nmap:');
    edit('habeas.yaml', '- datasets/shop.yml', '- datasets/shop.yml\n      - datasets/none.yml');
    writeFileSync(join(folder, 'policy.yml'), 'erasure:\n  wait: soon\n');
    const { exit, out } = await habeas(['check']);
    expect(exit).toBe(1);
    expect(out).toMatch(/^policy\.yml:2:3: error: .*\(POLICY_INVALID\)$/m);
    expect(out).toMatch(/^datasets\/none\.yml: error: .*\(DATASET_INVALID\)$/m);
    expect(out).toMatch(/^datasets\/shop\.yml:\d+:\d+: error: .*\(reference-to-nowhere\)$/m);
  });

  it('says that a database does not answer, without its password', async () => {
    await init();
    edit('habeas.yaml', database.url, 'postgres://u:secret@127.0.0.1:9/x');
    const { exit, out } = await habeas(['check']);
    expect([exit, out]).toEqual([
      1,
      expect.stringMatching(/^habeas\.yaml: error: .*\(SYSTEM_UNREACHABLE\)$/m),
    ]);
    expect(out).not.toContain('secret');
  });

  it('needs no environment variable offline, and names the one that is missing otherwise', async () => {
    await init();
    edit('habeas.yaml', database.url, variable('SHOP_URL'));
    const missing = await habeas(['check']);
    expect([missing.exit, missing.out]).toEqual([
      1,
      expect.stringMatching(/^habeas\.yaml:\d+:\d+: error: .*SHOP_URL/m),
    ]);
    const offline = await habeas(['check', '--offline']);
    expect([offline.exit, offline.out]).toEqual([0, expect.stringMatching(/info: .*SHOP_URL/)]);
  });

  it('gives the same as JSON', async () => {
    await init();
    edit('datasets/shop.yml', '- name: orders', '- name: ordres');
    const report = (await habeas(['check', '--json'])).json();
    expect(report).toMatchObject({
      connections: 1,
      findings: expect.arrayContaining([
        expect.objectContaining({
          severity: 'error',
          code: 'table-missing',
          place: expect.objectContaining({ file: 'datasets/shop.yml', line: expect.any(Number) }),
        }),
      ]),
    });
  });

  it('warns where there is no configuration at all', async () => {
    const { exit, out } = await habeas(['check']);
    expect([exit, out]).toEqual([0, expect.stringContaining('There is no habeas.yaml here')]);
  });
});
