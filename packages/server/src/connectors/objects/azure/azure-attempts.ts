import { randomUUID } from 'node:crypto';
import type { HabeasError } from '../../../foundation/index.ts';
import { refusalOf } from '../refusal.ts';
import type { Container, ContainerCall } from './azure-container.ts';
import { listBlobs, queryOf } from './blob-list.ts';

/** What nobody can try without changing a blob. */
export const UNTRIED = 'ending unfinished uploads, and policies and holds of single blobs';

/** Of accounts with folders, and premium ones, which have no tags. */
export const WITHOUT_TAGS = [
  'FeatureNotSupportedForHierarchicalNamespace',
  'BlobTagsNotSupported',
  'FeatureNotSupportedForAccountType',
  'FeatureNotYetSupportedForHierarchicalNamespaceAccounts',
  'UnsupportedQueryParameter',
];
const ABSENT = ['BlobNotFound', 'ConditionNotMet'];
/** No blob has this ETag, so that none is made. */
const NO_ETAG = '"0x0000000000000000"';
/** Of a version that no blob has. */
const NO_VERSION = '2001-01-01T00:00:00.0000000Z';

/**
 * Does what an erasure does with a blob that nobody has: what is not there cannot be read or deleted, and a condition that none fulfils keeps it
 * from being written. Azure looks at rights before both. Gives what it does not let us do.
 */
export async function* tryActs(
  container: Container,
  options: {
    readonly act: 'write' | 'delete';
    readonly prefix: string;
    /** The connection, for texts of errors. */
    readonly connection: string;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<HabeasError> {
  const { act, prefix, connection, signal } = options;
  const blob = `${prefix}.habeas-${randomUUID()}`;
  const call = (asked: Omit<ContainerCall, 'blob' | 'signal'>) =>
    container.call({ ...asked, blob, signal, expected: [...ABSENT, ...WITHOUT_TAGS] });
  const remove = () => call({ method: 'DELETE', what: 'delete a blob (d)' });
  const write = async (what: string, headers: Readonly<Record<string, string>>) => {
    const under = { 'x-ms-blob-type': 'BlockBlob', 'if-match': NO_ETAG };
    const made = await call({ method: 'PUT', what, headers: { ...headers, ...under } });
    if (made.status < 300) await remove();
  };

  yield* await refusalOf(() => call({ method: 'HEAD', what: 'read a blob (r)' }));
  if (act === 'delete') {
    yield* await refusalOf(remove);
    if (await hasVersions(container, { prefix, connection, signal })) {
      const query = { versionid: NO_VERSION };
      yield* await refusalOf(() => call({ method: 'DELETE', what: 'delete a version of a blob (x)', query }));
    }
    return;
  }
  const refused = await refusalOf(() => write('write a blob (w)', {}));
  yield* refused;
  yield* await refusalOf(() =>
    call({ method: 'GET', what: 'read the tags of a blob (t)', query: { comp: 'tags' } }),
  );
  if (refused.length === 0)
    yield* await refusalOf(() => write('write the tags of a blob (t)', { 'x-ms-tags': 'habeas=check' }));
}

/** Whether blobs have versions, as far as the first ones tell. */
async function hasVersions(
  container: Container,
  listing: { readonly prefix: string; readonly connection: string; readonly signal: AbortSignal },
): Promise<boolean> {
  for await (const page of listBlobs(container, { ...listing, include: 'versions' }))
    return page.some((version) => queryOf(version).versionid !== undefined);
  return false;
}
