import { isUtf8 } from 'node:buffer';
import { byteText } from '../byte-text.ts';

/** A value as people read it: text where it is text, else its bytes in base64. */
export function readable(bytes: Buffer): string | { readonly base64: string } {
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

/** The same where there has to be a text, such as the name of a field. */
export function readableName(bytes: Buffer): string {
  const value = readable(bytes);
  return typeof value === 'string' ? value : `base64:${value.base64}`;
}

const COMBINED = ['NFC', 'NFD'] as const;

/** A value as keys may have it: composed and decomposed, and where case does not matter also its other cases. */
export function writtenAs(value: string, match: 'exact' | 'case-insensitive'): readonly string[] {
  const cases = match === 'exact' ? [value] : [value, value.toLowerCase(), value.toUpperCase()];
  return [
    ...new Set(cases.flatMap((one) => [one, ...COMBINED.map((form) => one.normalize(form))]).map(byteText)),
  ];
}
