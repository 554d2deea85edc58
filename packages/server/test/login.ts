import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export interface LoginOptions {
  /** Where it sends browsers back to. */
  readonly callback: string;
  /** Account → its groups. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** (Default: a free one) */
  readonly port?: number;
}

export interface Login extends AsyncDisposable {
  readonly issuer: string;
  /** Signs in as this account, as a browser would, and gives the address that the browser is sent back to. */
  signIn(authorizationUrl: string, account: string): Promise<URL>;
  /** How often somebody typed who they are: an account's browser stays signed in. */
  readonly typed: number;
}

/** A real OpenID provider with its own sign-in pages, and a browser that fills them in. */
export async function startLogin({ callback, groups = {}, port: wanted = 0 }: LoginOptions): Promise<Login> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'habeas',
        client_secret: 'client-secret-of-the-test',
        redirect_uris: [callback],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    scopes: ['openid', 'email', 'profile'],
    findAccount: (_context, id) => ({
      accountId: id,
      claims: async () => ({
        sub: id,
        email: `${id}@example.org`,
        email_verified: id !== 'mallory',
        name: `${id[0]?.toUpperCase()}${id.slice(1)} Example`,
        groups: groups[id] ?? [],
      }),
    }),
    cookies: { keys: ['key-of-the-test'] },
  });
  server.on('request', provider.callback());
  const jars = new Map<string, Map<string, string>>();
  let typed = 0;
  return {
    issuer,
    get typed() {
      return typed;
    },
    async signIn(authorizationUrl, account) {
      const jar = jars.get(account) ?? new Map<string, string>();
      jars.set(account, jar);
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
          if (url.href.startsWith(callback)) return url;
          continue;
        }
        const page = await answer.text();
        const action = /action="([^"]+)"/.exec(page)?.[1];
        const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
        if (action === undefined || prompt === undefined)
          throw new Error(`no form: ${answer.status} ${page}`);
        if (prompt === 'login') typed += 1;
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
