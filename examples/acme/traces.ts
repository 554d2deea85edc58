import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { ServiceName } from './service-process.ts';
import type { Acme, AcmeSubject } from './start.ts';

/** One place of one store, and what it holds of a person. */
export interface Trace {
  readonly store: string;
  /** A table or a kind of file. */
  readonly place: string;
  /** Records that hold an identifier of the person or point at a record that does. */
  readonly pointing: number;
  /** Records that were the person's and are there without pointing at them any more. */
  readonly kept: number;
}

export interface Traces {
  /** Looks into every store, past every service and past Habeas: the files and tables themselves. */
  look(): Promise<readonly Trace[]>;
}

/**
 * Remembers which rows of the shop are the person's, because after an erasure nothing says so any more. Call it before.
 * Knows nothing of datasets, plans and connectors: it is the demonstration's second pair of eyes.
 */
export async function followTraces(
  acme: Pick<Acme, 'folderOf' | 'shopDatabaseUrl'>,
  subject: AcmeSubject,
): Promise<Traces> {
  const needles = subject.identities.map(({ value }) => value.toLowerCase());
  const shop = await ownRows(acme.shopDatabaseUrl, subject);
  return {
    look: async () => [
      ...(await lookIntoFiles('accounts', acme.folderOf('accounts'), needles)),
      ...(await lookIntoFiles('mailer', acme.folderOf('mailer'), needles)),
      ...(await lookIntoShop(acme.shopDatabaseUrl, shop)),
      ...(await lookIntoEvents(acme.folderOf('analytics'), subject.userId)),
    ],
  };
}

/** Every SQLite file of a service: its own store, and what the SDK keeps beside it. */
async function lookIntoFiles(
  store: ServiceName,
  folder: string,
  needles: readonly string[],
): Promise<readonly Trace[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sqlite')).sort();
  return files.flatMap((file) =>
    lookIntoSqlite(join(folder, file), needles).map(({ table, rows }) => ({
      store,
      place: file === `${store}.sqlite` ? table : `${file.slice(0, -'.sqlite'.length)}: ${table}`,
      pointing: rows,
      kept: 0,
    })),
  );
}

/** Counts rows with a cell that holds one of the texts, in every table; a blob is read as bytes. */
function lookIntoSqlite(file: string, needles: readonly string[]) {
  using db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const tables = db.prepare("select name from sqlite_schema where type = 'table' order by name").all();
  return tables.map(({ name }) => {
    let rows = 0;
    for (const row of db.prepare(`select * from "${String(name).replaceAll('"', '""')}"`).iterate()) {
      if (Object.values(row).some((cell) => holds(cell, needles))) rows += 1;
    }
    return { table: String(name), rows };
  });
}

function holds(cell: unknown, needles: readonly string[]): boolean {
  const text = cell instanceof Uint8Array ? Buffer.from(cell).toString('utf8') : String(cell);
  const lower = text.toLowerCase();
  return needles.some((needle) => lower.includes(needle));
}

/** The keys of the rows in the shop that are the person's, as they are now. */
interface OwnRows {
  readonly emails: readonly string[];
  readonly customers: readonly string[];
  readonly orders: readonly string[];
  /** Addresses that nobody else uses. */
  readonly addresses: readonly string[];
}

async function ownRows(url: string, subject: AcmeSubject): Promise<OwnRows> {
  const emails = subject.identities
    .filter(({ type }) => type === 'email')
    .map(({ value }) => value.toLowerCase());
  return withShop(url, async (keys) => {
    const customers = await keys('select id from customers where lower(email) = any($1) or user_id = $2', [
      emails,
      subject.userId,
    ]);
    const orders = await keys('select id from orders where customer_id = any($1)', [customers]);
    const addresses = await keys(
      `select address_id as id from customer_addresses where customer_id = any($1)
       except select address_id from customer_addresses where customer_id <> all($1)
       except select ship_to from orders where customer_id <> all($1) and ship_to is not null`,
      [customers],
    );
    return { emails, customers, orders, addresses };
  });
}

/** Table → condition under which a row is, or points at, the person's; $1 customers, $2 orders, $3 addresses, $4 e-mails. */
const SHOP_TABLES: Readonly<Record<string, string>> = {
  customers: 'id = any($1) or lower(email) = any($4)',
  customer_addresses: 'customer_id = any($1)',
  addresses: 'id = any($3)',
  orders: 'id = any($2) or customer_id = any($1)',
  order_lines: 'order_id = any($2)',
  returns: 'order_id = any($2)',
  payment_cards: 'customer_id = any($1)',
  support_messages: 'customer_id = any($1)',
  order_audit: 'customer_id = any($1) or lower(buyer_email) = any($4)',
};

async function lookIntoShop(url: string, own: OwnRows): Promise<readonly Trace[]> {
  return withShop(url, async (_keys, count) => {
    const all = [own.customers, own.orders, own.addresses, own.emails];
    const traces: Trace[] = [];
    for (const [table, condition] of Object.entries(SHOP_TABLES)) {
      const pointing = await count(
        // Every parameter is named once, so that PostgreSQL knows the types of those that a table does not need.
        `select count(*) from ${table}
          where (${condition}) or (false and $1::bigint[] is null and $2::bigint[] is null and $3::bigint[] is null and $4::text[] is null)`,
        all,
      );
      traces.push({ store: 'shop', place: table, pointing, kept: 0 });
    }
    const sold = await count('select count(*) from order_audit where order_number = any($1::bigint[])', [
      own.orders,
    ]);
    return traces.map((trace) =>
      trace.place === 'order_audit' ? { ...trace, kept: sold - Math.min(sold, trace.pointing) } : trace,
    );
  });
}

type Keys = (text: string, values: readonly unknown[]) => Promise<readonly string[]>;
type Count = (text: string, values: readonly unknown[]) => Promise<number>;

async function withShop<Result>(
  url: string,
  act: (keys: Keys, count: Count) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await act(
      async (text, values) => (await client.query(text, [...values])).rows.map((row) => String(row.id)),
      async (text, values) => Number((await client.query(text, [...values])).rows[0].count),
    );
  } finally {
    await client.end();
  }
}

/** Every file of the team's folder, not the events alone: an export that was left lying there would be found. */
async function lookIntoEvents(folder: string, userId: string): Promise<readonly Trace[]> {
  const needle = JSON.stringify(userId);
  let lines = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    lines += text.split('\n').filter((line) => line.includes(needle)).length;
  }
  return [{ store: 'analytics', place: 'event files', pointing: lines, kept: 0 }];
}
