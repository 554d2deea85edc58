import { HabeasError } from '../../../foundation/index.ts';
import { awsAccount } from '../../aws-account.ts';
import type { ConnectionSettings } from '../../connection-kind.ts';
import type { RandomAccess } from '../row-format.ts';
import { openS3Store } from './s3-store.ts';

/** The connection of whose bucket it is, and which object. */
export interface OpenS3ObjectOptions {
  readonly settings: Pick<ConnectionSettings, 'key' | 'url' | 'folder' | 'options' | 'clock'>;
  readonly object: string;
  readonly signal: AbortSignal;
}

/** The bucket of a connection. Throws CONFIG_INVALID. */
export function bucketOf(settings: OpenS3ObjectOptions['settings']): string {
  return awsAccount(settings, 'connect-s3.md').path;
}

/** The bytes of what is the latest version now; if it is replaced meanwhile, reading fails rather than mixing two. Throws NOT_FOUND. */
export async function openS3Object({ settings, object, signal }: OpenS3ObjectOptions): Promise<RandomAccess> {
  const { account, path: bucket } = awsAccount(settings, 'connect-s3.md');
  const store = openS3Store({ key: settings.key, bucket, clock: settings.clock, account });
  const latest = (await store.versionsOf(object, signal)).find(({ isLatest }) => isLatest);
  if (latest === undefined || latest.isMarker)
    throw new HabeasError('NOT_FOUND', `The bucket ${bucket} has no such object.`);
  if (latest.isArchived)
    throw new HabeasError('BAD_INPUT', 'The object lies in an archive. Restore it, and import it then.');
  return store.open(latest, signal);
}
