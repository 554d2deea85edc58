import { isUtf8 } from 'node:buffer';
import { bytesOf, readable } from '../byte-text.ts';
import type { NamedIdentity } from '../named-things.ts';
import { type PathPattern, valuesIn } from './path-pattern.ts';
import type { NamedCollection } from './path-values.ts';

/** The identities that a pattern has placeholders for. */
export function namedIdentities(
  { identities }: NamedCollection,
  pattern: PathPattern,
): readonly NamedIdentity[] {
  return identities
    .filter(({ name }) => pattern.fields.has(name))
    .map(({ type, match }) => ({ type, match }));
}

/** The values of {@link namedIdentities}, once for each way to read a path; none where the pattern does not fit. */
export function readName(
  { identities }: NamedCollection,
  pattern: PathPattern,
  path: string,
): readonly (readonly string[])[] {
  const fields = identities.map(({ name }) => name).filter((name) => pattern.fields.has(name));
  return valuesOfFields(pattern, fields, path).map((values) => values.map(asText));
}

/** Values of placeholders as byte text: each with each, where several can be read in several ways. */
export function valuesOfFields(
  pattern: PathPattern,
  fields: readonly string[],
  path: string,
): readonly (readonly string[])[] {
  let readings: readonly (readonly string[])[] = [[]];
  for (const field of fields) {
    const values = [...valuesIn(pattern, path, field)];
    readings = readings.flatMap((reading) => values.map((value) => [...reading, value]));
  }
  return readings;
}

/** Bytes that are no text are the value of no row: no text of a row has half a surrogate pair. */
function asText(value: string): string {
  return isUtf8(bytesOf(value)) ? readable(value) : `\ud800${value}`;
}
