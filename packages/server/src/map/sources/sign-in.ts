import { basic } from './open-page.ts';

/** How a source of the configuration wants to be asked. */
export interface SignIn {
  readonly bearer_token?: string | undefined;
  readonly basic_auth?: { readonly username: string; readonly password: string } | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The headers that sign in. What is more exactly said wins over what stands in the URL. */
export function signInHeaders(config: SignIn): Readonly<Record<string, string>> {
  const { bearer_token: token, basic_auth: user } = config;
  const extra = Object.entries(config.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    ...(user === undefined ? {} : { authorization: basic(user.username, user.password) }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...Object.fromEntries(extra),
  };
}
