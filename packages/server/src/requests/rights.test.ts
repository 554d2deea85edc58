import type { api } from '@habeas/contract';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { MemorySystem, memorySystems } from '../../test/memory-system.ts';
import { readZip } from '../../test/read-zip.ts';
import { auditMigrations, listAudit } from '../audit/index.ts';
import { createLogger, newSecretKey, systemClock } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { loadPolicy, parsePolicy } from '../policy/index.ts';
import { type Caller, createRequests, type Requests, requestMigrations } from './index.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...requestMigrations };
const caller: Caller = { organizationId: 'acme', actor: 'key:key_1' };
const ada = { type: 'email', value: 'ada@example.org' };
const people = [
  { email: 'ada@example.org', user_id: 'u1', name: 'Ada Lovelase', city: 'Londn' },
  { email: 'bob@example.org', user_id: 'u2', name: 'Bob', city: 'Londn' },
];

interface World {
  readonly database: TestDatabase;
  readonly requests: Requests;
  readonly shop: MemorySystem;
  readonly mail: MemorySystem;
  readonly log: string[];
}

const open: World[] = [];
afterEach(async () => {
  for (const world of open.splice(0)) {
    await world.requests.stop();
    await world.database.close();
  }
});

async function startWorld(
  options: { readonly tickets?: boolean; readonly forgetAtOnce?: boolean; readonly policy?: string } = {},
): Promise<World> {
  const database = await createTestDatabase(migrations);
  const shop = new MemorySystem('shop', people);
  const mail = new MemorySystem('mail', people);
  const log: string[] = [];
  const policy =
    options.policy === undefined ? loadPolicy(undefined) : parsePolicy(options.policy, 'policy.yaml');
  const requests = createRequests({
    db: database.db,
    organizationId: caller.organizationId,
    databaseUrl: database.url,
    systems: memorySystems([shop, mail], options.tickets === true ? [{ key: 'files', team: 'data' }] : []),
    policy: options.forgetAtOnce === true ? { ...policy, forgetAfterMilliseconds: 0 } : policy,
    masterKey: newSecretKey(),
    clock: systemClock,
    logger: createLogger({ level: 'debug', destination: { write: (line: string) => void log.push(line) } }),
    sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
    proveEntry: async () => undefined,
    callback: (taskId) => ({ url: `http://127.0.0.1/callbacks/${taskId}`, secret: `secret of ${taskId}` }),
    verifyCallback: () => new Date(),
    retry: { maxFailures: 4, firstDelayMilliseconds: 1, longestDelayMilliseconds: 5 },
    reconcileMilliseconds: 50,
  });
  const world = { database, requests, shop, mail, log };
  open.push(world);
  await requests.start();
  return world;
}

type More = Partial<Parameters<Requests['receive']>[1]>;

async function ask(world: World, right: api.Right, more: More = {}): Promise<string> {
  const { request } = await world.requests.receive(caller, {
    right,
    identities: [ada],
    dryRun: false,
    ...more,
  });
  return request.id;
}

async function inState(world: World, id: string, state: api.RequestState): Promise<api.RequestView> {
  const read = () => world.requests.get(caller, id);
  await eventually(`${id} is ${state}`, async () => (await read()).state === state);
  return read();
}

const choices = async (world: World, value = ada.value) =>
  (await world.requests.processingChoices(caller, [[{ type: 'email', value }]]))[0];

const FREE = { restricted: false, objections: [], opted_out_of_sale: false, sensitive_data_limited: false };
const changes = [
  { target: 'user.name', to: 'Ada Lovelace' },
  { target: 'user.contact.address.city', from: 'Londn', to: 'London' },
];

