import { HabeasError } from '../../foundation/index.ts';
import type { ObjectStore } from './object-store.ts';

/** What the tables of Delta Lake, Hudi and Iceberg keep beside their files. */
const MARKS: readonly { readonly folder: string; readonly fits: (key: string) => boolean }[] = [
  { folder: '_delta_log/', fits: () => true },
  { folder: '.hoodie/', fits: () => true },
  { folder: 'metadata/', fits: (key) => key.endsWith('.metadata.json') },
];

/** Others than a table's have few objects in a folder of these names. */
const MOST_LOOKED_AT = 10_000;

/**
 * Throws SCHEMA_MISMATCH where objects belong to a table: its log names each file, with its size and statistics, and a file that is written
 * anew under it makes the table unreadable, while what was deleted from a table is still in files that nobody lists.
 */
export async function refuseTables(
  store: ObjectStore,
  {
    collection,
    prefixes,
    signal,
  }: {
    readonly collection: string;
    readonly prefixes: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const folders = new Set(prefixes.flatMap(foldersOf));
  for (const folder of folders) {
    for (const mark of MARKS) {
      let seen = 0;
      for await (const { key, isLatest, isMarker } of store.versions(folder + mark.folder, signal)) {
        seen += 1;
        if (seen > MOST_LOOKED_AT) break;
        if (!isLatest || isMarker || !mark.fits(key)) continue;
        throw new HabeasError(
          'SCHEMA_MISMATCH',
          `The objects of "${collection}" belong to a table of Delta Lake, Iceberg or Hudi, which its own engine has to change: delete the rows there, and then what it keeps of them (VACUUM, expire_snapshots, clean). Nothing was changed.`,
        );
      }
    }
  }
}

/** `a/b/c=` → the root, `a/`, `a/b/` */
function foldersOf(prefix: string): readonly string[] {
  const names = prefix.split('/').slice(0, -1);
  return ['', ...names.map((_, at) => `${names.slice(0, at + 1).join('/')}/`)];
}
