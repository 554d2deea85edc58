export type Bytes = Uint8Array<ArrayBuffer>;

const ALPHABETS = { base64: /^[A-Za-z0-9+/]*={0,2}$/, base64url: /^[A-Za-z0-9_-]*$/ } as const;

export const toHex = (bytes: Bytes): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

export function toBase64(bytes: Bytes, alphabet: keyof typeof ALPHABETS): string {
  const standard = btoa(String.fromCharCode(...bytes));
  return alphabet === 'base64'
    ? standard
    : standard.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Bytes of a text in the one spelling that they have in this base64; undefined for any other. */
export function fromBase64(text: string | undefined, alphabet: keyof typeof ALPHABETS): Bytes | undefined {
  if (text === undefined || !ALPHABETS[alphabet].test(text)) return undefined;
  try {
    const standard = text.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(standard), (character) => character.charCodeAt(0));
    return toBase64(bytes, alphabet) === text ? bytes : undefined;
  } catch {
    // Not a whole number of bytes.
    return undefined;
  }
}
