import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import { Operation_State as State } from '@habeas/contract/pd';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { people, person } from './people.ts';
import { type Acme, type AcmeOptions, startAcme, subject } from './start.ts';
import { callAbout, createTestKeys, grpcClient, httpClient, listenForCallbacks } from './test/pd-client.ts';

const PEOPLE = 60;
const SECRET = `whsec_${randomBytes(24).toString('base64')}`;
const keys = createTestKeys();
const database = `acme_${randomBytes(6).toString('hex')}`;
const otherDatabase = `acme_${randomBytes(6).toString('hex')}`;
const urlOf = (name: string) =>
  Object.assign(new URL(inject('databaseUrl')), {
    pathname: `/${name}`,
  }).toString();
const shopDatabaseUrl = urlOf(database);
const folder = mkdtempSync(join(tmpdir(), 'acme-'));
const poll = { timeout: 15_000, interval: 10 };

let acme: Acme;
let callbacks: Awaited<ReturnType<typeof listenForCallbacks>>;

const start = (more: Partial<AcmeOptions> = {}) =>
  startAcme({ folder, shopDatabaseUrl, people: PEOPLE, habeasPublicKeys: [keys.publicKey], ...more });

function portOf(name: string): number {
  return acme.services.find((service) => service.name === name)?.port ?? 0;
}

const accounts = () => grpcClient({ service: 'accounts', port: portOf('accounts'), keys });
const mailer = () => httpClient({ service: 'mailer', port: portOf('mailer'), keys });
const effectsWith = (name: 'accounts' | 'mailer', key: string) =>
  acme.effectsOf(name).filter(({ idempotencyKey }) => idempotencyKey === key);
const mailAddressOf = (n: number) => [{ type: 'email', value: person(n).newsEmail ?? person(n).email }];

beforeAll(async () => {
  callbacks = await listenForCallbacks();
  acme = await start();
});

afterAll(async () => {
  await acme.stop();
  await callbacks.close();
  rmSync(folder, { recursive: true });
  const server = new pg.Client({ connectionString: inject('databaseUrl') });
  await server.connect();
  for (const name of [database, otherDatabase]) {
    await server.query(`drop database if exists ${name} with (force)`);
  }
  await server.end();
});

describe('startAcme', () => {
  it('starts four services that declare themselves, and gives habeas.yaml what it reads', async () => {
    const pages = await Promise.all(
      acme.services.map(async ({ metricsUrl }) => (await fetch(metricsUrl)).text()),
    );
    for (const [index, name] of ['accounts', 'orders', 'mailer', 'analytics'].entries()) {
      expect(pages[index]).toMatch(
        new RegExp(`^store\\{team="\\w+",service="${name}",data_type="\\w+"\\} 1$`, 'm'),
      );
      expect(pages[index]).toMatch(new RegExp(`^transmit\\{.*service="${name}",to_service=`, 'm'));
    }
    const clients = pages.join('').match(/^client.*$/gm);
    expect(clients).toEqual([
      `client{team="identity",service="accounts",address="127.0.0.1:${portOf('accounts')}",protocol="grpc"} 1`,
      `client{team="growth",service="mailer",address="127.0.0.1:${portOf('mailer')}",protocol="http"} 1`,
    ]);
    const wanted = readFileSync(new URL('habeas.yaml', import.meta.url), 'utf8').matchAll(/\$\{(\w+)\}/g);
    for (const [, name] of wanted) expect(acme.environment).toHaveProperty(name ?? '');
  });

  it('ends its services when it is killed', async () => {
    const own = mkdtempSync(join(tmpdir(), 'acme-'));
    const script = `
      const { startAcme } = await import(${JSON.stringify(new URL('start.ts', import.meta.url).href)});
      const options = JSON.parse(process.argv[1]);
      const { services } = await startAcme(options);
      console.log(JSON.stringify(services.map(({ pid }) => pid)));
      setInterval(() => {}, 1_000);`;
    const options = { folder: own, shopDatabaseUrl, people: PEOPLE, habeasPublicKeys: [keys.publicKey] };
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) =>
      parent.stdout.once('data', (data) => resolve(`${data}`)),
    );
    const pids: number[] = JSON.parse(line);
    expect(pids.filter(isAlive)).toHaveLength(4);
    parent.kill('SIGKILL');
    await vi.waitUntil(() => !pids.some(isAlive), poll);
    rmSync(own, { recursive: true });
  });

  it('says where the reason is when a service cannot start, and leaves none running', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => taken.once('listening', done));
    const address = taken.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const own = mkdtempSync(join(tmpdir(), 'acme-'));
    await expect(start({ folder: own, ports: { analytics: port } })).rejects.toThrow('analytics.log');
    expect(readFileSync(join(own, 'analytics.log'), 'utf8')).toContain('EADDRINUSE');
    taken.close();
    rmSync(own, { recursive: true });
  });

  it('keeps what was erased over a restart, and brings it back when a fresh company is asked for', async () => {
    const own = mkdtempSync(join(tmpdir(), 'acme-'));
    const options = { folder: own, people: 5, shopDatabaseUrl: urlOf(otherDatabase) };
    const other = await start(options);
    const port = (company: Acme) => company.services[0]?.port ?? 0;
    const client = (company: Acme) => grpcClient({ service: 'accounts', port: port(company), keys });
    await client(other).delete(callAbout(subject(1).identities));
    await other.stop();
    const again = await start(options);
    const gone = await client(again).get(callAbout(subject(1).identities));
    expect(gone.operation?.state).toBe(State.NO_MATCH);
    await again.stop();
    const fresh = await start({ ...options, fresh: true });
    const back = await client(fresh).get(callAbout(subject(1).identities));
    expect(back.operation?.state).toBe(State.SUCCEEDED);
    await fresh.stop();
    rmSync(own, { recursive: true });
  });
});

