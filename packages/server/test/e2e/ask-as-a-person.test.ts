import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { type House, openHouse, type Served } from './house.ts';

let house: House;
let served: Served;

beforeAll(async () => {
  house = await openHouse();
  served = await house.serve();
});

afterAll(async () => {
  await house?.[Symbol.asyncDispose]();
});

test('a person of the example asks on the page, finds the code among their mails, and is believed', async () => {
  let cookie = '';
  const post = async (path: string, form: Record<string, string>) => {
    const answer = await fetch(new URL(path, served.url), {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie },
      body: new URLSearchParams(form),
    });
    cookie ||= answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    return answer;
  };
  const { email } = house.acme.subject(4);
  const asked = await post('/privacy', { act: 'ask', right: 'access', email });
  expect([asked.status, asked.headers.get('location')]).toEqual([303, '/privacy/request']);
  const mails = async () => (await fetch(house.acme.mailsUrl)).text();
  await eventually('the mail is on the page', async () => /\b\d{8}\b/.test(await mails()));
  const page = await mails();
  expect(page).toContain('Acme');
  expect(page).not.toContain('<script');
  const code = /\b(\d{8})\b/.exec(page)?.[1] ?? '';
  const proved = await post('/privacy/request', { act: 'prove', contact: 'c0', code });
  expect([proved.status, proved.headers.get('location')]).toEqual([303, '/privacy/request']);
  const { items } = await served.api.get<{ items: readonly { id: string; right: string }[] }>(
    '/api/v1/requests',
  );
  expect(items).toMatchObject([{ right: 'access' }]);
  await served.api.until(items[0]?.id ?? '', 'running');
});
