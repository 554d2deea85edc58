import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { afterEach, describe, expect, it } from 'vitest';
import { type AskingHouse, asker, openAskingHouse } from '../../../test/asking-house.ts';
import { eventually } from '../../../test/eventually.ts';
import { fixedClock } from '../../foundation/index.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const CALLBACK = 'https://habeas.example/api/v1/public/sign-in';

interface Login extends AsyncDisposable {
  readonly issuer: string;
  /** Signs in as this account, as a browser would, and gives the address that the browser is sent back to. */
  signIn(authorizationUrl: string, account: string): Promise<URL>;
}

/** A real OpenID provider with its own sign-in pages, and a browser that fills them in. */
async function startLogin(): Promise<Login> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'habeas',
        client_secret: 'client-secret-of-the-test',
        redirect_uris: [CALLBACK],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@example.org`, email_verified: id !== 'mallory' }),
    }),
    cookies: { keys: ['key-of-the-test'] },
  });
  server.on('request', provider.callback());
  return {
    issuer,
    async signIn(authorizationUrl, account) {
      const jar = new Map<string, string>();
      let url = new URL(authorizationUrl);
      let form: URLSearchParams | undefined;
      for (let hop = 0; hop < 20; hop += 1) {
        const answer = await fetch(url, {
          method: form === undefined ? 'GET' : 'POST',
          redirect: 'manual',
          headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
          ...(form === undefined ? {} : { body: form }),
        });
        for (const cookie of answer.headers.getSetCookie()) {
          const [pair = ''] = cookie.split(';');
          jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
        }
        const location = answer.headers.get('location');
        if (location !== null) {
          url = new URL(location, url);
          form = undefined;
          await answer.body?.cancel();
          if (url.href.startsWith(CALLBACK)) return url;
          continue;
        }
        const page = await answer.text();
        const action = /action="([^"]+)"/.exec(page)?.[1];
        const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
        if (action === undefined || prompt === undefined)
          throw new Error(`no form: ${answer.status} ${page}`);
        url = new URL(action, url);
        form = new URLSearchParams({
          prompt,
          ...(prompt === 'login' ? { login: account, password: 'x' } : {}),
        });
      }
      throw new Error('The sign-in did not end.');
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function start(more: Parameters<typeof openAskingHouse>[0] = {}) {
  const login = await startLogin();
  open.push(login);
  const house = await openAskingHouse({
    ...more,
    intake: {
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
