import type { NamedIdentity } from '../named-things.ts';

/** Values as they are compared: composed Unicode, and without case where the identity is compared so. */
export function comparedKey(identities: readonly NamedIdentity[], values: readonly string[]): string {
  return JSON.stringify(
    identities.map(({ match }, index) => {
      const value = (values[index] ?? '').normalize('NFC');
      return match === 'case-insensitive' ? value.toLowerCase() : value;
    }),
  );
}
