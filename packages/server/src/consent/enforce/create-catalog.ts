import { findCallable } from './callable.ts';
import type { CatalogSnapshot, SnapshotRelation } from './catalog-snapshot.ts';
import type { QualifiedName, Relation, RelationCatalog } from './relation-catalog.ts';

/** What the organization says of its tables. */
export interface DeclaredTables {
  /** How a table with people's rows is narrowed; undefined: nothing is declared of that table. */
  readonly narrowed: (table: {
    readonly schema: string;
    readonly name: string;
  }) => ((alias: string) => string) | undefined;
  /** Whether the table is declared to have no personal data. */
  readonly open: (table: { readonly schema: string; readonly name: string }) => boolean;
  /** Functions of the organization's own that jobs may call, with their schemas. */
  readonly functions: readonly QualifiedName[];
}

/** The catalog of a database for one purpose. */
export function createCatalog(snapshot: CatalogSnapshot, declared: DeclaredTables): RelationCatalog {
  const relations = new Map(snapshot.relations.map((relation) => [keyOf(relation), relation]));
  const find = ({ schema, name }: QualifiedName): SnapshotRelation | undefined => {
    // pg_catalog comes before the search path, and what is in it begins like this.
    if (schema === undefined && name.startsWith('pg_')) return undefined;
    for (const place of schema === undefined ? snapshot.searchPath : [schema]) {
      const found = relations.get(keyOf({ schema: place, name }));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    relation(name) {
      const found = find(name);
      return found === undefined ? undefined : relationOf(found, { declared, snapshot });
    },
    writingRefused(relation) {
      const found = relations.get(keyOf(relation));
      if (found?.hasRules === true) return 'it has rules, which make other statements of this one.';
      const allowed = new Set(declared.functions.map(keyOf));
      const run = found?.whenWritten?.find(({ code }) => !allowed.has(keyOf(code)));
      return (
        run &&
        `code of your own runs for ${run.what} of it, which may read any table. If ${run.code.schema}.${run.code.name} reads none, name it in \`consent.targets[].functions\`.`
      );
    },
    ...findCallable(snapshot, declared.functions),
  };
}

function relationOf(
  found: SnapshotRelation,
  { declared, snapshot }: { readonly declared: DeclaredTables; readonly snapshot: CatalogSnapshot },
): Relation | undefined {
  const { schema, name } = found;
  // What is a part of a protected table is protected like the whole.
  for (const table of [found, ...found.partOf]) {
    const narrowed = declared.narrowed(table);
    if (narrowed !== undefined) return { kind: 'protected', schema, name, narrowed };
  }
  if (declared.open(found)) {
    const isPart = ({ partOf }: SnapshotRelation) => partOf.some((whole) => keyOf(whole) === keyOf(found));
    const part = snapshot.relations.find((one) => isPart(one) && declared.narrowed(one) !== undefined);
    if (part === undefined) return { kind: 'open', schema, name };
    const reason = `it is declared to have none of people, and its part ${part.schema}.${part.name} has rows of people.`;
    return { kind: 'refused', schema, name, reason };
  }
  if (found.kind === 'view' && found.definition !== undefined)
    return { kind: 'view', schema, name, definition: found.definition };
  if (found.kind === 'other')
    return { kind: 'refused', schema, name, reason: 'it is neither a table nor a view.' };
  return undefined;
}

function keyOf({ schema, name }: QualifiedName): string {
  return JSON.stringify([schema, name]);
}
