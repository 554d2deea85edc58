import { afterEach, describe, expect, it } from 'vitest';
import { type AskingHouse, asker, openAskingHouse } from '../../../test/asking-house.ts';
import { eventually } from '../../../test/eventually.ts';
import { startLogin } from '../../../test/login.ts';
import { fixedClock } from '../../foundation/index.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const CALLBACK = 'https://habeas.example/api/v1/public/sign-in';

async function start(more: Parameters<typeof openAskingHouse>[0] = {}) {
  const login = await startLogin({ callback: CALLBACK });
  open.push(login);
  const house = await openAskingHouse({
    ...more,
    intake: {
      ...more.intake,
      sign_in: {
        issuer: login.issuer,
        client_id: 'habeas',
        client_secret: 'client-secret-of-the-test',
        scopes: ['openid', 'email'],
      },
    },
  });
  open.push(house);
  return { house, login };
}

async function begin(house: AskingHouse, token: string) {
  const answer = await house.post('/api/v1/public/requests:sign-in', { token });
  const cookie = String(answer.headers['set-cookie']);
  return { url: String(answer.body.url), cookie, status: answer.status };
}

const comeBack = (house: AskingHouse, url: URL, cookie: string) =>
  house.app.inject({
    method: 'GET',
    url: `${url.pathname}${url.search}`,
    headers: { cookie: cookie.split(';')[0] },
  });

describe("the organization's own sign-in", () => {
  it('proves who asks: the verified claims become the identities of the request', async () => {
    const { house, login } = await start();
    const asked = await house.ask({ right: 'access' });
    const { url, cookie } = await begin(house, asked.token);
    expect(cookie).toMatch(/HttpOnly; SameSite=Lax; Secure$/);
    expect(new URL(url).searchParams.get('code_challenge_method')).toBe('S256');
    const back = await comeBack(house, await login.signIn(url, 'ada'), cookie);
    expect([back.statusCode, back.body]).toEqual([303, '']);
    const page = new URL(String(back.headers.location));
    expect(page.href.startsWith('https://privacy.acme.example/ask#')).toBe(true);
    const token = page.hash.slice(1);
    const done = await house.inState(asked.request_id, 'completed');
    expect(done).toMatchObject({ matched: true, identity_types: ['email', 'user_id'] });
    const resumed = await house.post('/api/v1/public/requests:resume', { token });
    expect(resumed.body).toMatchObject({ request_id: asked.request_id, state: 'completed' });
    expect((await house.mailTo('ada@example.org')).parsed.subject).toBe('ACME has confirmed your identity');
  });

  it('stands for the code on the pages that come with Habeas, without a script', async () => {
    const { house, login } = await start({ intake: { page: undefined } });
    const jar = new Map<string, string>();
    const call = async (url: string, form?: Record<string, string>) => {
      const answer = await house.app.inject({
        method: form === undefined ? 'GET' : 'POST',
        url,
        headers: {
          cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
          'content-type': 'application/x-www-form-urlencoded',
        },
        ...(form && { payload: new URLSearchParams(form).toString() }),
      });
      for (const text of [answer.headers['set-cookie'] ?? []].flat().map(String)) {
        const [name = '', value = ''] = (text.split(';')[0] ?? '').split('=');
        jar.set(name, value);
      }
      return answer;
    };
    await call('/privacy', { act: 'ask', right: 'access', email: 'ada@example.org' });
    const asked = jar.get('habeas-request');
    const page = await call('/privacy/request');
    expect(page.body).toContain('Sign in instead');
    expect(page.headers['content-security-policy']).toContain(`form-action 'self' ${login.issuer};`);
    const gone = await call('/privacy/request', { act: 'sign-in' });
    const back = await login.signIn(String(gone.headers.location), 'ada');
    const home = await call(`${back.pathname}${back.search}`);
    expect([home.statusCode, home.headers.location]).toEqual([303, 'https://habeas.example/privacy/request']);
    expect(jar.get('habeas-request')).not.toBe(asked);
    expect((await call('/privacy/request')).body).not.toContain('Sign in instead');
    const [request] = (await house.requests.list(asker, { limit: 1 })).items;
    // The address that they typed is the one that the provider verified: it is proved, and not dropped.
    const done = await house.inState(request?.id ?? '', 'completed');
    expect(done.identity_types).toEqual(['email', 'user_id']);
  });

  it('gives only what the provider verified, and drops what was claimed besides', async () => {
    const { house, login } = await start();
    const asked = await house.ask({
      right: 'access',
      identities: [{ type: 'email', value: 'ada@example.org' }],
    });
    const { url, cookie } = await begin(house, asked.token);
    await comeBack(house, await login.signIn(url, 'mallory'), cookie);
    await eventually('it is proved', async () => {
      const { state } = await house.requests.get(asker, asked.request_id);
      return state !== 'verifying';
    });
    expect((await house.requests.get(asker, asked.request_id)).identity_types).toEqual(['user_id']);
  });

  it('is not taken from another browser, with another state, twice, or too late', async () => {
    const clock = fixedClock(new Date().toISOString());
    const { house, login } = await start({ clock });
    const asked = await house.ask({ right: 'erasure' });
    const mine = await begin(house, asked.token);
    // Somebody sends the link to another person, who signs in: that browser has no cookie, or one of its own.
    const theirs = await login.signIn(mine.url, 'ada');
    expect((await comeBack(house, theirs, '')).statusCode).toBe(403);
    const other = await begin(house, asked.token);
    expect((await comeBack(house, theirs, other.cookie)).statusCode).toBe(403);
    const forged = new URL(theirs);
    forged.searchParams.set('state', 'x'.repeat(43));
    expect((await comeBack(house, forged, mine.cookie)).statusCode).toBe(403);
    // A code that belongs to another sign-in has another verifier and nonce.
    const swapped = new URL(await login.signIn(other.url, 'ada'));
    swapped.searchParams.set('code', String(theirs.searchParams.get('code')));
    expect((await comeBack(house, swapped, other.cookie)).statusCode).toBe(403);
    const late = await begin(house, asked.token);
    const lateBack = await login.signIn(late.url, 'ada');
    clock.advance(11 * 60_000);
    expect((await comeBack(house, lateBack, late.cookie)).statusCode).toBe(403);
    const again = await begin(house, asked.token);
    const back = await login.signIn(again.url, 'ada');
    expect((await house.post('/api/v1/public/requests:resume', { token: asked.token })).body.state).toBe(
      'verifying',
    );
    expect((await comeBack(house, back, again.cookie)).statusCode).toBe(303);
    expect((await comeBack(house, back, again.cookie)).statusCode).toBe(403);
  });
});
