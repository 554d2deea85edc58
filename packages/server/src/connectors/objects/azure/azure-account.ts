import * as z from 'zod';
import { HabeasError } from '../../../foundation/index.ts';
import { authoritiesOf } from '../../authorities.ts';
import type { ConnectionSettings } from '../../connection-kind.ts';

const PAGE = 'connect-azure.md';

const optionsSchema = z
  .strictObject({
    /** The first part of the host where it is not there. */
    account: z
      .string()
      .regex(/^[a-z0-9]{3,24}$/)
      .optional(),
    account_key: z.base64().min(1).optional(),
    /** A shared access signature; with or without its question mark. */
    sas: z.string().min(1).optional(),
    ca: z.string().optional(),
    soft_delete_days: z.int().min(0).max(365).optional(),
    old_version_days: z.int().min(1).optional(),
  })
  .refine((options) => (options.account_key === undefined) !== (options.sas === undefined), {
    error: 'give either `account_key` or `sas`',
  });

/** Who Habeas is at a storage account, and what the account does that only its owner can tell. */
export interface AzureAccount {
  /** `https://acme.blob.core.windows.net` */
  readonly endpoint: string;
  /** What stands before the container in paths: empty, or `/acme` where the host does not name the account. */
  readonly basePath: string;
  readonly container: string;
  readonly name: string;
  readonly auth:
    | { readonly kind: 'key'; readonly key: string }
    | { readonly kind: 'sas'; readonly query: Readonly<Record<string, string>> };
  /** PEM of authorities to trust instead of those that Node.js knows. */
  readonly ca: string | undefined;
  /** Days for which deleted blobs are kept, where the account may not be asked. */
  readonly softDeleteDays: number | undefined;
  /** Days after which the lifecycle policy ends versions and snapshots; it cannot be read with these credentials. */
  readonly oldVersionDays: number | undefined;
}

const CONTAINER = /^(?:\$root|\$web|\$logs|[a-z0-9](?:-?[a-z0-9]){2,62})$/;

/** Reads `url` and `options` of a connection. Throws CONFIG_INVALID. */
export function azureAccount({ key, url, folder, options }: ConnectionSettings): AzureAccount {
  const invalid = (what: string) =>
    new HabeasError('CONFIG_INVALID', `The connection ${key} cannot be used. ${what}. See docs/${PAGE}.`);
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success)
    throw invalid(
      `\`options\`: ${parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')}`,
    );
  const { account, account_key, sas, ca, soft_delete_days, old_version_days } = parsed.data;
  const address = URL.parse(url);
  const [first, second, ...more] = (address?.pathname ?? '').split('/').filter((part) => part !== '');
  const container = second ?? first ?? '';
  if (
    address === null ||
    !/^https?:$/.test(address.protocol) ||
    more.length > 0 ||
    !CONTAINER.test(container)
  )
    throw invalid(
      '`url` is the address of the container, as https://acme.blob.core.windows.net/events; a signature belongs into `options.sas`',
    );
  const name = account ?? (second === undefined ? address.hostname.split('.')[0] : first) ?? '';
  return {
    endpoint: address.origin,
    basePath: second === undefined ? '' : `/${first}`,
    container,
    name,
    auth:
      account_key === undefined
        ? { kind: 'sas', query: Object.fromEntries(new URLSearchParams(sas?.replace(/^\?/, ''))) }
        : { kind: 'key', key: account_key },
    ca: authoritiesOf({ key, folder, ca, page: PAGE }),
    softDeleteDays: soft_delete_days,
    oldVersionDays: old_version_days,
  };
}
