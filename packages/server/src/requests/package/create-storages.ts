import { resolve } from 'node:path';
import {
  type Clock,
  type Config,
  type Database,
  HabeasError,
  type Outbound,
  openS3,
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
    const client = openS3({
      setting: 'packages.s3',
      config: packages.s3,
      folder,
      outbound: options.outbound,
      clock: options.clock,
    });
    all.push(createS3Storage(client, packages.s3.prefix));
  }
  const current = all.find(({ kind }) => kind === packages.storage);
  if (current === undefined)
    throw new HabeasError('CONFIG_INVALID', `packages.storage: "${packages.storage}" is not configured.`);
  return { current, all };
}
