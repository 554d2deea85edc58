import { randomUUID } from 'node:crypto';
import { type Clock, HabeasError } from '../../../foundation/index.ts';
import { headerOf } from '../address-parts.ts';
import { refusalOf } from '../refusal.ts';
import type { Bucket, BucketCall } from './s3-bucket.ts';

export interface AttemptOptions {
  /** The connection, for texts of errors. */
  readonly connection: string;
  readonly clock: Clock;
  readonly isVersioned: (signal: AbortSignal) => Promise<boolean>;
  readonly hasLocks: (signal: AbortSignal) => Promise<boolean>;
}

interface Attempted {
  readonly key: string;
  readonly signal: AbortSignal;
}

/** What nobody can try without changing an object. */
export const UNTRIED = 'keys of an encryption (KMS), and what a policy lets Habeas do with single objects';

const ABSENT = ['NoSuchKey', 'NoSuchVersion', 'NoSuchUpload'];
/** Of stores that know no tags, lists of who may read, or locks: nobody needs the right there. */
const UNKNOWN = [
  'NotImplemented',
  'MethodNotAllowed',
  'AccessControlListNotSupported',
  'InvalidRequest',
  'InvalidArgument',
  'NoSuchTagSet',
  'NoSuchObjectLockConfiguration',
  'ObjectLockConfigurationNotFoundError',
];
/** Until when an object would be locked that a store wrote in spite of its condition. */
const LOCK_MILLISECONDS = 60_000;

/**
 * Does what an erasure does with an object that nobody has: what is not there cannot be read or deleted, and a condition that no object fulfils
 * keeps it from being written. S3 looks at rights before both. Gives what it does not let us do.
 */
export async function* tryActs(
  bucket: Bucket,
  {
    act,
    prefix,
    signal,
  }: { readonly act: 'write' | 'delete'; readonly prefix: string; readonly signal: AbortSignal },
  options: AttemptOptions,
): AsyncGenerator<HabeasError> {
  const of: Attempted = { key: ownKey(prefix), signal };
  const version: Readonly<Record<string, string>> = (await options.isVersioned(signal))
    ? { versionId: 'null' }
    : {};
  const isLocked = await options.hasLocks(signal);
  const call = (method: BucketCall['method'], what: string, query: Readonly<Record<string, string>>) =>
    refusalOf(() => bucket.call({ ...of, method, what, query, expected: [...ABSENT, ...UNKNOWN] }));

  yield* await call('GET', 'read an object or a version of one (s3:GetObject, s3:GetObjectVersion)', version);
  if (isLocked) {
    const retention = { retention: '', ...version };
    yield* await call('GET', 'read until when an object is locked (s3:GetObjectRetention)', retention);
    const hold = { 'legal-hold': '', ...version };
    yield* await call('GET', 'read whether an object is held (s3:GetObjectLegalHold)', hold);
  }
  if (act === 'delete') {
    const what = 'delete an object or a version of one (s3:DeleteObject, s3:DeleteObjectVersion)';
    // With versions, deleting what is not there would leave a mark that it was; this version is not there either.
    yield* await call('DELETE', what, version);
    return;
  }
  const tagging = { tagging: '', ...version };
  yield* await call(
    'GET',
    'read the tags of an object (s3:GetObjectTagging, s3:GetObjectVersionTagging)',
    tagging,
  );
  const acl = { acl: '', ...version };
  yield* await call('GET', 'read who may read an object (s3:GetObjectAcl, s3:GetObjectVersionAcl)', acl);
  yield* await call('DELETE', 'abort an upload (s3:AbortMultipartUpload)', { uploadId: randomUUID() });
  yield* await tryWrites(bucket, of, { ...options, isLocked });
}

/** Without its properties first: a store that does not heed conditions would write what comes then. */
async function tryWrites(
  bucket: Bucket,
  of: Attempted,
  { connection, clock, isLocked }: AttemptOptions & { readonly isLocked: boolean },
): Promise<readonly HabeasError[]> {
  const refused = await refusalOf(() => expectConditions(bucket, { connection, ...of }));
  if (refused.length > 0) return refused;
  const until = new Date(clock.now().getTime() + LOCK_MILLISECONDS).toISOString();
  const properties: readonly (readonly [what: string, headers: Readonly<Record<string, string>>])[] = [
    ['write the tags of an object (s3:PutObjectTagging)', { 'x-amz-tagging': 'habeas=check' }],
    ['write who may read an object (s3:PutObjectAcl)', { 'x-amz-acl': 'bucket-owner-full-control' }],
    ...(isLocked
      ? ([
          [
            'write until when an object is locked (s3:PutObjectRetention)',
            { 'x-amz-object-lock-mode': 'GOVERNANCE', 'x-amz-object-lock-retain-until-date': until },
          ],
          [
            'write whether an object is held (s3:PutObjectLegalHold)',
            { 'x-amz-object-lock-legal-hold': 'OFF' },
          ],
        ] as const)
      : []),
  ];
  const found: HabeasError[] = [];
  for (const [what, headers] of properties)
    found.push(...(await refusalOf(() => writeNothing(bucket, { ...of, what, headers }))));
  return found;
}

/** The key of an object that nobody has. */
export function ownKey(prefix: string): string {
  return `${prefix}.habeas-${randomUUID()}`;
}

/**
 * A store that does not know `If-Match` for writing would let us write over what somebody else wrote at the same moment. It is asked once, by
 * writing under a condition that no object can fulfil.
 */
export async function expectConditions(
  bucket: Bucket,
  { connection, key, signal }: Attempted & { readonly connection: string },
): Promise<void> {
  const reply = await writeNothing(bucket, {
    key,
    signal,
    what: 'write an object (s3:PutObject)',
    headers: {},
  });
  if (reply.status >= 300) return;
  const id = headerOf(reply.headers, 'x-amz-version-id');
  const query = id === undefined ? {} : { query: { versionId: id } };
  await bucket.call({ method: 'DELETE', what: 'delete an object', key, ...query, signal });
  throw new HabeasError(
    'SYSTEM_REFUSED',
    `The bucket of ${connection} writes objects whatever \`If-Match\` says, so what others write at the same moment would be lost. Nothing was changed. Use a store that knows conditional writes.`,
  );
}

function writeNothing(
  bucket: Bucket,
  {
    headers,
    ...call
  }: Attempted & Pick<BucketCall, 'what'> & { readonly headers: Readonly<Record<string, string>> },
) {
  return bucket.call({
    ...call,
    method: 'PUT',
    headers: { ...headers, 'if-match': '"00000000000000000000000000000000"' },
    body: Buffer.alloc(0),
    expected: ['NoSuchKey', 'PreconditionFailed', ...UNKNOWN],
  });
}
