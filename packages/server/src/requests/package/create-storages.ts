import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type Clock,
  type Config,
  createS3Client,
  type Database,
  HabeasError,
  type Outbound,
} from '../../foundation/index.ts';
import type { PackageStorage, PackageStorages } from './storage.ts';
import { createDiskStorage } from './storage-disk.ts';
import { createPostgresStorage } from './storage-postgres.ts';
import { createS3Storage } from './storage-s3.ts';

export interface CreatePackageStoragesOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly config: Pick<Config, 'packages' | 'folder'>;
  readonly outbound: Outbound;
}

/** Every storage that is configured, and the database, in which packages may lie from before. Throws CONFIG_INVALID. */
export function createPackageStorages(options: CreatePackageStoragesOptions): PackageStorages {
  const { packages, folder } = options.config;
  const all: PackageStorage[] = [createPostgresStorage(options.db, options.clock)];
  if (packages.folder !== undefined) all.push(createDiskStorage(resolve(folder, packages.folder)));
  if (packages.s3 !== undefined) {
    const { endpoint, region, bucket, prefix, ca } = packages.s3;
    const client = createS3Client({
      bucket: {
        endpoint,
        region,
        bucket,
        accessKeyId: packages.s3.access_key_id,
        secretAccessKey: packages.s3.secret_access_key,
        sessionToken: packages.s3.session_token,
        ca: ca === undefined ? undefined : readPem(resolve(folder, ca)),
      },
      outbound: options.outbound,
      clock: options.clock,
    });
    all.push(createS3Storage(client, prefix));
  }
  const current = all.find(({ kind }) => kind === packages.storage);
  if (current === undefined)
    throw new HabeasError('CONFIG_INVALID', `packages.storage: "${packages.storage}" is not configured.`);
  return { current, all };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HabeasError('CONFIG_INVALID', `packages.s3.ca: ${file} cannot be read.`, { cause });
  }
}
