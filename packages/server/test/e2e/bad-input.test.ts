import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readZip } from '../read-zip.ts';
import type { CallOptions } from './api.ts';
import { type House, openHouse, type Served } from './house.ts';
import { differences, readStores } from './stores.ts';
import { answerTicketOf } from './team.ts';

let house: House;
let server: Served;

beforeAll(async () => {
  house = await openHouse({ people: 40 });
  server = await house.serve();
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

/** Values that break what puts them into SQL, JSON, shells, patterns, headers or lines. */
const NASTY = [
  `o'brien"; drop table customers; --@example.com`,
  `' or '1'='1`,
  `eve\nBcc: mallory@example.com\r\n\r\n@example.com`,
  `%@example.com`,
  `_%\\_$1 \${HOME} {{7*7}} $(id)@example.com`,
  `{"$ne": null}`,
  `‮evil@example.com\u200b`,
];

/** Makes a person of that address a customer with an account and the newsletter. */
async function addPerson(email: string, userId: string): Promise<void> {
  const values = [userId, email];
  await house.shop.pool.query(
    `with customer as (
       insert into public.customers (user_id, email, given_name, family_name, created_at)
       values ($1, $2, 'Nasty', $2, now()) returning id)
     insert into public.payment_cards (customer_id, holder, brand, last_four, token, expires)
     select id, $2, 'visa', '0000', $2, '2030-01-01' from customer`,
    values,
  );
  const open = (name: 'accounts' | 'mailer') =>
    new DatabaseSync(join(house.acme.folderOf(name), `${name}.sqlite`), { timeout: 5_000 });
  using accounts = open('accounts');
  accounts
    .prepare('insert into accounts values (?, ?, null, ?, ?, ?, ?, ?, ?)')
    .run(userId, email, email, email, '2000-01-01', 'en', 'x', '2024-01-01');
  using mailer = open('mailer');
  mailer.prepare('insert into recipients values (?, ?, ?, 1)').run(email, email, 'en');
}

async function packageOf(id: string): Promise<ReadonlyMap<string, Buffer>> {
  const response = await fetch(`${server.url}/api/v1/requests/${id}/package`, {
    headers: { authorization: `Bearer ${house.key}` },
  });
  return readZip(Buffer.from(await response.arrayBuffer()));
}

describe('a value with quotes, SQL, patterns or line breaks in it', () => {
  test('of nobody changes nothing, for access and for erasure', async () => {
    const before = await readStores(house);
    const made = await Promise.all(
      NASTY.flatMap((value) =>
        (['access', 'erasure'] as const).map((right) =>
          server.api.ask({ right, identities: [{ type: 'email', value }] }),
        ),
      ),
    );
    for (const { id } of made) {
      await answerTicketOf(house, server.api, id);
      expect(await server.api.until(id, 'completed')).toMatchObject({ matched: false });
    }
    expect(differences(before, await readStores(house))).toEqual({});
  });

  test('of somebody finds and erases that person and no other, over REST', async () => {
    const others = await readStores(house);
    for (const [index, email] of NASTY.entries()) await addPerson(email, `nasty_${index}`);
    const accesses = await Promise.all(
      NASTY.map((value) => server.api.ask({ right: 'access', identities: [{ type: 'email', value }] })),
    );
    for (const [index, { id }] of accesses.entries()) {
      await answerTicketOf(house, server.api, id);
      await server.api.until(id, 'completed');
      const files = await packageOf(id);
      const customers = JSON.parse(String(files.get('data/shop/customers.json')));
      expect(customers).toMatchObject([{ user_id: `nasty_${index}`, email: NASTY[index] }]);
      const accounts = JSON.parse(String(files.get('data/accounts/accounts.json')));
      expect(accounts).toMatchObject([{ email: NASTY[index] }]);
      expect(JSON.parse(String(files.get('data/mailer/recipients.json')))).toHaveLength(1);
    }
    const erasures = await Promise.all(
      NASTY.slice(1).map((value) =>
        server.api.ask({ right: 'erasure', identities: [{ type: 'email', value }] }),
      ),
    );
    for (const { id } of erasures) {
      await answerTicketOf(house, server.api, id);
      expect(await server.api.until(id, 'completed')).toMatchObject({ matched: true });
    }
    const left = differences(others, await readStores(house));
    expect(Object.values(left).flatMap(({ gone }) => gone)).toEqual([]);
    expect(Object.values(left).flatMap(({ added }) => added)).toHaveLength(4);
  });

  test('of somebody finds and erases that person and no other, from the command line', async () => {
    const [email = ''] = NASTY;
    const before = await readStores(house);
    const made = await house.run(['request', 'erase', '--email', email, '--json'], { server });
    expect(made.exit).toBe(0);
    const { id }: api.RequestView = JSON.parse(made.out);
    await answerTicketOf(house, server.api, id);
    expect(await server.api.until(id, 'completed')).toMatchObject({ matched: true });
    const gone = differences(before, await readStores(house));
    expect(Object.keys(gone)).toEqual([
      'accounts.accounts',
      'mailer.recipients',
      'shop.customers',
      'shop.payment_cards',
    ]);
    for (const place of Object.values(gone)) expect([place.gone.length, place.added.length]).toEqual([1, 0]);
    expect(made.out + made.notes).not.toContain('brien');
  });

  test('is read from standard input with its line breaks, and an identity of any type is taken as it is', async () => {
    const email = NASTY[2] ?? '';
    await addPerson(email, `q'uote`);
    const piped = await house.run(['request', 'access', '--email', '-', '--json'], {
      server,
      input: `${email}\n`,
    });
    const typed = await house.run(['request', 'access', '--identity', `user_id=q'uote`, '--json'], {
      server,
    });
    for (const { exit, out, notes } of [piped, typed]) {
      expect([exit, notes]).toEqual([0, '']);
      const { id }: api.RequestView = JSON.parse(out);
      await answerTicketOf(house, server.api, id);
      expect(await server.api.until(id, 'completed')).toMatchObject({ matched: true });
    }
  });
});

test('an unknown person gets a truthful package with nothing in it', async () => {
  const { api } = server;
  const { id } = await api.ask({
    right: 'access',
    identities: [{ type: 'email', value: 'nobody@nowhere.example' }],
  });
  await answerTicketOf(house, api, id);
  expect(await api.until(id, 'completed')).toMatchObject({ matched: false });
  const files = await packageOf(id);
  expect([...files.keys()].filter((name) => name.startsWith('data/'))).toEqual([]);
  const manifest = JSON.parse(String(files.get('manifest.json')));
  expect(manifest.collections).toEqual([]);
  expect(manifest.not_included).toMatchObject([{ system: 'analytics' }]);
  expect(String(files.get('index.html'))).toContain('We hold no data about you');
});

test('one Idempotency-Key is one request, also at the same instant; with another body it is refused', async () => {
  const { api } = server;
  const ask = {
    right: 'access' as const,
    identities: [{ type: 'email', value: 'once@example.com' }],
    idempotencyKey: 'k-1',
  };
  const made = await Promise.all(Array.from({ length: 8 }, () => api.ask(ask)));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  const body = { right: 'erasure', identities: ask.identities };
  const other = await api.call('POST', '/api/v1/requests', { body, headers: { 'idempotency-key': 'k-1' } });
  expect([other.status, other.json<api.Problem>().code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  const { items } = await api.get<{ items: api.RequestView[] }>('/api/v1/requests?right=erasure&limit=500');
  expect(items.filter(({ id, state }) => id === made[0]?.id || state !== 'completed')).toEqual([]);
});

const person = [{ type: 'email', value: 'ada@example.com' }];
const BAD_BODIES: readonly (readonly [string, CallOptions, number, string, RegExp])[] = [
  ['malformed JSON', json('{"right": "access", '), 400, 'BAD_INPUT', /not valid JSON/],
  ['no body', json(''), 400, 'BAD_INPUT', /body is empty/],
  [
    'a form',
    { raw: 'right=access', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    400,
    'BAD_INPUT',
    /application\/json/,
  ],
  [
    'plain text',
    { raw: '{}', headers: { 'content-type': 'text/plain' } },
    400,
    'BAD_INPUT',
    /application\/json/,
  ],
  [
    '200 KiB',
    json(JSON.stringify({ right: 'access', identities: [{ type: 'email', value: 'x'.repeat(200_000) }] })),
    413,
    'PAYLOAD_TOO_LARGE',
    /larger than 131072 bytes/,
  ],
  ['a list', { body: [] }, 400, 'BAD_INPUT', /body: /],
  ['null', json('null'), 400, 'BAD_INPUT', /body/],
  [
    'an unknown field',
    { body: { right: 'access', identities: person, force: true } },
    400,
    'BAD_INPUT',
    /unknown fields: force/,
  ],
  [
    'an unknown field in an identity',
    { body: { right: 'access', identities: [{ ...person[0], x: 1 }] } },
    400,
    'BAD_INPUT',
    /body\.identities\.0: has unknown fields: x/,
  ],
  [
    'a right that there is not',
    { body: { right: 'forget', identities: person } },
    400,
    'BAD_INPUT',
    /body\.right: /,
  ],
  [
    'a wrong type',
    { body: { right: 'access', identities: person, dry_run: 'yes' } },
    400,
    'BAD_INPUT',
    /body\.dry_run: /,
  ],
  ['nobody', { body: { right: 'access', identities: [] } }, 400, 'BAD_INPUT', /body\.identities: /],
  [
    'an empty value',
    { body: { right: 'access', identities: [{ type: 'email', value: '' }] } },
    400,
    'BAD_INPUT',
    /body\.identities\.0\.value: /,
  ],
  [
    'NUL in a value',
    { body: { right: 'access', identities: [{ type: 'email', value: 'a\0b' }] } },
    400,
    'BAD_INPUT',
    /without NUL/,
  ],
  [
    'a type with a space',
    { body: { right: 'access', identities: [{ type: 'e mail', value: 'a' }] } },
    400,
    'BAD_INPUT',
    /body\.identities\.0\.type: /,
  ],
  [
    'half a surrogate pair',
    json('{"right":"access","identities":[{"type":"email","value":"\\ud800"}]}'),
    400,
    'BAD_INPUT',
    /value/,
  ],
  [
    '__proto__',
    json('{"right":"access","identities":[],"__proto__":{"dry_run":true}}'),
    400,
    'BAD_INPUT',
    /body|JSON/,
  ],
  [
    'an Idempotency-Key with a space',
    { body: { right: 'access', identities: person }, headers: { 'idempotency-key': 'a b' } },
    400,
    'BAD_INPUT',
    /headers\.idempotency-key: visible ASCII/,
  ],
];

function json(raw: string): CallOptions {
  return { raw, headers: { 'content-type': 'application/json' } };
}

test.each(BAD_BODIES)(
  'a request with %s is refused, told what is wrong, and makes nothing',
  async (_what, options, status, code, detail) => {
    const { api } = server;
    const count = async () => (await house.database.pool.query('select count(*) from habeas.requests')).rows;
    const before = await count();
    const answer = await api.call('POST', '/api/v1/requests', options);
    const problem = answer.json<api.Problem>();
    expect([answer.status, problem.code]).toEqual([status, code]);
    expect(problem.detail).toMatch(detail);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.text).not.toContain('ada@');
    expect(await count()).toEqual(before);
  },
);

const IDS = ['req_unknown', '..%2f..%2fetc', "'%20or%201=1", 'ü'.repeat(40), 'x'.repeat(5_000), '%', 'a/b'];
const QUERIES = [
  '/api/v1/requests?limit=0',
  '/api/v1/requests?limit=ten',
  '/api/v1/requests?state=lost',
  '/api/v1/tickets?state=maybe',
  '/api/v1/audit?cursor=-1',
  '/api/v1/audit?limit=501',
];

test.each(IDS)('the id %s is nobody’s, and no error', async (id) => {
  for (const path of [`/api/v1/requests/${id}`, `/api/v1/requests/${id}/tasks`, `/api/v1/tickets/${id}`]) {
    const answer = await server.api.call('GET', path);
    expect([answer.status, answer.json<api.Problem>().code], path).toEqual([404, 'NOT_FOUND']);
  }
});

test('a NUL in a URL is wrong input', async () => {
  for (const path of ['/api/v1/requests/req_%00', '/api/v1/tickets?team=%00', '/api/v1/holders/e%00']) {
    const answer = await server.api.call('GET', path);
    expect([answer.status, answer.json<api.Problem>().code], path).toEqual([400, 'BAD_INPUT']);
  }
});

test.each(QUERIES)('%s is refused with the name of the field', async (path) => {
  const answer = await server.api.call('GET', path);
  expect([answer.status, answer.json<api.Problem>().code]).toEqual([400, 'BAD_INPUT']);
  expect(answer.json<api.Problem>().detail).toMatch(/^query\.(limit|state|cursor): /);
});

test.each(['abc', '-1', '1.5', '9'.repeat(40), '1; drop table x'])(
  'a stream with Last-Event-ID %s is refused',
  async (id) => {
    const answer = await server.api.call('GET', '/api/v1/events', { headers: { 'last-event-id': id } });
    expect([answer.status, answer.json<api.Problem>().code]).toEqual([400, 'BAD_INPUT']);
    expect(answer.json<api.Problem>().detail).toContain('headers.last-event-id');
  },
);

test('a stream that goes on after an event that is still to come waits for it', async () => {
  const controller = new AbortController();
  const response = await fetch(`${server.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${house.key}`, 'last-event-id': '999999999999' },
    signal: controller.signal,
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  const first = await response.body?.getReader().read();
  expect(Buffer.from(first?.value ?? []).toString()).toBe('retry: 2000\n\n');
  controller.abort();
});

test('the command line names what is wrong and what to do, with an exit code', async () => {
  const runs: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['request', 'access'], 2, /error BAD_INPUT: Say whom it is about: --email/],
    [['request', 'access', '--identity', 'ada'], 2, /--identity/],
    [['request', 'show', 'req_unknown'], 2, /error NOT_FOUND: There is no request req_unknown\./],
    [['request', 'access', '--email', 'a@b.example', '--key', 'habeas_wrong'], 5, /error UNAUTHENTICATED/],
    [
      ['request', 'access', '--email', 'a@b.example', '--url', 'http://127.0.0.1:1'],
      4,
      /error SERVER_UNREACHABLE/,
    ],
    [['reqest'], 2, /unknown command 'reqest'/],
    [['map', '--frob'], 2, /unknown option '--frob'/],
  ];
  for (const [argv, exit, text] of runs) {
    const result = await house.run(argv, { server });
    expect(result.notes).toMatch(text);
    expect([argv.join(' '), result.exit, result.out]).toEqual([argv.join(' '), exit, '']);
  }
});
