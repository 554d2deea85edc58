import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { api } from '@habeas/contract';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../../../../examples/acme/free-ports.ts';
import { people, person, subject } from '../../../../examples/acme/index.ts';
import { verifierKey } from '../../src/audit/index.ts';
import { startEmbeddedPostgres } from '../../src/foundation/index.ts';
import { readZip } from '../read-zip.ts';
import { type CommandResult, habeas } from './habeas-command.ts';

const PEOPLE = 200;
/** Whom the story is about. */
const PERSON = 31;
const VERIFIER = fileURLToPath(new URL('../../src/audit/habeas-verify.mjs', import.meta.url));

let folder: string;
let port: number;
let run: CommandResult;
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-demo-'));
  // mkdtemp makes it private to this user; as root the embedded server runs as another one.
  chmodSync(folder, 0o755);
  [port = 0] = await freePorts(1);
  // As `npm start -- --exit` does on a machine that has nothing but Node.
  const argv = ['demo', '--exit', '--people', String(PEOPLE), '--port', String(port)];
  run = await habeas(argv, {
    folder,
    environment: { DATABASE_URL: undefined, HABEAS_MASTER_KEY: undefined },
  });
  // What the demonstration left is looked at without any of its processes.
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, '.habeas') });
});

afterAll(async () => {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

const left = (...path: readonly string[]) => join(folder, '.habeas', 'demo', ...path);
const company = (...path: readonly string[]) => left(`acme-${port}`, ...path);

async function query<Row extends pg.QueryResultRow>(
  database: string,
  text: string,
  values: readonly unknown[] = [],
) {
  const client = new pg.Client({ connectionString: postgres.url(database) });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

test('the story ends with 0 and says that every check held', () => {
  expect(run.notes).toMatch(/^starting PostgreSQL$/m);
  expect(run.out + run.notes).toMatch(/^✓ All \d+ checks held\. [\d.]+ s from start to receipt\.$/m);
  expect(run.exit).toBe(0);
});

test('the map that it prints has every service and what nobody declares', () => {
  for (const line of [
    /^ {3}accounts +identity +.* client$/m,
    /^ {3}orders +shop +.* connection$/m,
    /^ {3}analytics +data +.* ticket$/m,
    /^ {3}crm-vendor +– +nobody$/m,
    /^ {3}email is held by +accounts \(identity\), mailer \(growth\), orders \(shop\)$/m,
  ]) {
    expect(run.out).toMatch(line);
  }
});

test('the package that it saved is whole, is about the person, and about nobody else', () => {
  const [, name = '', told = ''] =
    /^ {3}Saved (\S+package\.zip) \(.*, (\d+) files, each fits/m.exec(run.out) ?? [];
  const file = join(folder, name);
  expect(statSync(file).mode & 0o077).toBe(0);
  const files = readZip(readFileSync(file));
  const manifest: {
    collections: { system: string; collection: string; rows: number }[];
    files: { path: string; sha256: string }[];
  } = JSON.parse(String(files.get('manifest.json')));
  expect(manifest.files).toHaveLength(Number(told));
  for (const { path, sha256 } of manifest.files) {
    const bytes = files.get(path);
    expect(
      createHash('sha256')
        .update(bytes ?? '')
        .digest('hex'),
      path,
    ).toBe(sha256);
  }
  for (const { system, collection, rows } of manifest.collections) {
    expect(JSON.parse(String(files.get(`data/${system}/${collection}.json`)))).toHaveLength(rows);
    expect(run.out).toMatch(new RegExp(`\\b${collection} ${rows}\\b`));
  }
  const { name: who, phone, birthDate, ip } = person(PERSON);
  const [account] = JSON.parse(String(files.get('data/accounts/accounts.json')));
  expect(account).toMatchObject({ ...emailsOf(PERSON), name: who, phone, birth_date: birthDate });
  expect(String(files.get('data/accounts/sessions.json'))).toContain(ip);
  const all = [...files.values()].map(String).join('\n');
  const others = [...people(PEOPLE)].filter(({ n }) => n !== PERSON);
  expect(others.filter(({ email, userId }) => all.includes(email) || all.includes(userId))).toEqual([]);
});

function emailsOf(n: number) {
  const { email, newsEmail } = person(n);
  return { email, news_email: newsEmail ?? null };
}

test('no store holds anything of the person but what it named, and everybody else is there', async () => {
  const needles = subject(PERSON).identities.map(({ value }) => value.toLowerCase());
  for (const store of ['accounts', 'mailer'] as const) {
    using db = new DatabaseSync(company(store, `${store}.sqlite`), { readOnly: true });
    const table = store === 'accounts' ? 'accounts' : 'recipients';
    const rows = db.prepare(`select * from ${table}`).all();
    expect(rows).toHaveLength(PEOPLE - 1);
    expect(rows.filter((row) => holds(JSON.stringify(row), needles))).toEqual([]);
  }
  const events = readdirSync(company('analytics', 'events')).map((name) =>
    readFileSync(company('analytics', 'events', name), 'utf8'),
  );
  expect(events.join('').length).toBeGreaterThan(1_000);
  expect(events.filter((text) => holds(text, needles))).toEqual([]);

  const shop = `habeas_demo_shop_${port}`;
  const [customers] = await query<{ n: string }>(shop, 'select count(*) as n from customers');
  expect(Number(customers?.n)).toBe(PEOPLE - 1);
  const tables = await query<{ name: string }>(
    shop,
    `select tablename as name from pg_tables where schemaname = 'public'`,
  );
  for (const { name } of tables) {
    const rows = await query<{ row: string }>(shop, `select t::text as row from "${name}" t`);
    expect(
      rows.filter(({ row }) => holds(row, needles)),
      name,
    ).toEqual([]);
  }
  const kept = await query<{ n: string }>(
    shop,
    'select count(*) as n from order_audit where customer_id is null and buyer_name = $1',
    [person(PERSON).name],
  );
  const [, told = ''] = /^ {3}shop\.order_audit +(\d+) +Tax law/m.exec(run.out) ?? [];
  expect(Number(told)).toBeGreaterThan(0);
  expect(Number(kept[0]?.n)).toBe(Number(told));
});

function holds(text: string, needles: readonly string[]): boolean {
  return needles.some((needle) => text.toLowerCase().includes(needle));
}

test('what it printed of each place is gone, and the dry run before had counted it', () => {
  const rows = [
    ...run.out.matchAll(/^ {3}(accounts|mailer|shop|analytics) +(\S+|event files) +(\d+) +(\d+)(.*)$/gm),
  ];
  expect(rows.length).toBeGreaterThan(8);
  expect(rows.map(([, , , , now]) => now)).toEqual(rows.map(() => '0'));
  const before = rows.reduce((sum, [, , , had]) => sum + Number(had), 0);
  expect(run.out).toContain(`0 records are left beside what has to be kept; ${before} were there before.`);
  expect(run.out).toMatch(
    /Dry run {2}would act on \d+ records and \d+ lines of event files; nothing changed\./,
  );
});

test('the receipt that it saved is verified by the key of this server alone, offline, and not when it is changed', async () => {
  const check = (file: string, trust = left('trust.txt')) =>
    spawnSync(process.execPath, [VERIFIER, file, trust], { encoding: 'utf8' }).status;
  const file = left('receipt.json');
  expect(check(file)).toBe(0);
  const view: api.ReceiptView = JSON.parse(readFileSync(file, 'utf8'));
  expect(run.out).toContain(view.receipt.request_id);
  expect(view.receipt).toMatchObject({ right: 'erasure', state: 'completed', dry_run: false });
  for (const { system, counts } of view.receipt.systems) {
    const records = Object.values(counts).reduce((sum, count) => sum + count, 0);
    expect(run.out).toMatch(new RegExp(`^ {3}${system} +${records} {2}(read again|by the word)`, 'm'));
  }
  const changed = { ...view, receipt: { ...view.receipt, completed_at: view.receipt.received_at } };
  writeFileSync(left('changed.json'), JSON.stringify(changed));
  expect(check(left('changed.json'))).toBe(1);
  const [name = ''] = readFileSync(left('trust.txt'), 'utf8').split('+');
  expect(check(file, verifierKey(name, Buffer.alloc(32, 7)))).toBe(1);
  expect(
    holds(
      JSON.stringify(view),
      subject(PERSON).identities.map(({ value }) => value.toLowerCase()),
    ),
  ).toBe(false);
});

test('its log and its state have no trace of the person', async () => {
  const needles = subject(PERSON).identities.map(({ value }) => value.toLowerCase());
  const log = readFileSync(left('habeas.log'), 'utf8');
  expect(log.length).toBeGreaterThan(100);
  expect(holds(log, needles)).toBe(false);
  for (const table of ['requests', 'tasks', 'audit_entries', 'outbox_events']) {
    const rows = await query<{ row: string }>(
      `habeas_demo_${port}`,
      `select t::text as row from habeas.${table} t`,
    );
    expect(rows.length).toBeGreaterThan(2);
    expect(rows.filter(({ row }) => holds(row, needles))).toEqual([]);
  }
});
