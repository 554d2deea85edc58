import type { DatasetGraph } from '../../catalog/index.ts';
import type { KnownCollection, KnownValues } from '../known-people.ts';
import type { Compiled, CompiledCollection, CompiledRoot } from './compiled.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlTransaction } from './sql-transaction.ts';

/** What each collection knows people by, by the datasets alone. */
export function knownCollections(graph: DatasetGraph): readonly KnownCollection[] {
  return [...graph.nodes.values()].flatMap(({ name, collection, roots }) => {
    const types = [...new Set(roots.map(({ identity }) => identity.type))];
    return collection.skip || types.length === 0 ? [] : [{ collection: name, types }];
  });
}

/**
 * The different values of these identity types that stand together in a row: one statement for each choice of fields, sorted out by the
 * database, so that memory here does not follow the rows.
 */
export async function* knownValues(
  transaction: SqlTransaction,
  compiled: Compiled,
  types: readonly string[],
): AsyncGenerator<KnownValues> {
  for (const collection of compiled.collections.values()) {
    for (const roots of choicesOf(collection, types)) {
      const { name } = collection;
      const fields = roots.map(({ column }) => column);
      const tells = roots.every(({ identity }) => identity.resolves);
      for await (const rows of transaction.stream(selectValues(collection, roots)))
        for (const row of rows)
          yield { collection: name, fields, tells, values: row.map((value) => value ?? '') };
    }
  }
}

/** The fields that have these types: several choices where a type has several fields. */
function choicesOf(
  { roots }: CompiledCollection,
  types: readonly string[],
): readonly (readonly CompiledRoot[])[] {
  let choices: readonly (readonly CompiledRoot[])[] = [[]];
  for (const type of types) {
    const own = roots.filter(({ identity }) => identity.type === type);
    choices = choices.flatMap((choice) => own.map((root) => [...choice, root]));
  }
  return choices;
}

function selectValues(collection: CompiledCollection, roots: readonly CompiledRoot[]): string {
  const { dialect, table, actions, cuts } = collection;
  const masks = [...actions, ...cuts].flatMap((one) => ('masks' in one ? one.masks : []));
  const columns = roots.map(({ live }, index) => {
    const at = `t.${quoteIdentifier(live.name)}`;
    if (live.element === undefined) return { live, at, printed: live, rows: '' };
    return {
      live,
      at: live.element.value(`e${index}`),
      printed: live.element.column,
      rows: ` cross join ${live.element.rows(at, `e${index}`)}`,
    };
  });
  const conditions = columns.flatMap(({ live, at }) => [
    `${at} is not null`,
    ...masks
      .filter(({ column }) => column.name === live.name)
      .map(({ isMasked }) => `not (${isMasked('t')})`),
  ]);
  return `select distinct ${columns.map(({ printed, at }) => dialect.print(printed, at)).join(', ')}
            from ${table} t${columns.map(({ rows }) => rows).join('')} where ${[...new Set(conditions)].join(' and ')}`;
}
