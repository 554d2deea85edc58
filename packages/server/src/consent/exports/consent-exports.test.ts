import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConsentExportError, openConsentExport } from '@habeas/sdk';
import { CompactSign } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { openDuckDb } from '../../../test/duckdb.ts';
import { auditMigrations } from '../../audit/index.ts';
import { newSecretKey, type OpenDatabase, openDatabase } from '../../foundation/index.ts';
import { assignBits, parsePurposes } from '../purposes/index.ts';
import { consentMigrations, createSubjects, recordSignals, type Signal } from '../record/index.ts';
import { type ConsentExports, createConsentExports, exportMigrations } from './index.ts';
import { readPeople } from './read-people.ts';

const ORGANIZATION = 'acme';
const PEOPLE = 120_007;
const caller = { organizationId: ORGANIZATION, actor: 'key:1' };
const clock = { now: () => new Date() };
const folder = mkdtempSync(join(tmpdir(), 'habeas-exports-'));
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const xOf = (key: KeyObject) => String(key.export({ format: 'jwk' }).x);
const publicKeys = [xOf(publicKey)];
let database: TestDatabase;
let exports: ConsentExports;
let exportsOf: (
  opened: Pick<OpenDatabase, 'db' | 'pool'>,
  more?: { readonly patienceMilliseconds: number },
) => ConsentExports;

beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations, ...exportMigrations });
  const purposes = parsePurposes(
    JSON.stringify({
      purposes: [
        { code: 'unused', name: { en: 'u' }, legal_basis: 'consent' },
        { code: 'analytics', name: { en: 'a' }, legal_basis: 'consent' },
        { code: 'advertising', name: { en: 'b' }, legal_basis: 'opt_out' },
      ],
    }),
    'purposes.yaml',
  );
  const bits = await assignBits(database.db, ORGANIZATION, ['unused', 'analytics', 'advertising']);
  const subjects = createSubjects({ organizationId: ORGANIZATION, masterKey: newSecretKey() });
  const options = { organizationId: ORGANIZATION, subjects, purposes: bits, now: new Date() };
  const said = (type: string, value: string, choices: Signal['choices']): Signal => ({
    eventId: `${type} ${value}`,
    identity: { type, value },
    saidAt: new Date('2026-01-01'),
    choices,
    source: 'api',
  });
  await database.db.transaction().execute(async (transaction) => {
    const all = Array.from({ length: PEOPLE }, (_, n) =>
      said('user_id', `u-${n}`, { analytics: n % 3 === 0, advertising: n % 1_000 !== 0 }),
    );
    all.push(said('email', "o'neil@example.org", { advertising: false, analytics: true }));
    for (let at = 0; at < all.length; at += 20_000)
      await recordSignals(transaction, all.slice(at, at + 20_000), options);
  });
  exportsOf = ({ db, pool }, more) =>
    createConsentExports({
      ...more,
      db,
      pool,
      clock,
      organizationId: ORGANIZATION,
      purposes,
      openValue: subjects.openValue,
      async sign(payload) {
        const compact = await new CompactSign(payload).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
        const [header, , signature] = compact.split('.');
        return { signature: `${header}..${signature}`, publicKey: publicKey.export({ format: 'jwk' }) };
      },
    });
  exports = exportsOf(database);
});
afterAll(async () => {
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As `habeas consent export` writes it. */
async function save(
  name: string,
  asked: { purpose: string; identity_type?: string; format: 'parquet' | 'bloom'; valid_seconds?: number },
) {
  const { id, stream } = await exports.open(caller, {
    identity_type: 'user_id',
    valid_seconds: 3_600,
    ...asked,
  });
  const file = join(folder, name);
  writeFileSync(file, Buffer.concat(await Array.fromAsync(stream)));
  const signed = await exports.manifest(ORGANIZATION, id);
  writeFileSync(`${file}.manifest.json`, JSON.stringify(signed));
  return { file, signed };
}

const opening = (file: string, purpose: string) => ({
  file,
  organization: ORGANIZATION,
  purpose,
  identityType: 'user_id',
  publicKeys,
});

it('lists those who agreed, and those who refused, as another program reads it', async () => {
  await using duckdb = await openDuckDb();
  await duckdb.run(
    `create table events as select 'u-' || n as user_id from range(${PEOPLE + 10}) t(n) union all select null`,
  );
  for (const [purpose, lists, mayUse] of [
    ['analytics', 'granted', `n % 3 = 0 and n < ${PEOPLE}`],
    ['advertising', 'denied', `n % 1000 <> 0 or n >= ${PEOPLE}`],
  ] as const) {
    const { file, signed } = await save(`${purpose}.parquet`, { purpose, format: 'parquet' });
    expect(signed.manifest).toMatchObject({ lists, purpose, organization: ORGANIZATION });
    const consent = await openConsentExport(opening(file, purpose));
    const [row] = await duckdb.rows(
      `select (select count(*) from events e ${consent.join('e.user_id')} where e.user_id is not null) as left_over,
        (select count(*) from range(${PEOPLE + 10}) t(n) where ${mayUse}) as wanted,
        (select count(*) from read_parquet('${file}')) as listed`,
    );
    expect(row?.left_over).toBe(row?.wanted);
    expect(Number(row?.listed)).toBe(signed.manifest.count);
    if (lists === 'granted') expect(Number(row?.listed)).toBe(Math.ceil(PEOPLE / 3));
    else expect(Number(row?.listed)).toBe(Math.ceil(PEOPLE / 1_000));
  }
  const { file } = await save('all.parquet', { purpose: 'unused', format: 'parquet' });
  expect(await duckdb.rows(`select count(*)::integer as count from read_parquet('${file}')`)).toEqual([
    { count: 0 },
  ]);
});

it('writes several row groups where many agreed', async () => {
  await using duckdb = await openDuckDb();
  const { parquetOfTexts } = await import('./parquet-file.ts');
  async function* batches() {
    for (let n = 0; n < 25; n += 1) yield Array.from({ length: 10_000 }, (_, i) => `ü-${n * 10_000 + i}`);
  }
  const file = join(folder, 'groups.parquet');
  writeFileSync(file, Buffer.concat(await Array.fromAsync(parquetOfTexts('identity', batches()))));
  expect(
    await duckdb.rows(
      `select (select count(distinct identity) from read_parquet('${file}'))::integer as people, (select max(identity) from read_parquet('${file}')) as last,
       (select count(*) from parquet_metadata('${file}'))::integer as groups`,
    ),
  ).toEqual([{ people: 250_000, last: 'ü-99999', groups: 3 }]);
});

it('never lets somebody through a filter who refused, and few who did not are taken for one', async () => {
  const { file } = await save('advertising.bloom', { purpose: 'advertising', format: 'bloom' });
  const consent = await openConsentExport(opening(file, 'advertising'));
  let wrong = 0;
  for (let n = 0; n < PEOPLE; n += 1) {
    if (n % 1_000 === 0) expect(consent.mayUse(`u-${n}`)).toBe(false);
    else if (!consent.mayUse(`u-${n}`)) wrong += 1;
  }
  expect(wrong / PEOPLE).toBeLessThan(0.003);
  const mails = await save('mails.bloom', {
    purpose: 'advertising',
    identity_type: 'email',
    format: 'bloom',
  });
  const byMail = await openConsentExport({ ...opening(mails.file, 'advertising'), identityType: 'email' });
  expect([byMail.mayUse(" O'Neil@Example.org"), byMail.mayUse('ada@example.org')]).toEqual([false, true]);
});

it('gives no filter of a purpose that needs consent: it would let in who never agreed', async () => {
  await expect(
    exports.open(caller, {
      purpose: 'analytics',
      identity_type: 'user_id',
      format: 'bloom',
      valid_seconds: 60,
    }),
  ).rejects.toMatchObject({ code: 'BAD_INPUT' });
  await expect(
    exports.open(caller, {
      purpose: 'selling',
      identity_type: 'user_id',
      format: 'parquet',
      valid_seconds: 60,
    }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('lets nobody be used by an export that is altered, of somebody else, unfinished or expired', async () => {
  const { file, signed } = await save('checked.bloom', { purpose: 'advertising', format: 'bloom' });
  const options = opening(file, 'advertising');
  const good = await openConsentExport(options);
  expect(good.mayUse('u-1')).toBe(true);
  const bytes = readFileSync(file);
  const refused = async (given: Partial<typeof options> & { now?: () => Date }, words: string) => {
    const reason = await openConsentExport({ ...options, ...given }).catch((error: unknown) => error);
    expect(reason).toBeInstanceOf(ConsentExportError);
    expect(String(reason)).toContain(words);
  };
  await refused({ organization: 'other' }, 'organization');
  await refused({ purpose: 'analytics' }, 'purpose');
  await refused({ identityType: 'email' }, 'identity type');
  await refused({ publicKeys: [xOf(generateKeyPairSync('ed25519').publicKey)] }, 'somebody else');
  await refused({ publicKeys: [] }, 'somebody else');
  const later = () => new Date(signed.manifest.expires_at);
  await refused({ now: later }, 'expired');
  await refused({ now: () => new Date(Date.parse(signed.manifest.issued_at) - 3_600_000) }, 'not come');
  await refused({ now: () => new Date(Number.NaN) }, 'expired');
  let present = new Date();
  const aging = await openConsentExport({ ...options, now: () => present });
  present = later();
  expect(aging.mayUse('u-1')).toBe(false);
  expect(() => aging.join('user_id')).toThrow(ConsentExportError);
  for (const change of [{ expires_at: '2999-01-01T00:00:00.000Z' }, { lists: 'granted' }, { count: 0 }]) {
    writeFileSync(
      `${file}.manifest.json`,
      JSON.stringify({ ...signed, manifest: { ...signed.manifest, ...change } }),
    );
    await refused({}, 'altered');
  }
  writeFileSync(`${file}.manifest.json`, JSON.stringify(signed));
  const other = Buffer.from(bytes);
  other[7] = (other[7] ?? 0) ^ 1;
  for (const wrong of [other, bytes.subarray(0, -1), Buffer.alloc(0)]) {
    writeFileSync(file, wrong);
    await refused({}, 'not the one');
  }
  writeFileSync(`${file}.manifest.json`, '{');
  await refused({}, 'no manifest');
  const begun = await exports.open(caller, {
    purpose: 'analytics',
    identity_type: 'user_id',
    format: 'parquet',
    valid_seconds: 60,
  });
  await begun.stream.next();
  await begun.stream.return();
  await expect(exports.manifest(ORGANIZATION, begun.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(exports.manifest('other', signed.manifest.export_id)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

const ASKED = {
  purpose: 'advertising',
  identity_type: 'user_id',
  format: 'parquet',
  valid_seconds: 60,
} as const;

it('signs for no other organization that nobody refused: it has no such purpose', async () => {
  const other = { organizationId: 'other', actor: 'key:2' };
  await expect(exports.open(other, ASKED)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('needs no second connection while it has one, and gives back each one, also one that is lost', async () => {
  const opened = openDatabase({ url: database.url, connections: 1 });
  try {
    const few = exportsOf(opened);
    const lost = await few.open(caller, { ...ASKED, purpose: 'analytics' });
    await lost.stream.next();
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
    );
    await expect(Array.fromAsync(lost.stream)).rejects.toThrow();
    const left = await few.open(caller, { ...ASKED, purpose: 'analytics' });
    await left.stream.next();
    await left.stream.return();
    const whole = await Promise.all(Array.from({ length: 4 }, () => few.open(caller, ASKED)));
    await Promise.all(whole.map(({ stream }) => Array.fromAsync(stream)));
    const manifests = await Promise.all(whole.map(({ id }) => few.manifest(ORGANIZATION, id)));
    expect(manifests.map(({ manifest }) => manifest.count)).toEqual(Array(4).fill(Math.ceil(PEOPLE / 1_000)));
  } finally {
    await opened.close();
  }
});

it('leaves connections for others, however many files are read at once', async () => {
  const opened = openDatabase({ url: database.url, connections: 3 });
  try {
    const few = exportsOf(opened);
    const begun = await Promise.all(Array.from({ length: 6 }, () => few.open(caller, ASKED)));
    const first = begun.map(({ stream }) => stream.next());
    await Promise.all(first.slice(0, 2));
    expect((await opened.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    for (const { stream } of begun) await stream.return();
  } finally {
    await opened.close();
  }
});

it('gives the turn of who reads no further to the next one, and no manifest to who comes back', async () => {
  const opened = openDatabase({ url: database.url, connections: 3 });
  try {
    const few = exportsOf(opened, { patienceMilliseconds: 20 });
    const left = await Promise.all([1, 2].map(() => few.open(caller, { ...ASKED, purpose: 'analytics' })));
    for (const { stream } of left) await stream.next();
    const next = await few.open(caller, ASKED);
    await next.stream.next();
    await next.stream.return();
    for (const { id, stream } of left) {
      await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(few.manifest(ORGANIZATION, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    expect((await opened.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  } finally {
    await opened.close();
  }
});

it.each(['lost', 'given up'])('ends when the connection is %s while people are read', async (how) => {
  const client = await database.pool.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const options = {
    organizationId: ORGANIZATION,
    identityType: 'user_id',
    bit: 1,
    lists: 'granted',
  } as const;
  const people = readPeople(client, { ...options, openValue: () => '' });
  try {
    expect((await people.next()).done).toBe(false);
    if (how === 'lost') await database.pool.query('select pg_terminate_backend($1, 10000)', [rows[0]?.pid]);
  } finally {
    if (how === 'given up') client.release(true);
  }
  await expect(Array.fromAsync(people)).rejects.toThrow();
  if (how === 'lost') client.release(true);
});
