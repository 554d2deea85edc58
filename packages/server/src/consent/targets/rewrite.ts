import type pg from 'pg';
import {
  type CatalogSnapshot,
  createCatalog,
  enforceSql,
  identifierText,
  loadParser,
  loadSnapshot,
} from '../enforce/index.ts';
import { choosePredicate, type NumberedPurpose, type Predicate } from './choose-predicate.ts';
import { installedPurposes } from './postgres-store.ts';
import { type ProtectedTable, protectedOf, purposeOf, type Target } from './target.ts';
import { readUuidColumns, type UuidColumn, withUuids } from './uuid-columns.ts';

/** A statement as it may run for a purpose. */
export interface RewrittenSql {
  readonly sql: string;
  readonly purpose: string;
  /** What was replaced, each table once, and how. */
  readonly relations: readonly RewrittenRelation[];
}

export interface RewrittenRelation extends Pick<Predicate, 'form' | 'why'> {
  readonly schema: string;
  readonly name: string;
}

/** What is needed to rewrite statements for a target, read from it once. Plain data. */
export interface TargetState {
  readonly snapshot: CatalogSnapshot;
  readonly purposes: readonly NumberedPurpose[];
  readonly uuids: readonly UuidColumn[];
}

export async function readTargetState(
  pool: Pick<pg.Pool, 'connect' | 'query'>,
  target: Target,
): Promise<TargetState> {
  return {
    purposes: await installedPurposes(pool, target),
    snapshot: await loadSnapshot(pool),
    uuids: await readUuidColumns(pool, target),
  };
}

/** The statement, narrowed to the rows that may be used for this purpose. Throws SQL_REFUSED with the reason, and NOT_FOUND for the purpose. */
export async function rewriteSql(
  sql: string,
  {
    target: declared,
    state,
    purpose: code,
  }: { readonly target: Target; readonly state: TargetState; readonly purpose: string },
): Promise<RewrittenSql> {
  await loadParser();
  const target = withUuids(declared, state.uuids);
  purposeOf(target, code);
  const purpose = state.purposes.find((one) => one.code === code) as NumberedPurpose;
  const find = ({ schema, name }: { readonly schema: string; readonly name: string }) =>
    target.tables.find((one) => one.schema === schema && one.name === name);
  const catalog = createCatalog(state.snapshot, {
    narrowed(name) {
      const table = find(name);
      return table?.kind === 'protected' ? choosePredicate(table, purpose).narrowed : undefined;
    },
    open: (name) => find(name)?.kind === 'open',
    functions: target.functions,
  });
  const enforced = enforceSql(sql, catalog);
  const relations = enforced.relations.map(({ schema, name }) => {
    const { form, why } = choosePredicate(wholeOf({ schema, name }, state, target), purpose);
    return { schema, name, form, why };
  });
  return { sql: enforced.sql, purpose: code, relations };
}

/** The table whose declaration narrows this one: itself, or one that it is a part of. */
function wholeOf(
  name: { readonly schema: string; readonly name: string },
  { snapshot }: TargetState,
  target: Target,
): ProtectedTable {
  const parts =
    snapshot.relations.find((one) => one.schema === name.schema && one.name === name.name)?.partOf ?? [];
  const tables = protectedOf(target);
  return [name, ...parts].flatMap((place) =>
    tables.filter((one) => one.schema === place.schema && one.name === place.name),
  )[0] as ProtectedTable;
}

/** Rows of a table, and how many of them each purpose takes away. */
export interface TakenAway {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  readonly taken: Readonly<Record<string, number>>;
}

/** Counts in the target, in one pass over each table. */
export async function countTakenAway(
  client: Pick<pg.ClientBase, 'query'>,
  {
    target,
    state,
    relations,
  }: {
    readonly target: Target;
    readonly state: TargetState;
    readonly relations: readonly Pick<RewrittenRelation, 'schema' | 'name'>[];
  },
): Promise<readonly TakenAway[]> {
  const counted: TakenAway[] = [];
  const marked = withUuids(target, state.uuids);
  for (const { schema, name } of relations) {
    const table = wholeOf({ schema, name }, state, marked);
    const columns = state.purposes.map(
      (purpose, index) =>
        `count(*) filter (where not ${choosePredicate(table, purpose).where('habeas_row')}) as p${index}`,
    );
    const { rows } = await client.query<Record<string, string | number>>(
      `select count(*) as rows, ${columns.join(', ')} from ${identifierText(schema)}.${identifierText(name)} as habeas_row`,
    );
    const taken = state.purposes.map(({ code }, index) => [code, Number(rows[0]?.[`p${index}`])]);
    counted.push({ schema, name, rows: Number(rows[0]?.rows), taken: Object.fromEntries(taken) });
  }
  return counted;
}
