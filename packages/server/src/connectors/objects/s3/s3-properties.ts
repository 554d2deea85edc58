import type { IncomingHttpHeaders } from 'node:http';
import { xmlElements, xmlText } from '../../../foundation/index.ts';
import { headerOf } from '../address-parts.ts';
import type { Bucket, BucketCall } from './s3-bucket.ts';

/** What an object keeps when it is written anew, beside its own metadata (`x-amz-meta-…`) and its tags. */
const KEPT_HEADERS = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
  'x-amz-storage-class',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-website-redirect-location',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-object-lock-legal-hold',
];

/** Headers that give an object that is written anew the properties that it has: metadata, tags, and who may read it. */
export async function propertiesOf(
  bucket: Bucket,
  of: {
    readonly key: string;
    readonly query: Readonly<Record<string, string>>;
    readonly headers: Readonly<IncomingHttpHeaders>;
    readonly signal: AbortSignal;
  },
): Promise<Readonly<Record<string, string>>> {
  const kept: Record<string, string> = {};
  for (const name of Object.keys(of.headers)) {
    const value = headerOf(of.headers, name);
    if (value !== undefined && (KEPT_HEADERS.includes(name) || name.startsWith('x-amz-meta-')))
      kept[name] = value;
  }
  const tagging = await bucket.call({
    method: 'GET',
    what: 'read the tags of an object',
    key: of.key,
    query: { tagging: '', ...of.query },
    signal: of.signal,
  });
  const tags = [...xmlElements(tagging.body.toString(), 'Tag')].map(
    (tag) => `${encodeURIComponent(xmlText(tag, 'Key'))}=${encodeURIComponent(xmlText(tag, 'Value'))}`,
  );
  return {
    ...kept,
    ...(await grantsOf(bucket, of)),
    ...(tags.length === 0 ? {} : { 'x-amz-tagging': tags.join('&') }),
  };
}

/** Whom an access control list lets in beside the owner, as headers; most buckets have none. */
async function grantsOf(
  bucket: Bucket,
  {
    key,
    query,
    signal,
  }: Pick<BucketCall, 'signal'> & {
    readonly key: string;
    readonly query: Readonly<Record<string, string>>;
  },
): Promise<Readonly<Record<string, string>>> {
  const reply = await bucket.call({
    method: 'GET',
    what: 'read who may read an object (s3:GetObjectVersionAcl)',
    key,
    query: { acl: '', ...query },
    expected: ['NotImplemented', 'MethodNotAllowed', 'AccessControlListNotSupported'],
    signal,
  });
  if (reply.status >= 300) return {};
  const document = reply.body.toString();
  const [owner = ''] = xmlElements(document, 'Owner');
  const grants = new Map<string, string[]>();
  const all = [...xmlElements(document, 'Grant')].map((grant) => {
    const [id, uri] = [xmlText(grant, 'ID'), xmlText(grant, 'URI')];
    const name = `x-amz-grant-${xmlText(grant, 'Permission').toLowerCase().replaceAll('_', '-')}`;
    grants.set(name, [...(grants.get(name) ?? []), id === '' ? `uri="${uri}"` : `id="${id}"`]);
    return id;
  });
  const isPlain = all.every((id) => id !== '' && id === xmlText(owner, 'ID'));
  return isPlain ? {} : Object.fromEntries([...grants].map(([name, whom]) => [name, whom.join(', ')]));
}
