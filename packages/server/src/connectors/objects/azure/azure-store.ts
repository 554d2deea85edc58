import { HabeasError, type HttpReply, xmlElements, xmlText } from '../../../foundation/index.ts';
import { headerOf } from '../address-parts.ts';
import type { Lock, ObjectStore, ObjectVersion, UnfinishedUpload } from '../object-store.ts';
import { tryActs, UNTRIED, WITHOUT_TAGS } from './azure-attempts.ts';
import { type Container, type ContainerOptions, openContainer } from './azure-container.ts';
import { readRules } from './azure-rules.ts';
import { upload } from './azure-upload.ts';
import { listBlobs, queryOf } from './blob-list.ts';

const ERROR_BYTES = 1 << 16;

/** What a blob keeps when it is written anew, beside its metadata and tags: what it is told by → what it is set by. */
const KEPT_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'x-ms-blob-content-type',
  'content-encoding': 'x-ms-blob-content-encoding',
  'content-language': 'x-ms-blob-content-language',
  'content-disposition': 'x-ms-blob-content-disposition',
  'cache-control': 'x-ms-blob-cache-control',
  'x-ms-encryption-scope': 'x-ms-encryption-scope',
};

/** A container of Azure Blob Storage, or of what speaks its protocol. */
export function openAzureStore(options: ContainerOptions): ObjectStore {
  const { key: connection, account, clock } = options;
  const container = openContainer(options);
  let hold: Promise<Hold> | undefined;
  /** Asked once; what failed is asked again. */
  const holdOf = (signal: AbortSignal): Promise<Hold> => {
    hold ??= readHold(container, signal);
    hold.catch(() => {
      hold = undefined;
    });
    return hold;
  };
  const head = (version: ObjectVersion, signal: AbortSignal) =>
    container.call({
      method: 'HEAD',
      what: 'read the properties of a blob',
      blob: version.key,
      query: queryOf(version),
      headers: { 'if-match': version.etag },
      signal,
    });
  const remove = (key: string, query: Readonly<Record<string, string>>, signal: AbortSignal) =>
    container.call({
      method: 'DELETE',
      what: 'delete a blob',
      blob: key,
      query,
      expected: ['BlobNotFound'],
      signal,
    });

  return {
    async *versions(prefix, signal) {
      for await (const page of listBlobs(container, { connection, prefix, include: 'versions', signal }))
        yield* page;
    },
    async versionsOf(key, signal) {
      const found: ObjectVersion[] = [];
      // Names are in order: those of longer names come behind.
      const pages = listBlobs(container, { connection, prefix: key, include: 'versions', signal });
      for await (const page of pages) {
        found.push(...page.filter((blob) => blob.key === key));
        if (page.some((blob) => blob.key !== key)) break;
      }
      return found;
    },
    async *uploads(prefix, signal) {
      const pages = listBlobs(container, { connection, prefix, include: 'uncommittedblobs', signal });
      for await (const page of pages)
        for (const blob of page) {
          if (blob.size > 0 || !(await isUnfinished(container, blob.key, signal))) continue;
          const begunAt = [blob.modifiedAt, blob.createdAt, clock.now()].find(
            (time) => !Number.isNaN(time.getTime()),
          );
          if (begunAt !== undefined)
            yield { key: blob.key, id: blob.key, begunAt } satisfies UnfinishedUpload;
        }
    },
    open: (version, signal) => ({
      size: version.size,
      async read(offset, length) {
        if (length === 0) return Buffer.alloc(0);
        const { body } = await container.call({
          method: 'GET',
          what: 'read a blob',
          blob: version.key,
          query: queryOf(version),
          headers: { 'x-ms-range': `bytes=${offset}-${offset + length - 1}`, 'if-match': version.etag },
          // Errors are longer than what small blobs have.
          maxBytes: length + ERROR_BYTES,
          signal,
        });
        if (body.length === length) return body;
        throw new HabeasError(
          'SYSTEM_GARBAGE',
          `The container of ${connection} gave ${body.length} bytes of a blob, and was asked for ${length}.`,
          { retryable: true },
        );
      },
    }),
    async replace(version, write, signal) {
      const { key, etag, size } = version;
      const reply = await head(version, signal);
      const type = headerOf(reply.headers, 'x-ms-blob-type');
      if (type !== 'BlockBlob')
        throw new HabeasError(
          'SYSTEM_REFUSED',
          `A blob of ${connection} with rows of the person is an append or page blob, which cannot be replaced as a whole. Nothing of it was changed: copy it to a block blob, or erase the rows by hand.`,
        );
      const properties = {
        ...propertiesIn(reply),
        ...(await tagsOf(container, version, signal)),
      };
      const hasDigest = reply.headers['content-md5'] !== undefined;
      return upload({ container, connection, key, properties, hasDigest, etag, size, signal }, write);
    },
    async remove(version, signal) {
      const { key, isLatest } = version;
      const query = queryOf(version);
      // Where the account keeps versions, the latest becomes an older one first.
      if (isLatest) await remove(key, {}, signal);
      if (Object.keys(query).length > 0) await remove(key, query, signal);
    },
    async abort({ key }, signal) {
      // A blob is made of none of its blocks, which ends them, and deleted. Not where somebody finished it meanwhile.
      const made = await container.call({
        method: 'PUT',
        what: 'end an unfinished upload',
        blob: key,
        query: { comp: 'blocklist' },
        headers: { 'if-none-match': '*' },
        body: Buffer.from('<?xml version="1.0" encoding="utf-8"?><BlockList></BlockList>'),
        expected: ['BlobAlreadyExists', 'ConditionNotMet'],
        signal,
      });
      if (made.status >= 300) return;
      const ours = { 'if-match': headerOf(made.headers, 'etag') ?? '' };
      await container.call({
        method: 'DELETE',
        what: 'delete a blob',
        blob: key,
        headers: ours,
        expected: ['ConditionNotMet', 'BlobNotFound'],
        signal,
      });
      const version = headerOf(made.headers, 'x-ms-version-id');
      if (version !== undefined) await remove(key, { versionid: version }, signal);
    },
    async lockOf(version, signal): Promise<Lock | undefined> {
      const { ofAll, ofSome } = await holdOf(signal);
      if (ofAll) return { until: null, holdsLatest: true };
      return ofSome ? lockIn(await head(version, signal), clock.now()) : undefined;
    },
    rules: (signal) => readRules(container, { account, clock, signal }),
    async check(signal) {
      await container.call({
        method: 'GET',
        what: 'list its blobs',
        query: { restype: 'container', comp: 'list', maxresults: '1' },
        signal,
      });
    },
    untried: UNTRIED,
    tryTo: (act, prefix, signal) => tryActs(container, { act, prefix, connection, signal }),
    close: () => container.close(),
  };
}

