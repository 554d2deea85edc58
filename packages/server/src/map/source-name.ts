import { sha256Hex } from '../foundation/index.ts';

/**
 * Names a source by its URL without user, password, query and fragment, which may hold secrets. Two URLs that differ in
 * the query only get different names through a part of the query's hash.
 */
export function sourceName(url: string): string {
  const parsed = new URL(url);
  const name = `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return parsed.search === '' ? name : `${name}?${sha256Hex(parsed.search).slice(0, 8)}`;
}
