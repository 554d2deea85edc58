import { HabeasError, xmlText } from '../../../foundation/index.ts';
import { headerOf, isAddressable, unaddressable } from '../address-parts.ts';
import type { Lock, ObjectStore, ObjectVersion } from '../object-store.ts';
import { expectConditions, ownKey, tryActs, UNTRIED } from './s3-attempts.ts';
import { type Bucket, type BucketOptions, openBucket } from './s3-bucket.ts';
import { pagesOf, uploadsIn, versionsIn } from './s3-pages.ts';
import { propertiesOf } from './s3-properties.ts';
import { readRules } from './s3-rules.ts';
import { upload } from './s3-upload.ts';

const ERROR_BYTES = 1 << 16;

/** A bucket of Amazon S3, or of what speaks its protocol. */
export function openS3Store(options: BucketOptions): ObjectStore {
  const { key: connection } = options;
  const bucket = openBucket(options);
  let versioning: Promise<string> | undefined;
  let locks: Promise<boolean> | undefined;
  let conditions: Promise<void> | undefined;
  /** Asked once; what failed is asked again. */
  const isVersioned = async (signal: AbortSignal): Promise<boolean> => {
    versioning ??= versioningOf(bucket, signal);
    versioning.catch(() => {
      versioning = undefined;
    });
    return (await versioning) !== '';
  };
  const hasLocks = (signal: AbortSignal): Promise<boolean> => {
    locks ??= locksOf(bucket, signal);
    locks.catch(() => {
      locks = undefined;
    });
    return locks;
  };
  /** A bucket without versions has one of each object, and not every store knows it by a name. */
  const named = async (
    { id }: ObjectVersion,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> => ((await isVersioned(signal)) ? { versionId: id } : {});
  const head = async (version: ObjectVersion, signal: AbortSignal) =>
    (
      await bucket.call({
        method: 'HEAD',
        what: 'read the properties of an object',
        key: version.key,
        query: await named(version, signal),
        headers: { 'if-match': version.etag },
        signal,
      })
    ).headers;

  return {
    async *versions(prefix, signal) {
      for await (const page of pagesOf(bucket, { what: 'versions', prefix, signal }))
        for (const version of versionsIn(page)) {
          if (!isAddressable(version.key)) throw unaddressable(connection);
          yield version;
        }
    },
    async versionsOf(key, signal) {
      const found: ObjectVersion[] = [];
      // Keys are in order: those of longer keys come behind.
      for await (const page of pagesOf(bucket, { what: 'versions', prefix: key, signal })) {
        const versions = [...versionsIn(page)];
        found.push(...versions.filter((version) => version.key === key));
        if (versions.some((version) => version.key !== key)) break;
      }
      return found;
    },
    async *uploads(prefix, signal) {
      for await (const page of pagesOf(bucket, { what: 'uploads', prefix, signal })) yield* uploadsIn(page);
    },
    open: (version, signal) => ({
      size: version.size,
      async read(offset, length) {
        if (length === 0) return Buffer.alloc(0);
        const { body } = await bucket.call({
          method: 'GET',
          what: 'read an object',
          key: version.key,
          query: await named(version, signal),
          headers: { range: `bytes=${offset}-${offset + length - 1}`, 'if-match': version.etag },
          // Errors are longer than what small objects have.
          maxBytes: length + ERROR_BYTES,
          signal,
        });
        if (body.length === length) return body;
        throw new HabeasError(
          'SYSTEM_GARBAGE',
          `The bucket of ${connection} gave ${body.length} bytes of an object, and was asked for ${length}.`,
          { retryable: true },
        );
      },
    }),
    async replace(version, write, signal) {
      const beside = ownKey(version.key.slice(0, version.key.lastIndexOf('/') + 1));
      conditions ??= expectConditions(bucket, { connection, key: beside, signal });
      conditions.catch(() => {
        conditions = undefined;
      });
      await conditions;
      const { key, etag, size } = version;
      const properties = await propertiesOf(bucket, {
        key,
        query: await named(version, signal),
        headers: await head(version, signal),
        signal,
      });
      return upload({ bucket, key, properties, etag, size, signal }, write);
    },
    async remove(version, signal) {
      await bucket.call({
        method: 'DELETE',
        what: 'delete a version of an object',
        key: version.key,
        query: await named(version, signal),
        expected: ['NoSuchKey', 'NoSuchVersion'],
        signal,
      });
    },
    async abort({ key, id }, signal) {
      await bucket.call({
        method: 'DELETE',
        what: 'abort an upload',
        key,
        query: { uploadId: id },
        expected: ['NoSuchUpload'],
        signal,
      });
    },
    async lockOf(version, signal): Promise<Lock | undefined> {
      if (version.isMarker || !(await hasLocks(signal))) return undefined;
      const headers = await head(version, signal);
      if (headerOf(headers, 'x-amz-object-lock-legal-hold') === 'ON')
        return { until: null, holdsLatest: false };
      const until = headerOf(headers, 'x-amz-object-lock-retain-until-date');
      return until === undefined || new Date(until) <= options.clock.now()
        ? undefined
        : { until: new Date(until).toISOString(), holdsLatest: false };
    },
    rules: (signal) => readRules(bucket, signal),
    async check(signal) {
      await isVersioned(signal);
      await bucket.call({
        method: 'GET',
        what: 'list the versions of its objects',
        query: { versions: '', 'max-keys': '1' },
        signal,
      });
      await bucket.call({
        method: 'GET',
        what: 'list its unfinished uploads (s3:ListBucketMultipartUploads)',
        query: { uploads: '', 'max-uploads': '1' },
        signal,
      });
    },
    untried: UNTRIED,
    tryTo: (act, prefix, signal) =>
      tryActs(bucket, { act, prefix, signal }, { connection, clock: options.clock, isVersioned, hasLocks }),
    close: () => bucket.close(),
  };
}

async function versioningOf(bucket: Bucket, signal: AbortSignal): Promise<string> {
  const what = 'read whether it keeps versions';
  const reply = await bucket.call({ method: 'GET', what, query: { versioning: '' }, signal });
  return xmlText(reply.body.toString(), 'Status');
}

async function locksOf(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
  const reply = await bucket.call({
    method: 'GET',
    what: 'read whether it locks objects',
    query: { 'object-lock': '' },
    expected: [
      'ObjectLockConfigurationNotFoundError',
      'NotImplemented',
      'MethodNotAllowed',
      'InvalidRequest',
    ],
    signal,
  });
  return xmlText(reply.body.toString(), 'ObjectLockEnabled') === 'Enabled';
}
