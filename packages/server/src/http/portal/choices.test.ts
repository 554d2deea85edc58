import { afterEach, expect, it } from 'vitest';
import { type AskingHouse, codeIn, openAskingHouse } from '../../../test/asking-house.ts';
import { TEST_ORGANIZATION } from '../../../test/in-memory-application.ts';

const PURPOSES = `
purposes:
  - { code: shop, name: { en: The shop }, legal_basis: contract }
  - { code: analytics, name: { en: 'How <b>you</b> use it', de: Auswertung }, description: { en: We count. }, legal_basis: consent }
  - { code: advertising, name: { en: Advertising }, legal_basis: opt_out }
`;

let house: AskingHouse;
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };

afterEach(async () => {
  ahead = 0;
  await house[Symbol.asyncDispose]();
});

/** A browser on the pages about choices. */
function browser() {
  let cookie = '';
  const call = async (form?: Record<string, string>) => {
    const answer = await house.app.inject({
      method: form === undefined ? 'GET' : 'POST',
      url: '/privacy/choices',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      ...(form && { payload: new URLSearchParams(form).toString() }),
    });
    for (const text of [answer.headers['set-cookie'] ?? []].flat().map(String))
      if (text.startsWith('habeas-choices='))
        cookie = text.includes('Max-Age=0') ? '' : (text.split(';')[0] ?? '');
    return answer;
  };
  return {
    call,
    get cookie() {
      return cookie;
    },
  };
}

const identity = { type: 'email', value: 'ada@example.org' };
const saidBy = async () => {
  const { purposes } = await house.consent.read(TEST_ORGANIZATION, identity);
  return Object.fromEntries(purposes.map(({ code, said }) => [code, said]));
};

it('shows what was agreed to, to whoever reads the address, and takes what they choose at once', async () => {
  house = await openAskingHouse({ purposes: PURPOSES, clock });
  const ada = browser();
  expect((await ada.call()).body).toContain('name="email"');
  expect((await ada.call({ act: 'begin', email: 'Ada@' })).statusCode).toBe(400);
  expect((await ada.call({ act: 'begin', email: 'ada@example.org' })).statusCode).toBe(303);
  const mail = await house.mailTo('ada@example.org');
  expect(mail.parsed.subject).toBe('Your code at ACME');
  // Before the proof nothing is shown, and nothing taken.
  expect((await ada.call()).body).not.toContain('Advertising');
  expect((await ada.call({ act: 'save', all: 'yes' })).statusCode).toBe(404);
  expect((await ada.call({ act: 'prove', code: '00000001' })).statusCode).toBe(403);
  expect((await ada.call({ act: 'prove', code: codeIn(mail) })).statusCode).toBe(303);
  const page = (await ada.call()).body;
  // Nothing is chosen for anybody, and what a contract needs is no choice.
  expect(page).not.toContain(' checked');
  expect(page).toContain('How &lt;b&gt;you&lt;/b&gt; use it');
  expect(page).not.toContain('The shop');
  expect((await ada.call({ act: 'save' })).statusCode).toBe(400);
  await ada.call({ act: 'save', 'choice.analytics': 'yes', 'choice.shop': 'no', 'choice.other': 'yes' });
  expect(await saidBy()).toEqual({ shop: null, analytics: true, advertising: null });
  expect((await ada.call()).body).toContain('name="choice.analytics" value="yes" checked');
  await ada.call({ act: 'save', all: 'no' });
  expect(await saidBy()).toEqual({ shop: null, analytics: false, advertising: false });
  const { items } = await house.consent.history(TEST_ORGANIZATION, identity);
  expect(items.map(({ source, notice }) => [source, notice?.variant])).toEqual([
    ['portal', 'portal'],
    ['portal', 'portal'],
  ]);
  await ada.call({ act: 'end' });
  expect(ada.cookie).toBe('');
  const { rows } = await house.database.pool.query('select * from habeas.contact_proofs');
  expect(rows).toEqual([]);
  expect(house.log.join('')).not.toContain('ada@example.org');
});

it('ends after half an hour, takes a code once and five tries, and the newest code alone', async () => {
  house = await openAskingHouse({ purposes: PURPOSES, clock });
  const [ada, other] = [browser(), browser()];
  await ada.call({ act: 'begin', email: 'ada@example.org' });
  const first = codeIn(await house.mailTo('ada@example.org'));
  await ada.call({ act: 'send-code' });
  const second = codeIn(await house.mailTo('ada@example.org', 2));
  expect((await ada.call({ act: 'prove', code: first })).statusCode).toBe(first === second ? 303 : 403);
  // A code of one browser is of no use in another.
  await other.call({ act: 'begin', email: 'eve@example.org' });
  expect((await other.call({ act: 'prove', code: second })).statusCode).toBe(403);
  ahead = 11 * 60_000;
  expect((await ada.call({ act: 'prove', code: second })).statusCode).toBe(403);
  await ada.call({ act: 'send-code' });
  const third = codeIn(await house.mailTo('ada@example.org', 3));
  const wrong = third === '00000000' ? '00000001' : '00000000';
  for (let index = 0; index < 5; index += 1) await ada.call({ act: 'prove', code: wrong });
  expect((await ada.call({ act: 'prove', code: third })).statusCode).toBe(403);
  await ada.call({ act: 'send-code' });
  const fourth = codeIn(await house.mailTo('ada@example.org', 4));
  expect((await ada.call({ act: 'prove', code: fourth })).statusCode).toBe(303);
  expect((await ada.call()).body).toContain('Advertising');
  ahead += 31 * 60_000;
  expect((await ada.call()).body).toContain('name="email"');
  expect(ada.cookie).toBe('');
});

it('sends one address five codes an hour at most, whoever asks', async () => {
  house = await openAskingHouse({ purposes: PURPOSES, clock });
  for (let index = 0; index < 5; index += 1)
    expect((await browser().call({ act: 'begin', email: 'ada@example.org' })).statusCode).toBe(303);
  const refused = await browser().call({ act: 'begin', email: 'ADA@example.org' });
  expect([refused.statusCode, house.mail.mails.length]).toEqual([429, 5]);
});

it('is not there where there is nothing to choose', async () => {
  house = await openAskingHouse();
  expect((await browser().call({ act: 'begin', email: 'ada@example.org' })).statusCode).toBe(404);
  expect((await house.app.inject('/privacy')).body).not.toContain('/privacy/choices');
});
