import type { Identity } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { readable } from '../byte-text.ts';
import type { IdentityField } from './compile-files.ts';
import { type PathPattern, valuesIn } from './path-pattern.ts';
import { type Values, writtenAs } from './search-plan.ts';

/** A collection whose patterns have placeholders for identities. */
export interface NamedCollection {
  readonly name: string;
  readonly identities: readonly IdentityField[];
}

interface Named {
  readonly collection: NamedCollection;
  readonly identities: readonly Identity[];
}

/** What a pattern's placeholders have to be. */
export interface PathSearch {
  readonly values: Values;
  /** Compared without case after the file is found, because names of files have a case. */
  readonly folded: ReadonlyMap<string, ReadonlySet<string>>;
  readonly fields: readonly IdentityField[];
}

/** Undefined where the request has none of the identities that the pattern names. Throws SCHEMA_MISMATCH where it has some only. */
export function valuesFor(pattern: PathPattern, { collection, identities }: Named): PathSearch | undefined {
  const fields = collection.identities.filter(({ name }) => pattern.fields.has(name));
  const given = fields.map((field) =>
    identities.filter(({ type }) => type === field.type).map(({ value }) => value),
  );
  if (given.every((values) => values.length === 0)) return undefined;
  const missing = fields.filter((_, index) => given[index]?.length === 0);
  if (missing.length > 0) {
    const types = missing.map(({ type }) => type).join(' and ');
    throw new HabeasError(
      'SCHEMA_MISMATCH',
      `What "${collection.name}" holds is named by several identities together, and the request has no ${types}. Give it, or let another system resolve it; nothing was changed.`,
    );
  }
  const values = new Map<string, readonly string[]>();
  const folded = new Map<string, ReadonlySet<string>>();
  for (const [index, { name, match }] of fields.entries()) {
    const own = given[index] ?? [];
    if (match === 'case-insensitive') folded.set(name, new Set(own.map(fold)));
    else values.set(name, own.flatMap(writtenAs));
  }
  return { values, folded, fields };
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** Whether the path is the person's; throws where it may be another one's. */
export function isSurely(
  search: PathSearch,
  {
    collection,
    pattern,
    path,
  }: {
    readonly collection: Pick<NamedCollection, 'name'>;
    readonly pattern: PathPattern;
    readonly path: string;
  },
): boolean {
  return search.fields.every(({ name }) => {
    const folded = search.folded.get(name);
    const exact = new Set(search.values.get(name));
    const isFit = (value: string) =>
      folded === undefined ? exact.has(value) : folded.has(fold(readable(value)));
    return refuseDoubt(collection, pattern, { path, name, isFit });
  });
}

/** Whether the placeholder's value fits; throws where one way to read the path fits and another does not. */
export function refuseDoubt(
  collection: Pick<NamedCollection, 'name'>,
  pattern: PathPattern,
  read: { readonly path: string; readonly name: string; readonly isFit: (value: string) => boolean },
): boolean {
  const values = [...valuesIn(pattern, read.path, read.name)];
  const fitting = values.filter(read.isFit).length;
  if (fitting === 0 || fitting === values.length) return fitting > 0;
  throw new HabeasError(
    'SCHEMA_MISMATCH',
    `A path of "${collection.name}" can be read in several ways by "${pattern.text}", so that it may be somebody else's; nothing was changed. Say what {${read.name}} and its neighbours are made of, such as {${read.name}:digits}.`,
  );
}
