import type { RandomReference, RandomStore, RandomTable, RandomValue } from './random-store.ts';

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (value: RandomValue) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`);

/** How a store makes tables. */
export interface StoreSql {
  readonly integer: string;
  /** Of keys and references. */
  readonly keyText: string;
  readonly text: string;
  /** Whether foreign keys can be added to a table that is there. Otherwise they are made with it, and rows come in while nobody looks. */
  readonly addsForeignKeys: boolean;
}

export const POSTGRES_SQL: StoreSql = {
  integer: 'bigint',
  keyText: 'text',
  text: 'text',
  addsForeignKeys: true,
};

/**
 * Statements that make the store: tables, rows, and then the foreign keys, so that circles do no harm. The column `row_id` tells rows apart in
 * tests; the dataset does not name it.
 */
export function createStatements(store: RandomStore, sql: StoreSql = POSTGRES_SQL): readonly string[] {
  const keyType = (table: RandomTable | undefined) =>
    table?.keyType === 'bigint' ? sql.integer : sql.keyText;
  const foreignKeys = store.references
    .filter((reference) => reference.foreignKey !== 'none')
    .map((reference) => {
      const parent = tableOf(store, reference.parent);
      return {
        child: reference.child,
        text: `foreign key (${reference.columns.map(quote).join(', ')})
        references ${quote(parent.name)} (${parent.key.map(quote).join(', ')}) on delete ${reference.foreignKey}`,
      };
    });
  const creates = store.tables.map((table, index) => {
    const columns = columnsOf(store, index).map((column) => {
      const isKey = table.key.includes(column);
      const held = store.references.find(
        (reference) => reference.child === index && reference.columns.includes(column),
      );
      const type = isKey
        ? keyType(table)
        : held === undefined
          ? sql.text
          : keyType(store.tables[held.parent]);
      return `${quote(column)} ${type}${isKey || column === 'code' ? ' not null' : ''}`;
    });
    const key = table.key.length === 0 ? [] : [`primary key (${table.key.map(quote).join(', ')})`];
    const inline = sql.addsForeignKeys ? [] : foreignKeys.filter(({ child }) => child === index);
    const parts = [`row_id ${sql.keyText} not null`, ...columns, ...key, ...inline.map(({ text }) => text)];
    return `create table ${quote(table.name)} (${parts.join(', ')})`;
  });
  const inserts = store.rows.map((row) => {
    const columns = columnsOf(store, row.table);
    const values = columns.map((column) => literal(row.values[column] ?? null));
    return `insert into ${quote(tableOf(store, row.table).name)} (row_id, ${columns.map(quote).join(', ')}) values (${[literal(row.id), ...values].join(', ')})`;
  });
  const alters = sql.addsForeignKeys
    ? foreignKeys.map(({ child, text }) => `alter table ${quote(tableOf(store, child).name)} add ${text}`)
    : [];
  return [...creates, ...inserts, ...alters];
}

/** All columns of a table, in their order in the store. */
export function columnsOf(store: RandomStore, index: number): readonly string[] {
  const table = tableOf(store, index);
  const held = store.references
    .filter((reference) => reference.child === index)
    .flatMap((reference) => reference.columns);
  return [...table.key, ...(table.hasEmail ? ['email'] : []), ...held, 'note', 'code'];
}

export function tableOf(store: RandomStore, index: number): RandomTable {
  const table = store.tables[index];
  if (table === undefined) throw new Error(`There is no table ${index}.`);
  return table;
}

/** The dataset that says of the store what its references mean. */
export function datasetOf(store: RandomStore): string {
  const collections = store.tables.map((table, index) => {
    const references = store.references.filter((reference) => reference.child === index);
    return {
      name: table.name,
      fields: columnsOf(store, index).map((column) => {
        const single = references.find(
          (reference) => reference.columns.length === 1 && reference.columns[0] === column,
        );
        return {
          name: column,
          data_categories: categoriesOf(column),
          fides_meta: {
            ...(table.key.includes(column) ? { primary_key: true } : {}),
            ...(column === 'email' ? { identity: 'email' } : {}),
            ...(single === undefined
              ? {}
              : {
                  references: [
                    {
                      dataset: 'random',
                      field: `${tableOf(store, single.parent).name}.${tableOf(store, single.parent).key[0]}`,
                      ...(single.direction === 'both' ? {} : { direction: single.direction }),
                    },
                  ],
                }),
          },
          ...(single === undefined
            ? {}
            : { habeas: { on_erase: wishOf(single.wish), share: shareOf(single) } }),
        };
      }),
      habeas: {
        on_erase: wishOf(table.onErase),
        references: references
          .filter((reference) => reference.columns.length > 1)
          .map((reference) => ({
            name: reference.name,
            columns: reference.columns,
            target: tableOf(store, reference.parent).name,
            target_columns: tableOf(store, reference.parent).key,
            direction: reference.direction,
            on_erase: wishOf(reference.wish),
            share: shareOf(reference),
          })),
      },
    };
  });
  // JSON is YAML.
  return JSON.stringify({ dataset: [{ fides_key: 'random', name: 'Random', collections }] });
}

function categoriesOf(column: string): readonly string[] {
  if (column === 'email') return ['user.contact.email'];
  if (column === 'note' || column === 'code') return ['user.content.private'];
  return ['user.unique_id'];
}

function wishOf(wish: RandomReference['wish']) {
  return wish === 'keep' ? { keep: { reason: 'a law says so' } } : wish;
}

function shareOf(reference: RandomReference): string {
  return reference.shared ? 'shared' : 'owned';
}
