import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { House } from './house.ts';

/** Every row that the company keeps, by place: `shop.orders`, `accounts.sessions`, `events.<file>`. */
export type Stores = ReadonlyMap<string, readonly string[]>;

/** What the services note about their work for Habeas; it is no data of theirs. */
const JOURNALS: ReadonlySet<string> = new Set(['effects']);

/** Reads all stores of the company past its services and past Habeas. */
export async function readStores(house: House): Promise<Stores> {
  return new Map([
    ...(await shopRows(house)),
    ...sqliteRows(house, 'accounts'),
    ...sqliteRows(house, 'mailer'),
    ...(await eventLines(house)),
  ]);
}

/** What is in one and not in the other, by place; places without a difference are left out. */
export function differences(
  before: Stores,
  after: Stores,
): Readonly<Record<string, { readonly gone: readonly string[]; readonly added: readonly string[] }>> {
  const places = [...new Set([...before.keys(), ...after.keys()])].sort();
  const entries = places.flatMap((place) => {
    const gone = without(before.get(place) ?? [], after.get(place) ?? []);
    const added = without(after.get(place) ?? [], before.get(place) ?? []);
    return gone.length + added.length === 0 ? [] : [[place, { gone, added }] as const];
  });
  return Object.fromEntries(entries);
}

function without(rows: readonly string[], others: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const row of others) counts.set(row, (counts.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const left = counts.get(row) ?? 0;
    counts.set(row, left - 1);
    return left <= 0;
  });
}

async function shopRows({ shop }: House): Promise<readonly (readonly [string, readonly string[]])[]> {
  const { rows: tables } = await shop.pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by tablename`,
  );
  const places: [string, readonly string[]][] = [];
  for (const { name } of tables) {
    const { rows } = await shop.pool.query<{ row: string }>(`select t::text as row from public."${name}" t`);
    places.push([`shop.${name}`, rows.map(({ row }) => row)]);
  }
  return places;
}

function sqliteRows(
  house: House,
  store: 'accounts' | 'mailer',
): readonly (readonly [string, readonly string[]])[] {
  using db = new DatabaseSync(join(house.acme.folderOf(store), `${store}.sqlite`), {
    readOnly: true,
    timeout: 5_000,
  });
  const tables = db.prepare("select name from sqlite_schema where type = 'table' order by name").all();
  return tables
    .map(({ name }) => String(name))
    .filter((name) => !JOURNALS.has(name))
    .map((name) => [
      `${store}.${name}`,
      db
        .prepare(`select * from "${name}"`)
        .all()
        .map((row) => JSON.stringify(Object.values(row))),
    ]);
}

async function eventLines({ acme }: House): Promise<readonly (readonly [string, readonly string[]])[]> {
  const folder = acme.folderOf('analytics');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'effects.jsonl');
  return Promise.all(
    files.map(async (entry) => {
      const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
      return [`events.${entry.name}`, text.split('\n').filter((line) => line !== '')] as const;
    }),
  );
}
