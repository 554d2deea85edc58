import { HabeasError, type S3Client } from '../foundation/index.ts';
import { type CheckpointPlace, checkpointName, newestName } from './checkpoint-place.ts';

/** One is a few hundred bytes; more is none of ours. */
const MOST_CHECKPOINT_BYTES = 64 * 1024;

/** Checkpoints as objects of a bucket, `<prefix><entries>.checkpoint`. Nothing is removed, so the bucket may be locked. */
export function checkpointBucket(
  client: S3Client,
  { name: placeName, prefix }: { readonly name: string; readonly prefix: string },
): CheckpointPlace {
  const closing = new AbortController();
  const get = (name: string) =>
    client.get(`${prefix}${name}`, { maxBytes: MOST_CHECKPOINT_BYTES, signal: closing.signal });
  const newest = async () => {
    const names: string[] = [];
    for await (const { key } of client.list(prefix, closing.signal)) names.push(key.slice(prefix.length));
    const name = newestName(names);
    if (name === undefined) return undefined;
    const found = await get(name);
    if (found === undefined)
      throw new HabeasError('STORAGE_REFUSED', `The bucket lists ${prefix}${name}, and does not have it.`, {
        retryable: true,
      });
    return found.toString('utf8');
  };
  return {
    name: placeName,
    newest,
    async check() {
      await newest();
    },
    async write(size, checkpoint) {
      const name = checkpointName(size);
      if ((await get(name)) !== undefined) return;
      await client.put(`${prefix}${name}`, Buffer.from(checkpoint), closing.signal);
    },
    close() {
      closing.abort();
      client.close();
    },
  };
}
