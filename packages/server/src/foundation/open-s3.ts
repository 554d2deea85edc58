import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { S3Config } from './config/index.ts';
import { HabeasError } from './errors.ts';
import { createS3Client, type S3Client, type S3ClientOptions } from './s3.ts';

export interface OpenS3Options extends Omit<S3ClientOptions, 'bucket'> {
  readonly config: S3Config;
  /** Where the configuration lies; absolute. */
  readonly folder: string;
}

/** The client of a bucket that the configuration names. Throws CONFIG_INVALID if the file of authorities cannot be read. */
export function openS3({ config, folder, ...options }: OpenS3Options): S3Client {
  const { endpoint, region, bucket, ca } = config;
  return createS3Client({
    ...options,
    bucket: {
      endpoint,
      region,
      bucket,
      accessKeyId: config.access_key_id,
      secretAccessKey: config.secret_access_key,
      sessionToken: config.session_token,
      ca: ca === undefined ? undefined : readPem(resolve(folder, ca), options.setting),
    },
  });
}

function readPem(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HabeasError('CONFIG_INVALID', `${setting}.ca: ${file} cannot be read.`, { cause });
  }
}
