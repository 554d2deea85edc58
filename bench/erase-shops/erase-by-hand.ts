import { SHOP_TABLES } from '../shop-of-one.ts';
import { timed } from '../statistics.ts';
import type { ByHand } from './erase-shop.ts';

/** What a careful programmer would write who knows the schema by heart, where stores differ. */
export interface HandWritten {
  /** Whether a customer has the e-mail address, a parameter. */
  readonly isPerson: string;
  /** Deletes the rows of a table of which `column` is one of the ids in `gone`. */
  readonly erase: (table: string, column: string, gone: string) => string;
}

/** When the rows are gone, nothing else could tell whether those that pointed at them went too. */
const GONE: readonly string[] = ['gone_customers', 'gone_orders'];

/** One connection to a store. */
export interface HandSession {
  change(statement: string, values?: readonly string[]): Promise<number>;
  count(statement: string): Promise<number>;
}

/** How the rows of each table are told, children before parents. */
const ROWS: readonly (readonly [table: string, column: string, gone: string])[] = [
  ['order_lines', 'order_id', 'gone_orders'],
  ['payments', 'order_id', 'gone_orders'],
  ['orders', 'id', 'gone_orders'],
  ['messages', 'customer_id', 'gone_customers'],
  ['addresses', 'customer_id', 'gone_customers'],
  ['customers', 'id', 'gone_customers'],
];

/** Looks for the ids and deletes by them in one transaction, and then looks whether anything of them is left. */
export async function eraseByHand(
  session: HandSession,
  { isPerson, erase }: HandWritten,
  email: string,
): Promise<ByHand> {
  const { milliseconds, result } = await timed(async () => {
    for (const table of GONE) await session.change(`create temporary table ${table} (id bigint primary key)`);
    await session.change('begin');
    await session.change(`insert into gone_customers select id from customers where ${isPerson}`, [email]);
    await session.change(
      'insert into gone_orders select id from orders where customer_id in (select id from gone_customers)',
    );
    const deletion = await timed(async () => {
      let erased = 0;
      for (const row of ROWS) erased += await session.change(erase(...row));
      await session.change('commit');
      return erased;
    });
    let left = 0;
    for (const [table, column, gone] of ROWS)
      left += await session.count(
        `select count(*) as n from ${table} t where t.${column} in (select id from ${gone})`,
      );
    if (left > 0) throw new Error(`By hand ${left} rows were left.`);
    return deletion;
  });
  for (const table of GONE) await session.change(`drop table ${table}`);
  return { milliseconds, deleting: result.milliseconds, rows: result.result };
}

/** The rows of all tables of a schema. */
export async function countRows(session: HandSession, schema?: string): Promise<number> {
  const of = schema === undefined ? '' : `${schema}.`;
  const counts = SHOP_TABLES.map((table) => `(select count(*) from ${of}${table})`);
  return await session.count(`select ${counts.join(' + ')} as n`);
}
