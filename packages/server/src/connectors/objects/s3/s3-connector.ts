import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { HabeasError } from '../../../foundation/index.ts';
import type { ConnectionSettings } from '../../connection-kind.ts';
import type { Connector } from '../../connector.ts';
import { createObjectsConnector } from '../objects-connector.ts';
import { openS3Store } from './s3-store.ts';

const optionsSchema = z.strictObject({
  region: z.string().min(1),
  access_key_id: z.string().min(1),
  secret_access_key: z.string().min(1),
  session_token: z.string().min(1).optional(),
  /** Authorities to trust instead of those that Node.js knows; PEM, relative to the configuration. */
  ca: z.string().optional(),
});

const BUCKET = /^\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?$/;

/** Acts on the objects of a bucket. `url`: the service and the bucket, as `https://s3.eu-central-1.amazonaws.com/events`. */
export function createS3Connector(settings: ConnectionSettings): Connector {
  const { key, url, folder, clock } = settings;
  const options = optionsSchema.safeParse(settings.options);
  if (!options.success)
    throw invalid(
      key,
      `\`options\`: ${options.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
    );
  const address = URL.parse(url);
  const [, bucket] = BUCKET.exec(address?.pathname ?? '') ?? [];
  if (address === null || !/^https?:$/.test(address.protocol) || bucket === undefined)
    throw invalid(
      key,
      '`url` is the address of the service with the bucket, as https://s3.eu-central-1.amazonaws.com/events',
    );
  const { region, ca } = options.data;
  const store = openS3Store({
    key,
    bucket,
    clock,
    account: {
      endpoint: address.origin,
      region,
      accessKeyId: options.data.access_key_id,
      secretAccessKey: options.data.secret_access_key,
      sessionToken: options.data.session_token,
      ca: ca === undefined ? undefined : readPem(key, resolve(folder, ca)),
    },
  });
  return createObjectsConnector(settings, store);
}

function readPem(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw invalid(key, `\`options.ca\`: ${file} cannot be read`);
  }
}

function invalid(key: string, what: string): HabeasError {
  return new HabeasError(
    'CONFIG_INVALID',
    `The connection ${key} cannot be used. ${what}. See docs/connect-s3.md.`,
  );
}