describe('accounts', () => {
  it('finds everybody by every identity, and knows nobody else', async () => {
    const client = accounts();
    for (const { n, userId, email, newsEmail } of people(PEOPLE)) {
      const addresses = [email, email.toUpperCase(), newsEmail].filter((value) => value !== undefined);
      const ways = [
        { type: 'user_id', value: userId },
        ...addresses.map((value) => ({ type: 'email', value })),
      ];
      // What has no upper case in ASCII is compared as it is.
      for (const way of ways.filter(({ value }) => /^\p{ASCII}*$/u.test(value))) {
        const { identities } = await client.resolveIdentities(callAbout([way]));
        const found = identities.map(({ type, value }) => ({ type, value }));
        expect(found).toEqual(expect.arrayContaining([...subject(n).identities]));
        expect(found).toHaveLength(subject(n).identities.length);
      }
    }
    const unknown = await client.get(callAbout([{ type: 'email', value: "x' or '1'='1" }]));
    expect(unknown.operation?.state).toBe(State.NO_MATCH);
    expect(unknown.records).toEqual([]);
  });

  it('hands over and erases what it holds about one person, once per key, and leaves the others alone', async () => {
    const client = accounts();
    const others = callAbout(subject(11).identities);
    const before = await client.get(others);
    const { records, operation } = await client.get(callAbout(subject(10).identities));
    expect(operation?.state).toBe(State.SUCCEEDED);
    expect(records[0]?.row).toMatchObject({ user_id: person(10).userId, name: person(10).name });
    const dryRun = await client.delete({ ...callAbout(subject(10).identities), dryRun: true });
    expect(dryRun.operation?.counts).toEqual(operation?.counts);

    const call = callAbout(subject(10).identities);
    const [first, second] = await Promise.all([client.delete(call), client.delete(call)]);
    const third = await client.delete(call);
    expect(first.operation?.counts).toEqual(operation?.counts);
    expect([second.operation, third.operation]).toEqual([first.operation, first.operation]);
    expect(effectsWith('accounts', call.idempotencyKey)).toEqual([
      { idempotencyKey: call.idempotencyKey, kind: 'delete', count: records.length },
    ]);
    expect((await client.verify(callAbout(subject(10).identities))).operation?.state).toBe(State.NO_MATCH);
    expect((await client.get({ ...others, ...callAbout(subject(11).identities) })).records).toEqual(
      before.records,
    );
  });

  it('erases once when it is killed after the erasure and before its answer', async () => {
    await acme.restart('accounts', ['--latency=3000']);
    const call = callAbout(subject(20).identities);
    const cut = accounts()
      .delete(call)
      .catch((error: unknown) => error);
    await vi.waitUntil(() => effectsWith('accounts', call.idempotencyKey).length > 0, poll);
    await acme.restart('accounts', []);
    expect(await cut).toBeInstanceOf(ConnectError);
    const { operation } = await accounts().delete(call);
    expect(operation?.state).toBe(State.SUCCEEDED);
    const [effect, ...more] = effectsWith('accounts', call.idempotencyKey);
    expect(more).toEqual([]);
    expect(effect?.count).toBe(Object.values(operation?.counts ?? {}).reduce((sum, count) => sum + count, 0));
  });

  it('erases once when it is killed before the erasure', async () => {
    await acme.restart('accounts', ['--latency=60000']);
    const call = callAbout(subject(21).identities);
    const cut = accounts()
      .delete(call)
      .catch((error: unknown) => error);
    const operations = join(acme.folderOf('accounts'), 'operations.sqlite-wal');
    await vi.waitUntil(() => readFileSync(operations).includes(call.idempotencyKey), poll);
    await acme.restart('accounts', []);
    expect(await cut).toBeInstanceOf(ConnectError);
    expect((await accounts().delete(call)).operation?.state).toBe(State.SUCCEEDED);
    expect(effectsWith('accounts', call.idempotencyKey)).toHaveLength(1);
  });
});

