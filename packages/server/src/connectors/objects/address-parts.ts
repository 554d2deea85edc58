import type { IncomingHttpHeaders } from 'node:http';
import { HabeasError } from '../../foundation/index.ts';

/** RFC 3986, section 2.3: everything but unreserved characters. */
export function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Addresses have no `.` and `..` in them: what they lead to would be another object. */
export function isAddressable(key: string): boolean {
  return !key.split('/').some((part) => part === '.' || part === '..');
}

export function unaddressable(connection: string): HabeasError {
  return new HabeasError(
    'SYSTEM_REFUSED',
    `The store of ${connection} has an object with a . or .. between slashes in its key, which no address can name. Rename it.`,
  );
}

/** One header of an answer; undefined: it is not there. */
export function headerOf(headers: Readonly<IncomingHttpHeaders>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
