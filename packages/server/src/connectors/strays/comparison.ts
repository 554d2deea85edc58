import type { Connector } from '../connector.ts';
import type { NamedIdentity, NamePattern } from '../named-things.ts';
import type { ConfiguredConnection } from '../systems.ts';

/** Identities that are compared together. */
export interface Group {
  readonly identities: readonly NamedIdentity[];
  /** Connections whose rows have them. */
  readonly tellers: readonly string[];
  /** Connections that tell one of them, and that nobody can ask for all they know. */
  readonly silent: readonly string[];
}

/** How the names of a store are compared. */
export interface Comparison {
  readonly groups: readonly Group[];
  /** For each pattern the groups that have to be known; undefined: it tells an original. */
  readonly ofPattern: readonly (readonly number[] | undefined)[];
  readonly remarks: readonly string[];
}

/** Another connection, and what it can tell. */
export interface Teller {
  readonly configured: Pick<ConfiguredConnection, 'config' | 'resolves'>;
  readonly known: Connector['known'];
}

/**
 * Chooses what is compared with what: identities of a name together where a collection of rows has them together, else each by itself.
 * Pure.
 */
export function comparisonOf(patterns: readonly NamePattern[], tellers: readonly Teller[]): Comparison {
  const groups: Group[] = [];
  const indexes = new Map<string, number>();
  const remarks = new Set<string>();
  const groupOf = (identities: readonly NamedIdentity[]): number => {
    const name = JSON.stringify(identities.map(({ type, match }) => [type, match]));
    const known = indexes.get(name);
    if (known !== undefined) return known;
    const types = identities.map(({ type }) => type);
    indexes.set(name, groups.length);
    groups.push({
      identities,
      tellers: tellers.filter((teller) => hasAll(teller, types)).map(keyOf),
      silent: tellers
        .filter(
          ({ known, configured }) =>
            known === undefined && types.some((type) => configured.resolves.includes(type)),
        )
        .map(keyOf),
    });
    return groups.length - 1;
  };
  const ofPattern = patterns.map(({ tells, collection, text }) => {
    if (tells === 'original') return undefined;
    if (tells.length < 2) return tells.map((identity) => groupOf([identity]));
    const types = tells.map(({ type }) => type);
    if (new Set(types).size === types.length && tellers.some((teller) => hasAll(teller, types)))
      return [groupOf(tells)];
    remarks.add(
      `No rows have ${types.join(' and ')} together, so that each part of "${text}" of ${collection} is compared by itself.`,
    );
    return tells.map((identity) => groupOf([identity]));
  });
  return { groups, ofPattern, remarks: [...remarks] };
}

function hasAll({ known }: Teller, types: readonly string[]): boolean {
  return (
    known?.collections.some((collection) => types.every((type) => collection.types.includes(type))) ?? false
  );
}

function keyOf({ configured }: Teller): string {
  return configured.config.key;
}
