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
  const allowed = new Set(declared.functions.map(keyOf));
  return {
    relation(name) {
      const found = find(name);
      return found === undefined ? undefined : relationOf(found, { declared, snapshot });
    },
    writingRefused(relation, changes) {
      const found = relations.get(keyOf(relation));
      if (found === undefined) return undefined;
      if (found.kind === 'view') return 'it is a view, and its rows may be of people.';
      const all = changes ? changedWith(found, { relations, snapshot }) : [found];
      for (const one of all) {
        const name = one === found ? 'it' : `${one.schema}.${one.name}, of which rows change with its rows,`;
        if (one !== found && !isOpen(one, declared))
          return `${name} is not declared to have no rows of people.`;
        if (one.hasRules === true) return `${name} has rules, which make other statements of this one.`;
        const run = one.whenWritten?.find(({ code }) => !allowed.has(keyOf(code)));
        if (run !== undefined)
          return `code of your own runs for ${run.what} of ${name.replace(/,$/, '')}, which may read any table. If ${run.code.schema}.${run.code.name} reads none, name it in \`consent.targets[].functions\`.`;
      }
      return undefined;
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
    const part = partsOf(found, snapshot).find((one) =>
      [one, ...one.partOf].some((whole) => declared.narrowed(whole) !== undefined),
    );
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

function partsOf(found: SnapshotRelation, { relations }: CatalogSnapshot): readonly SnapshotRelation[] {
  return relations.filter(({ partOf }) => partOf.some((whole) => keyOf(whole) === keyOf(found)));
}

/** It, and all tables of which rows change or go with its rows: parts, and those that refer to it by foreign keys with `cascade` or `set`. */
function changedWith(
  found: SnapshotRelation,
  {
    relations,
    snapshot,
  }: { readonly relations: ReadonlyMap<string, SnapshotRelation>; readonly snapshot: CatalogSnapshot },
): Iterable<SnapshotRelation> {
  const all = new Set([found]);
  // Those that are added are come to, too.
  for (const one of all) {
    for (const part of partsOf(one, snapshot)) all.add(part);
    for (const name of one.changesRowsOf ?? []) {
      const other = relations.get(keyOf(name));
      if (other !== undefined) all.add(other);
    }
  }
  return all;
}

/** Whether it, or what it is a part of, is declared to have no rows of people, and none of them to have some. */
function isOpen(one: SnapshotRelation, declared: DeclaredTables): boolean {
  const all = [one, ...one.partOf];
  return all.some(declared.open) && all.every((whole) => declared.narrowed(whole) === undefined);
}

function keyOf({ schema, name }: QualifiedName): string {
  return JSON.stringify([schema, name]);
}
