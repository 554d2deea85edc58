import { createHmac } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  /** As it is sent, escaped. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names of standard headers in lower case; all that begin with `x-ms-` are signed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers whose values alone are signed, in this order; an empty body has an empty length. */
const STANDARD = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
] as const;

/**
 * The header `Authorization` of a request to Azure Storage (Authorize with Shared Key, versions since 2015-02-21).
 * @param key The account's key, as the portal shows it: base64.
 */
export function sharedKeyAuthorization(
  account: { readonly name: string; readonly key: string },
  { method, path, query, headers }: SignedRequest,
): string {
  const standard = STANDARD.map((name) => {
    const value = headers[name] ?? '';
    return name === 'content-length' && value === '0' ? '' : value;
  });
  const ours = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .filter(([name]) => name.startsWith('x-ms-'))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}:${value}`);
  const asked = Object.keys(query)
    .sort()
    .map((name) => `\n${name.toLowerCase()}:${query[name]}`);
  const text = [method, ...standard, ...ours, `/${account.name}${path}${asked.join('')}`].join('\n');
  const signature = createHmac('sha256', Buffer.from(account.key, 'base64')).update(text).digest('base64');
  return `SharedKey ${account.name}:${signature}`;
}