describe('mailer', () => {
  it('takes the work, does it, and reports its end with a signature', async () => {
    const call = { ...callAbout(mailAddressOf(30)), callback: { url: callbacks.url, secret: SECRET } };
    const { operation } = await mailer().post('personal-data:delete', call);
    expect(['QUEUED', 'RUNNING']).toContain(operation.state);
    const { headers, body } = await callbacks.about(call.idempotencyKey);
    expect(JSON.parse(body)).toEqual({
      operation: operation.name,
      idempotency_key: call.idempotencyKey,
      state: 'SUCCEEDED',
    });
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    );
    const ended = await mailer().operation(operation.name);
    expect(ended.operation.state).toBe('SUCCEEDED');
    expect(ended.operation.counts.recipients).toBe(1);
    const verified = await mailer().post('personal-data:verify', callAbout(mailAddressOf(30)));
    expect(verified.operation.state).toBe('NO_MATCH');
    expect(effectsWith('mailer', call.idempotencyKey)).toHaveLength(1);
  });

  it('hands over what was sent to the address that the person gave it', async () => {
    const email = person(31).newsEmail;
    const { operation } = await mailer().post('personal-data:get', callAbout(mailAddressOf(31)));
    const ended = await vi.waitUntil(async () => {
      const answer = await mailer().operation(operation.name);
      return answer.operation.state === 'SUCCEEDED' && answer;
    }, poll);
    expect(ended.records[0]).toMatchObject({
      collection: 'recipients',
      row: { email, name: person(31).name },
    });
  });

  it.each([
    ['before the erasure', ['--delay=60000'], 0],
    ['after the erasure and before its report', ['--delay=0', '--latency=2500'], 1],
  ])(
    'does its work once when it is killed %s, and reports it after its restart',
    async (_, switches, effects) => {
      await acme.restart('mailer', switches);
      const call = {
        ...callAbout(mailAddressOf(32 + effects)),
        callback: { url: callbacks.url, secret: SECRET },
      };
      const taken = await mailer().post('personal-data:delete', call);
      await vi.waitUntil(() => effectsWith('mailer', call.idempotencyKey).length === effects, poll);
      await acme.restart('mailer', []);
      expect(JSON.parse((await callbacks.about(call.idempotencyKey)).body)).toMatchObject({
        idempotency_key: call.idempotencyKey,
        state: 'SUCCEEDED',
      });
      expect((await mailer().operation(taken.operation.name)).operation.counts.recipients).toBe(1);
      expect(effectsWith('mailer', call.idempotencyKey)).toHaveLength(1);
    },
  );
});

describe('faults on purpose', () => {
  it('--keep-data says SUCCEEDED and keeps the data, which Verify tells', async () => {
    await acme.restart('accounts', ['--keep-data']);
    const call = callAbout(subject(40).identities);
    const { operation } = await accounts().delete(call);
    expect(operation?.state).toBe(State.SUCCEEDED);
    expect(operation?.counts.accounts).toBe(1);
    const verified = await accounts().verify(callAbout(subject(40).identities));
    expect(verified.operation?.counts.accounts).toBe(1);
    expect(effectsWith('accounts', call.idempotencyKey)).toEqual([]);
  });

  it('--refuse turns every token away', async () => {
    await acme.restart('accounts', ['--refuse']);
    await expect(accounts().get(callAbout(subject(41).identities))).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
  });

  it('--hang takes calls and never ends them: shortly before the deadline they are still under way', async () => {
    await acme.restart('accounts', ['--hang']);
    const { operation } = await accounts().delete(callAbout(subject(42).identities), { timeoutMs: 4_000 });
    expect([State.QUEUED, State.RUNNING]).toContain(operation?.state);
    const again = await accounts().getOperation({ name: operation?.name ?? '' });
    expect([State.QUEUED, State.RUNNING]).toContain(again.operation?.state);
  });

  it('--garbage answers bytes that are no answer, over gRPC and over HTTP, and keeps its metrics', async () => {
    await Promise.all([acme.restart('accounts', ['--garbage']), acme.restart('mailer', ['--garbage'])]);
    await expect(accounts().get(callAbout(subject(43).identities))).rejects.toBeInstanceOf(ConnectError);
    const { status, body } = await mailer().send('personal-data:get', { method: 'POST', body: '{}' });
    expect(status).toBe(200);
    expect(() => JSON.parse(body)).toThrow(SyntaxError);
    const page = await (await fetch(`http://127.0.0.1:${portOf('mailer')}/metrics`)).text();
    expect(page).toContain('client{');
  });

  it('--fail-rate fails before and after the work, and the same key ends with one effect', async () => {
    await acme.restart('accounts', ['--fail-rate=0.6']);
    const states = new Set<State | undefined>();
    for (let n = 44; n < 54; n += 1) {
      const call = callAbout(subject(n).identities);
      await vi.waitUntil(async () => {
        const { operation } = await accounts().delete(call);
        states.add(operation?.state);
        return operation?.state === State.SUCCEEDED;
      }, poll);
      expect(effectsWith('accounts', call.idempotencyKey)).toHaveLength(1);
    }
    expect(states).toContain(State.FAILED);
  });
});

it('writes nothing about people into its logs', () => {
  const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
  expect(logs).toHaveLength(4);
  const text = logs.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  expect(text).toContain('PersonalDataError');
  for (const { email, name, userId } of people(PEOPLE)) {
    for (const value of [email, name, userId]) expect(text).not.toContain(value);
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: it is gone.
    return false;
  }
}
