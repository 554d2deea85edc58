import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../test/eventually.ts';
import { type HabeasHouse, openHabeasHouse } from '../test/habeas-house.ts';
import { receiveWebhooks } from '../test/webhook-receiver.ts';

const SECRET = Buffer.alloc(32, 5).toString('base64');
const ada = { type: 'email', value: 'ada@example.org' };

let house: HabeasHouse;
beforeEach(async () => {
  house = await openHabeasHouse();
});
afterEach(() => house[Symbol.asyncDispose]());

async function serve(destinations: readonly object[] = []) {
  writeFileSync(
    join(house.folder, 'purposes.yaml'),
    `purposes:
  - { code: analytics, name: { en: Analytics }, legal_basis: consent }
  - { code: profiling, name: { en: Profiling }, legal_basis: legitimate_interests, objections: [marketing.profiling] }
  - { code: selling, name: { en: Selling }, legal_basis: opt_out, gpc: true }
  - { code: sharing, name: { en: Sharing }, legal_basis: opt_out, gpp: [sharing] }
`,
  );
  writeFileSync(
    join(house.folder, 'habeas.yaml'),
    JSON.stringify({
      networks: { allow_private: ['127.0.0.1'] },
      consent: { purposes: 'purposes.yaml', destinations },
    }),
  );
  const { url, key } = await house.serve();
  const call = async (path: string, body?: object) => {
    const response = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect([response.status, response.ok ? '' : await response.text()]).toEqual([response.status, '']);
    // biome-ignore lint/suspicious/noExplicitAny: answers of the API, of which each test looks at a few fields.
    return (await response.json()) as any;
  };
  const said = async () => {
    const { purposes } = await call('/api/v1/consent:read', { identity: ada });
    return Object.fromEntries(
      purposes.map(({ code, said }: { code: string; said: boolean | null }) => [code, said]),
    );
  };
  /** Gives the request when it is completed. */
  const ask = async (ask: object): Promise<string> => {
    const { id } = await call('/api/v1/requests', { identities: [ada], ...ask });
    await eventually('it is completed', async () => {
      const { state } = await call(`/api/v1/requests/${id}`);
      return state === 'completed';
    });
    return id;
  };
  return { call, said, ask };
}

const NOTHING = { analytics: null, profiling: null, selling: null, sharing: null };

it('records what a request objects to, by its purposes and those above them, and tells it', async () => {
  await using crm = await receiveWebhooks();
  const webhook = { url: crm.url, secret: SECRET };
  const { call, said, ask } = await serve([{ key: 'crm', webhook, identities: ['email'] }]);
  const id = await ask({ right: 'objection', purposes: ['marketing', 'analytics'] });
  expect(await said()).toEqual({ ...NOTHING, analytics: false, profiling: false });
  const { items } = await call('/api/v1/consent:history', { identity: ada });
  const { received_at } = await call(`/api/v1/requests/${id}`);
  expect(items).toMatchObject([
    {
      event_id: expect.stringMatching(new RegExp(`^${id}:[\\w-]{22}$`)),
      source: 'request',
      said_at: received_at,
      choices: { analytics: false, profiling: false },
    },
  ]);
  await eventually('it is told', () => crm.messages.length > 0);
  expect(JSON.parse(crm.messages[0]?.body ?? '').data.purposes).toMatchObject({
    profiling: { said: false, allowed: false },
    selling: { said: null, allowed: true },
  });
  // Who takes it back has not agreed to what needs consent.
  await ask({ right: 'objection', purposes: ['marketing', 'analytics'], lift: true });
  expect(await said()).toEqual({ ...NOTHING, analytics: false, profiling: true });
});

it('records an opt-out of sale as Global Privacy Control would, and nothing for rights about no purpose', async () => {
  const { said, ask } = await serve();
  await ask({ right: 'restriction' });
  await ask({ right: 'access' });
  expect(await said()).toEqual(NOTHING);
  await ask({ right: 'opt_out_of_sale' });
  expect(await said()).toEqual({ ...NOTHING, selling: false, sharing: false });
  await ask({ right: 'opt_out_of_sale', lift: true });
  expect(await said()).toEqual({ ...NOTHING, selling: true, sharing: true });
});

it('records nothing where the step of the request is not written', async () => {
  const { said, call } = await serve();
  const { pool } = house.database;
  await pool.query(`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'not now'; end $$`);
  await pool.query(`create constraint trigger refuse after update on tasks deferrable initially deferred
    for each row when (new.kind = 'register' and new.state = 'succeeded') execute function refuse()`);
  const { id } = await call('/api/v1/requests', {
    identities: [ada],
    right: 'objection',
    purposes: ['analytics'],
  });
  const tried = async () => {
    const { rows } = await pool.query(
      `select count(*)::int as n from tasks where request_id = $1 and kind = 'register' and state <> 'pending'`,
      [id],
    );
    return rows[0].n === 1;
  };
  await eventually('it is tried', tried);
  await expect(
    eventually('it is recorded all the same', async () => (await said()).analytics !== null, 1),
  ).rejects.toThrow();
  await pool.query('drop trigger refuse on tasks');
  await eventually('it is recorded', async () => (await said()).analytics === false, 90);
});
