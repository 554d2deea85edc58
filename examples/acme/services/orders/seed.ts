import { readFileSync } from 'node:fs';
import pg from 'pg';
import { SEED } from '../../people.ts';
import { SHOP_TABLES, type ShopRow, type ShopTable, shopRows, type Value } from './shop-rows.ts';

export interface SeedShopOptions {
  readonly url: string;
  /** How many customers the shop has. */
  readonly people: number;
  /** Throws away what is there, even if it is the right number. (Default: false) */
  readonly fresh?: boolean;
  /** Called now and then with how many customers are written. */
  readonly onProgress?: (done: number) => void;
}

const SCHEMA = new URL('../../shop-schema.sql', import.meta.url);
const TABLES = Object.keys(SHOP_TABLES) as ShopTable[];
/** A statement with so many rows is as fast as a larger one, and small in memory. */
const BATCH_ROWS = 5_000;
const DUPLICATE_DATABASE = '42P04';
const UNIQUE_VIOLATION = '23505';
const NO_SUCH_DATABASE = '3D000';

/**
 * Makes and fills the shop's database in one transaction, so that it is there as a whole or not at all. Does nothing
 * if the same people were written before (whatever happened to them since). Creates the database if the server has
 * none of that name. Throws, and changes nothing, if its tables are somebody else's.
 */
export async function seedShop(options: SeedShopOptions): Promise<'seeded' | 'was there'> {
  const client = await connectOrCreate(options.url);
  try {
    await client.query('begin');
    // Two processes that start together take turns.
    await client.query('select pg_advisory_xact_lock($1)', [SEED]);
    const mark = `acme: seed ${SEED}, ${options.people} people`;
    const found = await findMark(client);
    if (found === mark && options.fresh !== true) return 'was there';
    if (found !== undefined) await client.query(`drop table ${TABLES.join(', ')}`);
    const [tables = '', references = ''] = readFileSync(SCHEMA, 'utf8').split('-- references\n');
    await client.query(tables);
    await load(client, options);
    await client.query(references);
    for (const table of TABLES) await moveSequence(client, table);
    await client.query(`comment on table customers is ${client.escapeLiteral(mark)}`);
    await client.query('commit');
    await client.query('analyze');
    return 'seeded';
  } finally {
    await client.end();
  }
}

/** The mark that seeding left, or undefined in an empty database. */
async function findMark(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string; mark: string | null }>(
    `select c.relname as name, obj_description(c.oid, 'pg_class') as mark
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname = any ($1)`,
    [TABLES],
  );
  if (rows.length === 0) return undefined;
  const mark = rows.find((row) => row.name === 'customers')?.mark ?? '';
  if (mark.startsWith('acme:')) return mark;
  throw new Error(
    `The shop's database has tables (${rows.map((row) => row.name).join(', ')}) that the example did not make. Name an empty database in SHOP_DATABASE_URL.`,
  );
}

async function load(client: pg.Client, { people, onProgress }: SeedShopOptions): Promise<void> {
  const waiting = new Map<ShopTable, ShopRow[]>(TABLES.map((table) => [table, []]));
  let customers = 0;
  for (const row of shopRows(people)) {
    const rows = waiting.get(row.table);
    rows?.push(row);
    if (rows?.length !== BATCH_ROWS) continue;
    await insert(client, row.table, rows);
    if (row.table === 'customers') {
      customers += rows.length;
      onProgress?.(customers);
    }
    rows.length = 0;
  }
  for (const [table, rows] of waiting) await insert(client, table, rows);
  onProgress?.(people);
}

async function insert(client: pg.Client, table: ShopTable, rows: readonly ShopRow[]): Promise<void> {
  const columns = Object.entries(SHOP_TABLES[table]);
  const values = columns.map(([, type], index) => `$${index + 1}::${type}[]`);
  await client.query({
    name: `seed-${table}`,
    text: `insert into ${table} (${columns.map(([name]) => name).join(', ')}) select * from unnest(${values.join(', ')})`,
    values: columns.map((_, index): (Value | undefined)[] => rows.map((row) => row.values[index])),
  });
}

/** Rows came with their ids; the next one that the shop writes must not collide. */
async function moveSequence(client: pg.Client, table: ShopTable): Promise<void> {
  if (!('id' in SHOP_TABLES[table])) return;
  await client.query(
    `select setval(pg_get_serial_sequence('${table}', 'id'), coalesce((select max(id) from ${table}), 0) + 1, false)`,
  );
}

async function connectOrCreate(url: string): Promise<pg.Client> {
  const connect = async (to: string) => {
    const client = new pg.Client({
      connectionString: to,
      application_name: 'acme orders',
      options: '-c timezone=utc',
    });
    await client.connect();
    return client;
  };
  try {
    return await connect(url);
  } catch (error) {
    if (!hasCode(error, NO_SUCH_DATABASE)) throw error;
  }
  const server = new URL(url);
  const name = decodeURIComponent(server.pathname.slice(1));
  server.pathname = '/postgres';
  const maintenance = await connect(server.toString());
  try {
    await maintenance.query(`create database ${maintenance.escapeIdentifier(name)}`);
  } catch (error) {
    // Somebody else created it a moment ago.
    if (!hasCode(error, DUPLICATE_DATABASE) && !hasCode(error, UNIQUE_VIOLATION)) throw error;
  } finally {
    await maintenance.end();
  }
  return connect(url);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
