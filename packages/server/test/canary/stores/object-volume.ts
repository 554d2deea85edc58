import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openDuckDb } from '../../duckdb.ts';
import type { CanaryStore, Contents } from '../canary-store.ts';
import { once } from '../once.ts';
import type { MarkedPerson } from '../people.ts';
import { unpacked } from '../volumes.ts';

/** One version of an object, as somebody else reads it. */
export interface StoredVersion {
  readonly key: string;
  readonly isLatest: boolean;
  /** Metadata and tags. */
  readonly about: string;
  readonly bytes: Buffer;
}

/** Whole objects, and rows in the formats of text. */
const datasetOf = (key: string, more: string) => `
dataset:
  - fides_key: ${key}
    collections:
      - name: avatars
        habeas: { on_erase: delete, objects: { key: "avatars/{user_id}.*" } }
        fields: &user
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
      - name: events
        habeas: { on_erase: delete, objects: { key: "events/date=*/**", format: json-lines } }
        fields:
          - { name: user.id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: orders
        habeas: { on_erase: delete, objects: { key: "orders/*.csv", format: csv } }
        fields: *user
${more}`;

/** A store of objects that others keep: what is left of it is what it gives. */
export function storeOfObjects(options: {
  readonly key: string;
  readonly connection: CanaryStore['connection'];
  /** Collections of the dataset beside the usual ones. (Default: none) */
  readonly collections?: string;
  readonly folder: string;
  readonly versions: () => Promise<readonly StoredVersion[]>;
}): CanaryStore {
  const { key, connection, folder, versions } = options;
  return {
    key,
    connection,
    dataset: datasetOf(key, options.collections ?? ''),
    contents: async () => contentsOfVersions(await versions(), folder),
    stop: once(async () => exportVersions(await versions(), folder)),
    copies: [],
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Rows of everybody. `past` makes an older version of what was put under a key before. */
export async function putRows(
  put: (key: string, content: string | Buffer) => Promise<unknown>,
  people: readonly MarkedPerson[],
  past: (key: string) => Promise<unknown>,
): Promise<void> {
  const events = 'events/date=2026-01-01/a.jsonl';
  // An older version without some, so that one that holds nobody who is erased has to stay.
  await put(events, eventsOf(people.slice(-3), 'first'));
  await past(events);
  await put(events, eventsOf(people, 'before'));
  await past(events);
  await put(events, eventsOf(people, 'login'));
  await put('events/date=2026-01-02/b.jsonl.gz', gzipSync(eventsOf(people, 'logout')));
  await put('orders/1.csv', ordersOf(people));
}

/** What the store holds, as files of a folder: what it is told by, and its bytes. */
function exportVersions(versions: readonly StoredVersion[], folder: string): string {
  const volume = join(folder, 'export');
  mkdirSync(volume);
  for (const [number, { key, about, bytes }] of versions.entries()) {
    writeFileSync(join(volume, `${number}.about`), `${key}\n${about}`);
    writeFileSync(join(volume, `${number}.object`), bytes);
  }
  return volume;
}

/** Rows of the latest versions, older versions and pictures as a whole. */
async function contentsOfVersions(versions: readonly StoredVersion[], folder: string): Promise<Contents> {
  await using duckdb = await openDuckDb();
  const all = new Map<string, string>();
  for (const { key, isLatest, about, bytes } of versions) {
    const text = unpacked(bytes).toString('latin1');
    if (!isLatest || key.startsWith('avatars/')) all.set(`${key} ${isLatest} ${about} ${text}`, text);
    else if (key.endsWith('.parquet')) {
      const file = join(folder, 'read.parquet');
      writeFileSync(file, bytes);
      const rows = await duckdb.rows(`select * from '${file}'`);
      // Each row is there more than once.
      const seen = Map.groupBy(rows, (row) => JSON.stringify(row));
      for (const [row, same] of seen) all.set(`${key} ${row} ${same.length}`, row);
    } else for (const row of text.split(key.endsWith('.csv') ? '\r\n' : '\n')) all.set(`${key} ${row}`, row);
  }
  return all;
}

/** A line of JSON of everybody. */
function eventsOf(people: readonly MarkedPerson[], what: string): string {
  return people
    .map(
      ({ userId, email, mark }) =>
        `${JSON.stringify({ user: { id: userId }, email, what: `${what} ${mark}` })}\n`,
    )
    .join('');
}

/** A record of CSV of everybody, over two lines. */
function ordersOf(people: readonly MarkedPerson[]): string {
  const orders = people.map(({ userId, mark }) => `${userId},"for ""${mark}""\nat night"\r\n`);
  return `user_id,what\r\n${orders.join('')}`;
}
