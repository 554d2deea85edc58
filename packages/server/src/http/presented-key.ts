/**
 * The API key in an `Authorization` header: `Bearer <key>` (RFC 6750 §2.1), or `Basic` with the key as the password and
 * any user name (RFC 7617), which is what a browser sends after it asked its user. Undefined if there is none.
 */
export function presentedKey(authorization: string | undefined): string | undefined {
  const match = /^(bearer|basic) +(\S+) *$/i.exec(authorization ?? '');
  const [, scheme, credentials] = match ?? [];
  if (scheme === undefined || credentials === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return credentials;
  const decoded = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const password = colon < 0 ? '' : decoded.slice(colon + 1);
  return password === '' ? undefined : password;
}
