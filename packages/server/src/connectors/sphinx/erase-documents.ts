import type { EraseMode } from '../connector.ts';
import type { StoredObjects } from '../objects/object-keys.ts';
import { type FindDocuments, theirsAmong } from './find-documents.ts';
import { runCommand, untilGone } from './rebuild.ts';

const IDS_AT_ONCE = 1_000;

export interface EraseDocuments extends FindDocuments {
  readonly mode: EraseMode;
  /** Of a plain index. */
  readonly command: readonly string[] | undefined;
  /** Has searchd write the chunks of an RT index anew. */
  readonly isPurged: boolean;
  /** A former try may have deleted documents and not have come to the chunks. */
  readonly isRepeated: boolean;
  /** Of untilGone. (Default: two minutes) */
  readonly milliseconds?: number;
}

/** Erases stored documents that are still their person's, of many people in one pass, and gives how many were whose. */
export async function eraseDocuments(
  people: readonly StoredObjects[],
  options: EraseDocuments,
): Promise<readonly number[]> {
  const { shape, mode } = options;
  const theirs = await Promise.all(people.map((stored) => stillTheirs(stored, options)));
  const ids = [...new Set(theirs.flat())];
  if (mode === 'erase') {
    if (shape.type === 'rt')
      await eraseLive(
        ids,
        people.some(({ size }) => size > 0),
        options,
      );
    else if (ids.length > 0) await erasePlain(ids, people, options);
  }
  return theirs.map(({ length }) => length);
}

async function stillTheirs(stored: StoredObjects, options: FindDocuments): Promise<readonly string[]> {
  const found: string[] = [];
  const byIdentities = new Map<string, string[]>();
  for (const [id, identities] of stored) {
    const name = JSON.stringify(identities);
    byIdentities.set(name, [...(byIdentities.get(name) ?? []), id]);
  }
  for (const [name, ids] of byIdentities)
    for (const some of inChunks(ids)) found.push(...(await theirsAmong(some, JSON.parse(name), options)));
  return found;
}

/** Also where nothing is left to delete: a former try may have ended before it wrote the index to disk. */
async function eraseLive(
  ids: readonly string[],
  wasAsked: boolean,
  { client, collection: { index }, signal, isPurged, isRepeated }: EraseDocuments,
): Promise<void> {
  for (const some of inChunks(ids))
    await client.ask(`DELETE FROM ${index} WHERE id IN (${some.join(',')})`, { signal });
  if (!wasAsked) return;
  await client.ask(`FLUSH RTINDEX ${index}`, { signal });
  if (!isPurged || (ids.length === 0 && !isRepeated)) return;
  await client.ask(`FLUSH RAMCHUNK ${index}`, { signal });
  await client.ask(`OPTIMIZE INDEX ${index}`, { signal });
}

async function erasePlain(
  ids: readonly string[],
  people: readonly StoredObjects[],
  options: EraseDocuments,
): Promise<void> {
  const { client, collection, signal, command, milliseconds } = options;
  const { index, mark } = collection;
  if (mark !== undefined) {
    for (const some of inChunks(ids))
      await client.ask(`UPDATE ${index} SET ${mark}=1 WHERE id IN (${some.join(',')})`, { signal });
    // What the command reads are the files.
    await client.ask('FLUSH ATTRIBUTES', { signal });
  }
  await runCommand(index, command ?? [], signal);
  await untilGone(
    index,
    async () => (await Promise.all(people.map((stored) => stillTheirs(stored, options)))).flat().length,
    { signal, ...(milliseconds === undefined ? {} : { milliseconds }) },
  );
}

function* inChunks(ids: readonly string[]): Iterable<readonly string[]> {
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) yield ids.slice(at, at + IDS_AT_ONCE);
}