/** Whether a container holds everything in it, by a policy or a legal hold, or lets single versions be held. */
interface Hold {
  readonly ofAll: boolean;
  readonly ofSome: boolean;
}

async function readHold(container: Container, signal: AbortSignal): Promise<Hold> {
  const { headers } = await container.call({
    method: 'HEAD',
    what: 'read what it holds (permission to read the container)',
    query: { restype: 'container' },
    expected: [
      'AuthorizationFailure',
      'AuthorizationPermissionMismatch',
      'AuthorizationResourceTypeMismatch',
    ],
    signal,
  });
  const is = (name: string) => headerOf(headers, name)?.toLowerCase() === 'true';
  const ofSome = is('x-ms-immutable-storage-with-versioning-enabled');
  const ofAll = is('x-ms-has-immutability-policy') || is('x-ms-has-legal-hold');
  // Without leave to ask, each version is asked itself.
  const isUnknown = headers['x-ms-has-immutability-policy'] === undefined;
  return { ofAll: ofAll && !ofSome, ofSome: ofSome || isUnknown };
}

/** By a policy with a date, or a legal hold, of one version: what is latest is replaced by a new version. */
function lockIn({ headers }: HttpReply, now: Date): Lock | undefined {
  if (headerOf(headers, 'x-ms-legal-hold') === 'true') return { until: null, holdsLatest: false };
  const until = headerOf(headers, 'x-ms-immutability-policy-until-date');
  if (until === undefined || new Date(until) <= now) return undefined;
  return { until: new Date(until).toISOString(), holdsLatest: false };
}

/** It is listed and yet no blob: blocks that nobody made one of. */
async function isUnfinished(container: Container, blob: string, signal: AbortSignal): Promise<boolean> {
  const { status } = await container.call({
    method: 'HEAD',
    what: 'read the properties of a blob',
    blob,
    expected: ['BlobNotFound'],
    signal,
  });
  return status === 404;
}

function propertiesIn({ headers, rawHeaders }: HttpReply): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [told, set] of Object.entries(KEPT_HEADERS)) {
    const value = headerOf(headers, told);
    if (value !== undefined) kept[set] = value;
  }
  // Names of metadata keep their capitals.
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (/^x-ms-meta-/i.test(name)) kept[`x-ms-meta-${name.slice('x-ms-meta-'.length)}`] = value;
  }
  // A tier that nobody chose is the account's, and follows it.
  const tier = headerOf(headers, 'x-ms-access-tier');
  if (tier !== undefined && headerOf(headers, 'x-ms-access-tier-inferred') !== 'true')
    kept['x-ms-access-tier'] = tier;
  return kept;
}

async function tagsOf(
  container: Container,
  version: ObjectVersion,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const reply = await container.call({
    method: 'GET',
    what: 'read the tags of a blob',
    blob: version.key,
    query: { comp: 'tags', ...queryOf(version) },
    expected: WITHOUT_TAGS,
    signal,
  });
  if (reply.status >= 300) return {};
  const tags = [...xmlElements(reply.body.toString(), 'Tag')].map(
    (tag) => `${encodeURIComponent(xmlText(tag, 'Key'))}=${encodeURIComponent(xmlText(tag, 'Value'))}`,
  );
  return tags.length === 0 ? {} : { 'x-ms-tags': tags.join('&') };
}
