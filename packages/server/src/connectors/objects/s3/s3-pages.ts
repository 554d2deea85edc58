import { xmlElements, xmlText } from '../../../foundation/index.ts';
import type { ObjectVersion, UnfinishedUpload } from '../object-store.ts';
import type { Bucket } from './s3-bucket.ts';

const ARCHIVES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** The pages of a list of versions or uploads. */
export async function* pagesOf(
  bucket: Bucket,
  {
    what,
    prefix,
    signal,
  }: { readonly what: 'versions' | 'uploads'; readonly prefix: string; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const marker =
    what === 'versions'
      ? (['version-id-marker', 'NextVersionIdMarker'] as const)
      : (['upload-id-marker', 'NextUploadIdMarker'] as const);
  let from: Readonly<Record<string, string>> = {};
  for (;;) {
    const reply = await bucket.call({
      method: 'GET',
      what: `list its ${what}`,
      query: { [what]: '', 'encoding-type': 'url', ...(prefix === '' ? {} : { prefix }), ...from },
      signal,
    });
    const page = reply.body.toString();
    yield page;
    if (xmlText(page, 'IsTruncated') !== 'true') return;
    const id = xmlText(page, marker[1]);
    const key = decodedKey(xmlText(page, 'NextKeyMarker'), page);
    from = { 'key-marker': key, ...(id === '' ? {} : { [marker[0]]: id }) };
  }
}

/** The versions and delete markers of a page. */
export function* versionsIn(page: string): Iterable<ObjectVersion> {
  for (const [, kind, element = ''] of page.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs))
    yield versionOf(kind === 'DeleteMarker', element, page);
}

/** The uploads of a page that nobody finished yet. */
export function uploadsIn(page: string): readonly UnfinishedUpload[] {
  return [...xmlElements(page, 'Upload')].map((element) => ({
    key: keyIn(element, page),
    id: xmlText(element, 'UploadId'),
    begunAt: new Date(xmlText(element, 'Initiated')),
  }));
}

function versionOf(isMarker: boolean, element: string, page: string): ObjectVersion {
  return {
    key: keyIn(element, page),
    id: xmlText(element, 'VersionId') || 'null',
    isLatest: xmlText(element, 'IsLatest') === 'true',
    isMarker,
    etag: xmlText(element, 'ETag'),
    size: Number(xmlText(element, 'Size')),
    modifiedAt: new Date(xmlText(element, 'LastModified')),
    isArchived: ARCHIVES.has(xmlText(element, 'StorageClass')),
  };
}

function keyIn(element: string, page: string): string {
  return decodedKey(xmlText(element, 'Key'), page);
}

/** Keys may have characters that XML cannot have; a store that escapes them says so. */
function decodedKey(text: string, page: string): string {
  return xmlText(page, 'EncodingType') === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
}
