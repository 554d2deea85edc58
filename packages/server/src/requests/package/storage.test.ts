import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { type MotoServer, startMoto } from '../../../test/moto-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import {
  createOutbound,
  createOutboundPolicy,
  createS3Client,
  type S3Bucket,
  systemClock,
} from '../../foundation/index.ts';
import { requestMigrations } from '../migrations.ts';
import type { PackageRef, PackageStorage } from './storage.ts';
import { createDiskStorage } from './storage-disk.ts';
import { createPostgresStorage } from './storage-postgres.ts';
import { createS3Storage } from './storage-s3.ts';

const { signal } = new AbortController();
const ref: PackageRef = { organizationId: 'acme', packageId: 'pkg_1' };
const other: PackageRef = { organizationId: 'acme', packageId: 'pkg_2' };
const stranger: PackageRef = { organizationId: 'globex', packageId: 'pkg_1' };

/** What every storage must do. */
function storageContract(storage: () => PackageStorage): void {
  const listed = async (organizationId: string): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const { packageId, modifiedAt } of storage().list(organizationId, signal)) {
      expect(Math.abs(modifiedAt.getTime() - Date.now())).toBeLessThan(60_000);
      found.push(packageId);
    }
    return found.sort();
  };

  it('gives back what was put, and the later one of two', async () => {
    const parts = [randomBytes(300_000), Buffer.from([0, 255, 10, 13])];
    for (const [position, bytes] of parts.entries()) await storage().put(ref, position, bytes, signal);
    await storage().put(ref, 0, Buffer.from('first'), signal);
    await storage().put(ref, 0, parts[0] ?? Buffer.alloc(0), signal);
    for (const [position, bytes] of parts.entries())
      expect((await storage().get(ref, position, signal)).equals(bytes)).toBe(true);
  });

  it('tells a part that is gone from one that is there', async () => {
    await expect(storage().get(ref, 7, signal)).rejects.toMatchObject({ code: 'SYSTEM_GARBAGE' });
    await expect(storage().get({ ...ref, packageId: 'pkg_9' }, 0, signal)).rejects.toMatchObject({
      code: 'SYSTEM_GARBAGE',
    });
  });

  it('lists and removes the packages of one organization only, as often as it is asked', async () => {
    // More parts than are removed at once.
    for (let position = 0; position < 20; position += 1)
      await storage().put(other, position, Buffer.from('a'), signal);
    await storage().put(stranger, 0, Buffer.from('b'), signal);
    expect(await listed('acme')).toEqual(['pkg_1', 'pkg_2']);
    await storage().remove(other, signal);
    await storage().remove(other, signal);
    expect(await listed('acme')).toEqual(['pkg_1']);
    await storage().remove(ref, signal);
    expect(await listed('acme')).toEqual([]);
    expect(await listed('globex')).toEqual(['pkg_1']);
    expect((await storage().get(stranger, 0, signal)).toString()).toBe('b');
  });
}

describe('packages in PostgreSQL', () => {
  let database: TestDatabase;
  let storage: PackageStorage;
  beforeAll(async () => {
    database = await createTestDatabase(requestMigrations);
    storage = createPostgresStorage(database.db, systemClock);
  });
  afterAll(() => database.close());
  storageContract(() => storage);
});

describe('packages on a disk', () => {
  const above = mkdtempSync(join(tmpdir(), 'habeas-packages-'));
  const folder = join(above, 'packages');
  const storage = createDiskStorage(folder);
  afterAll(() => rmSync(above, { recursive: true }));
  storageContract(() => storage);

  it('are for their owner alone', async () => {
    await storage.put(ref, 0, Buffer.from('a'), signal);
    const modes = [folder, join(folder, 'acme/pkg_1'), join(folder, 'acme/pkg_1/00000000')].map(
      (path) => statSync(path).mode & 0o077,
    );
    expect(modes).toEqual([0, 0, 0]);
  });

  it('fail for a while when the disk is gone, and nothing is put in its place', async () => {
    await storage.put(ref, 0, Buffer.from('a'), signal);
    renameSync(folder, `${folder}.gone`);
    const gone = { code: 'STORAGE_UNREACHABLE', retryable: true };
    await expect(storage.put(ref, 1, Buffer.from('a'), signal)).rejects.toMatchObject(gone);
    await expect(storage.get(ref, 0, signal)).rejects.toMatchObject(gone);
    await expect(storage.remove(ref, signal)).rejects.toMatchObject(gone);
    renameSync(`${folder}.gone`, folder);
    expect((await storage.get(ref, 0, signal)).toString()).toBe('a');
  });
});

const program = requireProgram('moto_server');

describe.skipIf(program === undefined)('packages in S3', () => {
  let moto: MotoServer;
  const storageWith = (changed: Partial<S3Bucket> = {}, allowPrivate = ['127.0.0.0/8']): PackageStorage =>
    createS3Storage(
      createS3Client({
        setting: 'packages.s3',
        bucket: {
          endpoint: moto.url,
          region: 'eu-central-1',
          bucket: moto.bucket,
          accessKeyId: 'key',
          secretAccessKey: 'secret',
          ...changed,
        },
        outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate }) }),
        clock: systemClock,
        // Few, so that what the contract stores takes several answers.
        objectsPerAnswer: 7,
      }),
      'habeas/',
    );
  let storage: PackageStorage;
  beforeAll(async () => {
    moto = await startMoto();
    storage = storageWith();
  });
  afterAll(async () => {
    storage.close();
    await moto[Symbol.asyncDispose]();
  });
  storageContract(() => storage);

  it('name what is wrong with the bucket, and can be tried again', async () => {
    const wrong = storageWith({ bucket: 'nowhere' });
    await expect(wrong.put(ref, 0, Buffer.from('a'), signal)).rejects.toMatchObject({
      code: 'STORAGE_REFUSED',
      retryable: true,
      message: expect.stringContaining('NoSuchBucket'),
    });
    wrong.close();
  });

  it('are sent to no address that was not approved', async () => {
    const strict = storageWith({}, []);
    await expect(strict.put(ref, 0, Buffer.from('a'), signal)).rejects.toMatchObject({
      code: 'ADDRESS_NOT_APPROVED',
    });
    strict.close();
  });

  it('fail for a while when the service is down', async () => {
    await using down = await startMoto();
    const storageThere = storageWith({ endpoint: down.url });
    await storageThere.put(ref, 0, Buffer.from('a'), signal);
    await down.kill();
    const gone = { code: 'STORAGE_UNREACHABLE', retryable: true };
    await expect(storageThere.put(ref, 1, Buffer.from('a'), signal)).rejects.toMatchObject(gone);
    await expect(storageThere.get(ref, 0, signal)).rejects.toMatchObject(gone);
    await expect(storageThere.remove(ref, signal)).rejects.toMatchObject(gone);
    storageThere.close();
  });
});
