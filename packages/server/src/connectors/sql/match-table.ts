import type { Identification, PlannedCollection } from '../../catalog/index.ts';
import type { LiveColumn, LiveTable } from './live-table.ts';
import type { SqlDialect } from './sql-dialect.ts';

/** How many different treatments of one collection a row can remember: the bits of a JavaScript integer. */
const MOST_BITS = 50;

/** A collection of the datasets and the table that it is. */
export interface Matched {
  readonly planned: PlannedCollection;
  readonly live: LiveTable;
}

/** Finds the table of a collection. What does not fit is told to `problems`, all of it. */
export function matchTable(
  planned: PlannedCollection,
  options: {
    readonly tables: ReadonlyMap<string, LiveTable>;
    readonly dialect: SqlDialect;
    readonly problems: string[];
  },
): Matched | undefined {
  const { tables, problems } = options;
  const { collection } = planned.node;
  const plain = `${options.dialect.plainSchema}.`;
  const live =
    tables.get(collection.table) ??
    (collection.table.startsWith(plain) ? tables.get(collection.table.slice(plain.length)) : undefined);
  if (live === undefined) {
    problems.push(`The table "${collection.table}" does not exist, or is a view.`);
    return undefined;
  }
  const nested = collection.fields.filter((field) => isNested(field.name, live));
  for (const field of collection.fields) {
    const name = columnOf(field.name, live);
    if (!live.columns.has(name))
      problems.push(`The column "${name}" of the table "${collection.table}" does not exist.`);
  }
  const linking = new Set([
    ...planned.node.incoming.flatMap((edge) => edge.toColumns),
    ...planned.node.outgoing.flatMap((edge) => edge.fromColumns),
  ]);
  for (const field of nested) {
    if (!linking.has(field.name)) continue;
    problems.push(
      `"${collection.name}.${field.name}" lies inside a column; a reference has to be a column. Add one that the store computes of it (\`generated always as … stored\`), and name that.`,
    );
  }
  for (const { column, identity } of planned.node.roots) {
    const found = live.columns.get(columnOf(column, live));
    if (found === undefined) continue;
    const inside = collection.fields.find(
      ({ name }) => name.startsWith(`${column}.`) && isNested(name, live),
    );
    const name = `${collection.name}.${column}`;
    const isFound = columnIn(column, live, options.dialect) !== undefined;
    problems.push(
      ...(isFound
        ? unfitForIdentity(name, {
            column: found,
            isWhole: found.name === column,
            inside: inside?.name,
            identity,
          })
        : [unfitInside(name, found, identity)]),
    );
  }
  for (const column of collection.key) {
    if (!live.columns.has(column))
      problems.push(`The key column "${column}" of the table "${collection.table}" does not exist.`);
  }
  for (const column of datesOf(planned)) {
    if (!live.columns.has(column))
      problems.push(
        `The column "${column}" of the table "${collection.table}", which says until when a row is kept, does not exist.`,
      );
  }
  if (!live.privileges.select) problems.push(`This user may not read the table "${collection.table}".`);
  if (live.unfit !== undefined) problems.push(live.unfit);
  if (live.rowsHidden)
    problems.push(
      `Row security hides rows of the table "${collection.table}" from this user: give it the right BYPASSRLS.`,
    );
  const bits = planned.actions.length + planned.cuts.length;
  if (bits > MOST_BITS)
    problems.push(
      `The collection "${collection.name}" has ${bits} different treatments; ${MOST_BITS} are the most.`,
    );
  return { planned, live };
}

/** `address.city` is the value `city` inside the column `address`, unless a column has this very name. */
function isNested(name: string, live: LiveTable): boolean {
  return name.includes('.') && !live.columns.has(name);
}

/** The column that a field is, or lies in. */
export function columnOf(name: string, live: LiveTable): string {
  return isNested(name, live) ? (name.split('.')[0] ?? name) : name;
}

/** The column that a field is; one that lies in a column has that column's name, and the values at its path as elements. */
export function columnIn(name: string, live: LiveTable, dialect: SqlDialect): LiveColumn | undefined {
  const column = live.columns.get(columnOf(name, live));
  if (column === undefined || column.name === name) return column;
  const element = dialect.inside(column, name.slice(column.name.length + 1).split('.'));
  return element && { ...column, element };
}

/** Types in which a value is written with others, or in ways of its own. */
const WRITTEN: ReadonlySet<string> = new Set(['json', 'jsonb', 'json[]', 'jsonb[]', 'xml', 'super']);

const COMPUTED =
  'Add a column that the store computes of it (`generated always as … stored`), and name that.';

/** Why people cannot be found by a column, though it has identities in it. */
function unfitForIdentity(
  name: string,
  options: {
    readonly column: LiveColumn;
    /** Whether the column itself is the identity, and not what lies in it. */
    readonly isWhole: boolean;
    /** A field of the dataset that lies in it. */
    readonly inside: string | undefined;
    readonly identity: Identification;
  },
): readonly string[] {
  const { column, isWhole, inside, identity } = options;
  if (!isWhole) return [];
  const { baseType, element } = column;
  const isJson = column.isJson === true || inside !== undefined;
  if (isJson || WRITTEN.has(baseType)) {
    const canLookInto = isJson || baseType === 'jsonb';
    const instead = canLookInto
      ? `Give the identity to the field inside it, such as \`${inside ?? `${column.name}.email`}\`.`
      : COMPUTED;
    return [
      `"${name}" is ${isJson ? 'JSON' : `of the type ${baseType}`}, in which nobody can be found by the identity "${identity.type}" as a whole. ${instead}`,
    ];
  }
  if (element === undefined || !identity.resolves) return [];
  return [
    `"${name}" is an array: people are found by each of its elements, but the others may name somebody else, so that no further identities are read from it. Say so with \`habeas: { resolves: false }\`.`,
  ];
}

function unfitInside(name: string, { type }: LiveColumn, identity: Identification): string {
  return `"${name}" lies inside a column of the type ${type}, into which this store cannot look for the identity "${identity.type}". ${COMPUTED}`;
}

function datesOf(planned: PlannedCollection): readonly string[] {
  const keeps = [
    ...planned.actions.flatMap((action) => (action.kind === 'keep' ? [action.keep] : [])),
    ...planned.node.collection.fields.flatMap((field) => field.keep ?? []),
  ];
  return keeps.flatMap(({ until }) => (until !== null && 'column' in until ? [until.column] : []));
}

/** The live columns of these names, in this order. */
export function columnsOf(live: LiveTable, names: readonly string[]): readonly LiveColumn[] {
  return names.flatMap((name) => live.columns.get(name) ?? []);
}
