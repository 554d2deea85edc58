import { HabeasError, type S3Client } from '../../foundation/index.ts';
import type { PackageRef, PackageStorage } from './storage.ts';

/** 10,000 of them would be 80 GB; here every part is an object of its own, so nothing limits their number. */
const PART_BYTES = 8 * 1024 * 1024;
/** Parts end where a stretch of text ends, somewhat later. */
const MOST_PART_BYTES = 8 * PART_BYTES;
const REMOVALS_AT_ONCE = 8;

/**
 * Keeps packages in a bucket, `<prefix><organization>/<package>/<part>`. Parts are objects of their own and no multipart upload:
 * what was interrupted leaves nothing that only S3 itself can see.
 */
export function createS3Storage(client: S3Client, prefix: string): PackageStorage {
  const folderOf = (ref: PackageRef): string => `${prefix}${ref.organizationId}/${ref.packageId}/`;
  const keyOf = (ref: PackageRef, position: number): string =>
    `${folderOf(ref)}${String(position).padStart(8, '0')}`;
  return {
    kind: 's3',
    partBytes: PART_BYTES,
    put: (ref, position, bytes, signal) => client.put(keyOf(ref, position), bytes, signal),
    async get(ref, position, signal) {
      const found = await client.get(keyOf(ref, position), { maxBytes: MOST_PART_BYTES, signal });
      if (found === undefined) throw new HabeasError('SYSTEM_GARBAGE', 'A part of a package is gone.');
      return found;
    },
    async remove(ref, signal) {
      let some: string[] = [];
      for await (const { key } of client.list(folderOf(ref), signal)) {
        some.push(key);
        if (some.length < REMOVALS_AT_ONCE) continue;
        await Promise.all(some.map((one) => client.remove(one, signal)));
        some = [];
      }
      await Promise.all(some.map((one) => client.remove(one, signal)));
    },
    async *list(organizationId, signal) {
      const above = `${prefix}${organizationId}/`;
      let current: { packageId: string; modifiedAt: Date } | undefined;
      for await (const { key, modifiedAt } of client.list(above, signal)) {
        const [packageId = ''] = key.slice(above.length).split('/');
        if (current !== undefined && current.packageId !== packageId) yield current;
        const newest = current?.packageId === packageId && current.modifiedAt > modifiedAt;
        current = { packageId, modifiedAt: newest ? (current?.modifiedAt ?? modifiedAt) : modifiedAt };
      }
      if (current !== undefined) yield current;
    },
    close: () => client.close(),
  };
}
