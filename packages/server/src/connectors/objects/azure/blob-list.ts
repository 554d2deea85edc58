import { HabeasError, xmlElements, xmlText } from '../../../foundation/index.ts';
import { isAddressable, unaddressable } from '../address-parts.ts';
import type { ObjectVersion } from '../object-store.ts';
import type { Container } from './azure-container.ts';

/** Accounts with folders (hierarchical namespaces) have no versions, and older services no snapshots of what is listed. */
const WITHOUT_VERSIONS = [
  'FeatureNotSupportedForHierarchicalNamespace',
  'InvalidQueryParameterValue',
  'UnsupportedQueryParameter',
  'NotImplemented',
];

/** The blobs below a prefix, a page at a time: with their versions and snapshots, or with those that were begun and never finished. */
export async function* listBlobs(
  container: Container,
  {
    connection,
    prefix,
    include,
    signal,
  }: {
    readonly connection: string;
    readonly prefix: string;
    readonly include: 'versions' | 'uncommittedblobs';
    readonly signal: AbortSignal;
  },
): AsyncGenerator<readonly ListedBlob[]> {
  let included = include === 'versions' ? 'snapshots,versions' : include;
  let marker = '';
  for (;;) {
    const reply = await container.call({
      method: 'GET',
      what: 'list its blobs',
      query: {
        restype: 'container',
        comp: 'list',
        ...(included === '' ? {} : { include: included }),
        ...(prefix === '' ? {} : { prefix }),
        ...(marker === '' ? {} : { marker }),
      },
      expected: included.includes(',') ? WITHOUT_VERSIONS : [],
      signal,
    });
    if (reply.status >= 300) {
      included = '';
      continue;
    }
    const page = reply.body.toString();
    if (!page.includes('<EnumerationResults'))
      throw new HabeasError(
        'SYSTEM_GARBAGE',
        `The container of ${connection} does not answer as Azure does.`,
        { retryable: true },
      );
    yield [...xmlElements(page, 'Blob')].map((element) => listed(element, connection));
    marker = xmlText(page, 'NextMarker');
    if (marker === '') return;
  }
}

export interface ListedBlob extends ObjectVersion {
  readonly createdAt: Date;
}

/** How a version is asked for; the latest of a blob that has no versions is asked for by its name alone. */
export function queryOf({ id }: Pick<ObjectVersion, 'id'>): Readonly<Record<string, string>> {
  const [kind = '', time = ''] = id.split(' ');
  return kind === LATEST ? {} : { [kind]: time };
}

const LATEST = 'latest';

function listed(element: string, connection: string): ListedBlob {
  const key = nameIn(element);
  if (!isAddressable(key)) throw unaddressable(connection);
  const [snapshot, version] = [xmlText(element, 'Snapshot'), xmlText(element, 'VersionId')];
  return {
    key,
    id: snapshot !== '' ? `snapshot ${snapshot}` : version !== '' ? `versionid ${version}` : LATEST,
    isLatest: snapshot === '' && (version === '' || xmlText(element, 'IsCurrentVersion') === 'true'),
    isMarker: false,
    etag: `"${xmlText(element, 'Etag').replaceAll('"', '')}"`,
    size: Number(xmlText(element, 'Content-Length')),
    modifiedAt: new Date(xmlText(element, 'Last-Modified')),
    createdAt: new Date(xmlText(element, 'Creation-Time')),
    isArchived: xmlText(element, 'AccessTier') === 'Archive',
  };
}

/** Names with characters that XML cannot have are escaped as in addresses. */
function nameIn(element: string): string {
  const escaped = /<Name +Encoded *= *"true" *>([^<]*)<\/Name>/i.exec(element)?.[1];
  return escaped === undefined ? xmlText(element, 'Name') : decodeURIComponent(escaped);
}
