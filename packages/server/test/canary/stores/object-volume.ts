import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDuckDb } from '../../duckdb.ts';
import type { Contents } from '../canary-store.ts';
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

/** What the store holds, as files of a folder: what it is told by, and its bytes. */
export function exportVersions(versions: readonly StoredVersion[], folder: string): string {
  const volume = join(folder, 'export');
  mkdirSync(volume);
  for (const [number, { key, about, bytes }] of versions.entries()) {
    writeFileSync(join(volume, `${number}.about`), `${key}\n${about}`);
    writeFileSync(join(volume, `${number}.object`), bytes);
  }
  return volume;
}

/** Rows of the latest versions, older versions and pictures as a whole. */
export async function contentsOfVersions(
  versions: readonly StoredVersion[],
  folder: string,
): Promise<Contents> {
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
export function eventsOf(people: readonly MarkedPerson[], what: string): string {
  return people
    .map(
      ({ userId, email, mark }) =>
        `${JSON.stringify({ user: { id: userId }, email, what: `${what} ${mark}` })}\n`,
    )
    .join('');
}

/** A record of CSV of everybody, over two lines. */
export function ordersOf(people: readonly MarkedPerson[]): string {
  const orders = people.map(({ userId, mark }) => `${userId},"for ""${mark}""\nat night"\r\n`);
  return `user_id,what\r\n${orders.join('')}`;
}
