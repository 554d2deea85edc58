import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../test/eventually.ts';
import { type HabeasHouse, openHabeasHouse } from '../../test/habeas-house.ts';
import { receiveWebhooks } from '../../test/webhook-receiver.ts';

const SECRET = Buffer.alloc(32, 5).toString('base64');

let house: HabeasHouse;
beforeEach(async () => {
  house = await openHabeasHouse();
});
afterEach(() => house[Symbol.asyncDispose]());

it('lists what destinations have not, sends it again, and takes what they acknowledge', async () => {
  await using crm = await receiveWebhooks();
  writeFileSync(
    join(house.folder, 'purposes.yaml'),
    'purposes: [{ code: analytics, name: { en: Analytics }, legal_basis: consent }]',
  );
  const webhook = { url: crm.url, secret: SECRET };
  writeFileSync(
    join(house.folder, 'habeas.yaml'),
    JSON.stringify({
      networks: { allow_private: ['127.0.0.1'] },
      consent: {
        purposes: 'purposes.yaml',
        destinations: [{ key: 'crm', webhook, identities: ['email'], acknowledge: 'call' }],
      },
    }),
  );
  const { url, key } = await house.serve();
  const habeas = (...argv: readonly string[]) => house.run(argv, { HABEAS_URL: url, HABEAS_API_KEY: key });
  const call = async (path: string, body: object) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
    return response.json();
  };
  const identity = { type: 'email', value: 'ada@example.org' };
  const said_at = '2026-01-01T00:00:00Z';
  await call('/api/v1/consent', {
    signals: [{ event_id: '1', identity, said_at, choices: { analytics: true } }],
  });
  const listed = async () =>
    ((await habeas('consent', 'propagation', '--json')).json() as { readonly items: readonly object[] })
      .items;
  await eventually('it was sent', async () => JSON.stringify(await listed()).includes('"sent":1'));
  const list = await habeas('consent', 'propagation', 'list');
  expect(list.out).toMatch(/^crm +webhook +\d+ s +0 +1 +0 +well$/m);
  const messages = await habeas('consent', 'propagation', 'messages', 'crm');
  const { id, data } = JSON.parse(crm.messages[0]?.body ?? '');
  expect(data.purposes).toEqual({ analytics: { said: true, allowed: true } });
  expect(messages.out).toContain(`${id}  sent`);
  const metrics = async () =>
    (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();
  expect(await metrics()).toMatch(/^habeas_consent_propagation_lag_seconds\{destination="crm"\} [0-9.]+$/m);
  expect(await metrics()).toContain('habeas_consent_propagation_people{destination="crm",state="sent"} 1');

  const again = await habeas('consent', 'propagation', 'retry', 'crm', id);
  expect([again.exit, again.out]).toEqual([0, '1 message sent again to crm.\n']);
  await eventually('it came again', () => crm.messages.length === 2);
  expect(crm.messages[1]?.body).toBe(crm.messages[0]?.body);
  await eventually('that is noted', async () => JSON.stringify(await listed()).includes('"sent":1'));

  const asked = { destination: 'crm', messages: [id] };
  expect(await call('/api/v1/consent/propagation:acknowledge', asked)).toEqual({ messages: 1 });
  expect(await listed()).toMatchObject([{ key: 'crm', waiting: 0, sent: 0, given_up: 0, lag_seconds: 0 }]);
  expect((await habeas('consent', 'propagation', 'messages', 'crm')).out).toBe(
    'It has acknowledged everything.\n',
  );
  expect((await habeas('consent', 'propagation', 'retry', 'crm', '--everybody')).out).toContain('1 message');
  const unknown = await habeas('consent', 'propagation', 'messages', 'none');
  expect([unknown.exit, unknown.notes]).toEqual([2, expect.stringContaining('There are: crm')]);
});
