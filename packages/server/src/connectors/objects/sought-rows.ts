import type { Identity } from '../../catalog/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import type { IdentityField } from '../files/compile-files.ts';
import type { SoughtRow } from './row-search.ts';

/** A collection whose rows are found by the values of fields, some of them only together. */
export interface NamedByGroups {
  readonly name: string;
  readonly groups: readonly (readonly IdentityField[])[];
}

/**
 * The fields that name a person, those of a group together, each other one alone. What `together` names and is no such field is told as a
 * problem.
 */
export function groupsOf(
  name: string,
  {
    together,
    identities,
    problems,
  }: {
    readonly together: readonly (readonly string[])[];
    readonly identities: readonly IdentityField[];
    readonly problems: string[];
  },
): NamedByGroups['groups'] {
  const groups = together.map((names) =>
    names.flatMap((one): readonly IdentityField[] => {
      const field = identities.find((identity) => identity.name === one);
      if (field === undefined)
        problems.push(`\`together\` of "${name}" names "${one}", which is no field with an \`identity\`.`);
      return field === undefined ? [] : [field];
    }),
  );
  const grouped = new Set(together.flat());
  return [...groups, ...identities.filter((field) => !grouped.has(field.name)).map((field) => [field])];
}

/**
 * The values that name a person in rows of a collection. Throws SCHEMA_MISMATCH where the request has some of the identities that name a person
 * only together.
 */
export function soughtRows(
  { name, groups }: NamedByGroups,
  identities: readonly Identity[],
  who: number,
): readonly SoughtRow[] {
  return groups.flatMap((group): readonly SoughtRow[] => {
    const given = group.map((field) =>
      identities.filter(({ type }) => type === field.type).map(({ value }) => value),
    );
    if (given.some((values) => values.length === 0)) {
      if (given.every((values) => values.length === 0)) return [];
      const missing = group.filter((_, at) => given[at]?.length === 0).map(({ type }) => type);
      throw new HabeasError(
        'SCHEMA_MISMATCH',
        `Rows of "${name}" are named by several identities together, and the request has no ${missing.join(' and ')}. Give it, or let another system resolve it; nothing was changed.`,
      );
    }
    let tuples: readonly SoughtRow['all'][] = [[]];
    for (const [at, field] of group.entries()) {
      const column = { path: field.name.split('.'), match: field.match, spelling: field.spelling };
      tuples = tuples.flatMap((tuple) => (given[at] ?? []).map((value) => [...tuple, { column, value }]));
    }
    return tuples.map((all) => ({ who, all }));
  });
}

/** What is looked for of a person in a collection, in one text for every order of the rows. */
export function soughtText(collection: string, sought: readonly SoughtRow[]): string {
  const rows = sought.map(({ all }) =>
    JSON.stringify(all.map(({ column: { path, match, spelling }, value }) => [path, match, value, spelling])),
  );
  return JSON.stringify([collection, ...new Set(rows.toSorted())]);
}
