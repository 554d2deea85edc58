import type { Paint } from './paint.ts';

export interface ServedView {
  readonly url: string;
  /** A key that was just made. */
  readonly key: string | undefined;
  /** By which services know the calls of this server, newest first. */
  readonly publicKeys: readonly string[];
  /** Whether there is a configuration file. */
  readonly configured: boolean;
}

/** What a server says when it has started. */
export function servedLines(
  { url, key, publicKeys, configured }: ServedView,
  paint: Paint,
): readonly string[] {
  return [
    `Habeas listens on ${paint.strong(url)}`,
    `In a browser: ${url}/app (sign in with the key); the API: ${url}/reference (any user name; the key is the password)`,
    `Services know its calls by this public key: ${publicKeys.join(' ')}`,
    ...(key === undefined
      ? []
      : ['', 'The admin key, shown this once; only its hash is stored:', '', `  HABEAS_API_KEY=${key}`]),
    ...(configured
      ? []
      : [
          '',
          'There is no habeas.yaml yet, so nothing is connected. `habeas init` makes one from a database.',
        ]),
    '',
  ];
}
