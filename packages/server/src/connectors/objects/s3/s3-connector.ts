import { HabeasError } from '../../../foundation/index.ts';
import { awsAccount } from '../../aws-account.ts';
import type { ConnectionSettings } from '../../connection-kind.ts';
import type { Connector } from '../../connector.ts';
import { createObjectsConnector } from '../objects-connector.ts';
import { openS3Store } from './s3-store.ts';

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Acts on the objects of a bucket. `url`: the service and the bucket, as `https://s3.eu-central-1.amazonaws.com/events`. */
export function createS3Connector(settings: ConnectionSettings): Connector {
  const { key, clock } = settings;
  const { account, path: bucket } = awsAccount(settings, 'connect-s3.md');
  if (!BUCKET.test(bucket))
    throw new HabeasError(
      'CONFIG_INVALID',
      `The connection ${key} cannot be used. \`url\` has to end with the bucket, as https://s3.eu-central-1.amazonaws.com/events. See docs/connect-s3.md.`,
    );
  return createObjectsConnector(settings, openS3Store({ key, bucket, clock, account }));
}
