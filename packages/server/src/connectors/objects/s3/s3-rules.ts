import { xmlElements, xmlText } from '../../../foundation/index.ts';
import type { StoreRules } from '../object-store.ts';
import type { Bucket } from './s3-bucket.ts';

/** Reads what ends by itself from the bucket's own settings. What we may not read is as if it were not there, and said so. */
export async function readRules(bucket: Bucket, signal: AbortSignal): Promise<StoreRules> {
  const [lifecycle, replication] = await Promise.all([
    settingOf(bucket, 'lifecycle', signal),
    settingOf(bucket, 'replication', signal),
  ]);
  const rules = [...xmlElements(lifecycle ?? '', 'Rule')].filter(
    (rule) => xmlText(rule, 'Status') === 'Enabled',
  );
  const daysOf = (element: string, days: string) => (key: string) => {
    const fitting = rules.flatMap((rule) => {
      const [inner] = xmlElements(rule, element);
      if (inner === undefined || !covers(rule, key) || /<NewerNoncurrentVersions>/.test(inner)) return [];
      const count = Number(xmlText(inner, days));
      return Number.isInteger(count) && count > 0 ? [count] : [];
    });
    return fitting.length === 0 ? undefined : Math.min(...fitting);
  };
  const copies = [
    ...(replication === undefined || [...xmlElements(replication, 'Rule')].length === 0
      ? []
      : ['Copies in the buckets that this one is replicated to: deletions of versions are not replicated.']),
    ...(lifecycle === undefined || replication === undefined
      ? ['What the lifecycle and replication rules keep or copy, which Habeas may not read.']
      : []),
  ];
  return {
    oldVersionDays: daysOf('NoncurrentVersionExpiration', 'NoncurrentDays'),
    uploadDays: daysOf('AbortIncompleteMultipartUpload', 'DaysAfterInitiation'),
    copies: copies.map((what) => ({ what, until: null, copy: 'replication' })),
  };
}

/** Whether a rule is for this object for certain: one that asks for tags or sizes may not be. */
function covers(rule: string, key: string): boolean {
  if (/<(?:Tag|ObjectSizeGreaterThan|ObjectSizeLessThan)>/.test(rule)) return false;
  return key.startsWith(xmlText(rule, 'Prefix'));
}

/** The document of a setting; empty: the bucket has none; undefined: we may not read it, or the store does not know it. */
async function settingOf(bucket: Bucket, name: string, signal: AbortSignal): Promise<string | undefined> {
  const reply = await bucket.call({
    method: 'GET',
    what: `read its ${name} rules`,
    query: { [name]: '' },
    expected: ['NoSuchLifecycleConfiguration', 'ReplicationConfigurationNotFoundError', ...UNREADABLE],
    signal,
  });
  if (reply.status < 300) return reply.body.toString();
  return UNREADABLE.some((code) => reply.body.includes(`<Code>${code}</Code>`)) ? undefined : '';
}

const UNREADABLE = ['AccessDenied', 'NotImplemented', 'MethodNotAllowed'];