describe('a rectification', () => {
  it('tries the new values everywhere, then changes every copy, and reads each system again', async () => {
    const world = await startWorld();
    const id = await ask(world, 'rectification', { changes });
    expect(await inState(world, id, 'completed')).toMatchObject({
      matched: true,
      targets: ['user.contact.address.city', 'user.name'],
    });
    for (const { rows, calls } of [world.shop, world.mail]) {
      expect(rows).toEqual([
        { email: 'ada@example.org', user_id: 'u1', name: 'Ada Lovelace', city: 'London' },
        people[1],
      ]);
      expect(calls).toEqual([
        'resolve',
        'locate',
        'rectify dry-run',
        'rectify change',
        'rectify dry-run',
        'rectify dry-run',
      ]);
    }
    const { receipt } = await world.requests.receipt(caller, id);
    expect(
      receipt.systems.map(({ system, counts, verified_at: at }) => [system, counts, at !== null]),
    ).toEqual([
      ['mail', { rows: 1 }, true],
      ['shop', { rows: 1 }, true],
    ]);
  });

  it('changes nothing anywhere when a new value does not fit in one system', async () => {
    const world = await startWorld();
    world.shop.refuses = 'city';
    const id = await ask(world, 'rectification', {
      changes: [{ target: 'user.contact.address.city', to: 'Llanfairpwllgwyngyllgogerychwyrndrobwll' }],
    });
    await inState(world, id, 'blocked');
    const tasks = await world.requests.tasks(caller, id);
    expect(tasks.find(({ state }) => state === 'blocked')).toMatchObject({
      key: 'validate:shop',
      error: { code: 'VALUE_INVALID' },
    });
    expect([world.shop.rows, world.mail.rows]).toEqual([people, people]);
    await world.requests.command(caller, id, { type: 'cancel', reason: 'the value was wrong' });
    expect([world.shop.rows, world.mail.rows]).toEqual([people, people]);
  });

  it('is blocked when a system says that it changed and did not; a retry changes and reads again', async () => {
    const world = await startWorld();
    world.shop.keepsData = true;
    const id = await ask(world, 'rectification', { changes });
    await inState(world, id, 'blocked');
    const blocked = (await world.requests.tasks(caller, id)).find(({ state }) => state === 'blocked');
    expect(blocked).toMatchObject({ key: 'verify:shop', error: { code: 'NOT_APPLIED' } });
    world.shop.keepsData = false;
    await world.requests.commandTask(caller, id, blocked?.id ?? '', { type: 'retry' });
    await inState(world, id, 'completed');
    expect(world.shop.rows[0]).toMatchObject({ name: 'Ada Lovelace', city: 'London' });
    expect(world.shop.effects.size).toBe(1);
  });

  it('keeps new values sealed, in no row, log line, audit entry or event, and forgets them', async () => {
    const world = await startWorld({ tickets: true, forgetAtOnce: true });
    const secret = 'Graefin von Lovelace 4711';
    const id = await ask(world, 'rectification', { changes: [{ target: 'user.name', to: secret }] });
    await eventually('the ticket is open', async () => {
      const { items } = await world.requests.listTickets(caller, { state: 'open', limit: 10 });
      return items.length === 1;
    });
    const [ticket] = (await world.requests.listTickets(caller, { state: 'open', limit: 10 })).items;
    expect((await world.requests.getTicket(caller, ticket?.id ?? '')).changes).toEqual([
      { target: 'user.name', to: secret },
    ]);
    await world.requests.closeTicket(caller, ticket?.id ?? '', { note: 'done', count: 1 });
    expect((await world.requests.getTicket(caller, ticket?.id ?? '')).changes).toEqual([]);
    await inState(world, id, 'completed');
    const { rows: tables } = await world.database.pool.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'habeas'`,
    );
    expect(tables.length).toBeGreaterThan(5);
    const hex = Buffer.from(secret).toString('hex');
    for (const { name } of tables) {
      const { rows } = await world.database.pool.query(`select t::text as row from habeas."${name}" t`);
      expect(
        rows.filter(({ row }) => row.includes('Graefin') || row.includes(hex)),
        name,
      ).toEqual([]);
    }
    expect(world.log.filter((line) => line.includes('Graefin'))).toEqual([]);
    await eventually('the values are forgotten', async () => {
      const { rows } = await world.database.pool.query('select from habeas.request_changes');
      return rows.length === 0;
    });
  });

  it('is refused without changes, with a category that does not exist, and for another right', async () => {
    const world = await startWorld();
    const refusals: readonly More[] = [
      {},
      { changes: [{ target: 'user.contact.emial', to: 'x' }] },
      { changes, lift: true },
      { changes, purposes: ['marketing'] },
    ];
    for (const more of refusals)
      await expect(ask(world, 'rectification', more)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    for (const right of ['access', 'erasure', 'restriction'] as const)
      await expect(ask(world, right, { changes })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(ask(world, 'objection')).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(ask(world, 'access', { lift: true })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('a restriction', () => {
  it('is told to services that ask at once, marked in each system, and lifted again', async () => {
    const world = await startWorld();
    expect(await choices(world)).toEqual(FREE);
    await inState(world, await ask(world, 'restriction'), 'completed');
    expect(await choices(world, ' ADA@example.org')).toEqual({ ...FREE, restricted: true });
    expect(await choices(world, 'bob@example.org')).toEqual(FREE);
    expect(await world.requests.processingChoiceCounts('acme')).toMatchObject({ restriction: 1 });
    // What a system told of the person counts too.
    expect(await world.requests.processingChoices(caller, [[{ type: 'user_id', value: 'u1' }]])).toEqual([
      { ...FREE, restricted: true },
    ]);
    for (const { rows } of [world.shop, world.mail])
      expect(rows.map((row) => row.restricted)).toEqual(['yes', undefined]);
    await inState(world, await ask(world, 'restriction', { lift: true }), 'completed');
    expect(await choices(world)).toEqual(FREE);
    expect(world.shop.rows.map((row) => row.restricted)).toEqual([null, undefined]);
  });

  it('is in the register before any system is marked, and out of it only when the last one was', async () => {
    const world = await startWorld();
    const seen: (boolean | undefined)[] = [];
    world.shop.before = async (method) => {
      if (method === 'restrict change') seen.push((await choices(world))?.restricted);
    };
    await inState(world, await ask(world, 'restriction'), 'completed');
    await inState(world, await ask(world, 'restriction', { lift: true }), 'completed');
    expect(seen).toEqual([true, true]);
  });

  it('of one organization is none of another', async () => {
    const world = await startWorld();
    await inState(world, await ask(world, 'restriction'), 'completed');
    const other = { organizationId: 'globex', actor: 'key:key_2' };
    expect(await world.requests.processingChoices(other, [[ada]])).toEqual([FREE]);
    expect(await world.requests.processingChoiceCounts('globex')).toMatchObject({ restriction: 0 });
  });

  it('counts in a dry run, and notes nothing', async () => {
    const world = await startWorld();
    const id = await ask(world, 'restriction', { dryRun: true });
    await inState(world, id, 'completed');
    expect(await choices(world)).toEqual(FREE);
    expect(world.shop.rows).toEqual(people);
    const tasks = await world.requests.tasks(caller, id);
    expect(tasks.find(({ key }) => key === 'restrict:shop')?.evidence?.counts).toEqual({ rows: 1 });
  });
});

describe('an objection', () => {
  it('holds for its purposes until each is withdrawn', async () => {
    const world = await startWorld({ tickets: true });
    const objects = async (purposes: readonly string[], lift: boolean) => {
      const id = await ask(world, 'objection', { purposes, lift });
      await eventually('the ticket is open', async () => {
        const { items } = await world.requests.listTickets(caller, { state: 'open', limit: 10 });
        const [ticket] = items;
        if (ticket === undefined) return false;
        expect(ticket.instructions).toContain(`the objection to ${purposes.join(', ')}`);
        await world.requests.closeTicket(caller, ticket.id, { note: 'done' });
        return true;
      });
      await inState(world, id, 'completed');
    };
    await objects(['analytics', 'marketing.advertising'], false);
    expect(await choices(world)).toEqual({ ...FREE, objections: ['analytics', 'marketing.advertising'] });
    expect(world.shop.rows[0]).toMatchObject({ objections: 'analytics marketing.advertising' });
    await objects(['analytics'], true);
    expect(await choices(world)).toEqual({ ...FREE, objections: ['marketing.advertising'] });
  });

  it.each([
    ['opt_out_of_sale', 'opted_out_of_sale'],
    ['limit_sensitive_data', 'sensitive_data_limited'],
  ] as const)('%s is told as %s and audited without personal data', async (right, answer) => {
    const world = await startWorld();
    const id = await ask(world, right);
    await inState(world, id, 'completed');
    expect(await choices(world)).toEqual({ ...FREE, [answer]: true });
    const entries = await listAudit(world.database.db, { organizationId: 'acme', limit: 200 });
    expect(JSON.stringify(entries)).not.toContain('ada@');
    expect(entries.map(({ action }) => action)).toContain('request.completed');
  });
});

describe('a portability', () => {
  it.each([
    ['[]', 'given'],
    ['[{when: {right: portability}, portable: provided}]', 'provided'],
    ['[{when: {right: portability}, portable: everything}]', 'all'],
  ])('under the rules %s asks systems for what is %s', async (rules, asked) => {
    const world = await startWorld({ policy: `rules: ${rules}` });
    const id = await ask(world, 'portability');
    await inState(world, id, 'completed');
    expect(world.shop.asked).toEqual([asked]);
    const access = await ask(world, 'access');
    await inState(world, access, 'completed');
    expect(world.shop.asked).toEqual([asked, 'all']);
  });

  it('gives JSON, CSV and for each collection a schema that every row fits', async () => {
    const world = await startWorld();
    const id = await ask(world, 'portability');
    await inState(world, id, 'completed');
    const chunks: Uint8Array[] = [];
    const opened = await world.requests.openPackage(caller, id, 'zip');
    const bytes = await opened.read({ start: 0, end: opened.bytes }, new AbortController().signal);
    for await (const chunk of bytes) chunks.push(chunk);
    const files = await readZip(Buffer.concat(chunks));
    for (const system of ['shop', 'mail']) {
      const text = (name: string) => files.get(`data/${system}/rows.${name}`)?.toString() ?? '';
      const schema = JSON.parse(text('schema.json'));
      const rows = JSON.parse(text('json'));
      const fits = new Ajv2020({ strict: true }).compile(schema);
      expect(rows).toEqual([people[0]]);
      expect(fits(rows), JSON.stringify(fits.errors)).toBe(true);
      expect(fits([{ ...rows[0], email: 7 }])).toBe(false);
      expect(fits([{ name: 'Ada' }])).toBe(false);
      expect(text('csv')).toContain('ada@example.org');
    }
  });
});
