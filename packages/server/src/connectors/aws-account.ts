import * as z from 'zod';
import { type AwsAccount, HabeasError } from '../foundation/index.ts';
import { authoritiesOf } from './authorities.ts';
import type { ConnectionSettings } from './connection-kind.ts';

/** `options` of connections to services of Amazon's, and of what speaks their protocols. */
const optionsSchema = z.strictObject({
  region: z.string().min(1),
  access_key_id: z.string().min(1),
  secret_access_key: z.string().min(1),
  session_token: z.string().min(1).optional(),
  /** Authorities to trust instead of those that Node.js knows; PEM, relative to the configuration. */
  ca: z.string().optional(),
});

export interface AddressedAccount {
  readonly account: AwsAccount;
  /** What stands behind the address of the service, without slashes at its ends. */
  readonly path: string;
}

/**
 * Who Habeas is at the service that a connection names.
 * @param page The page of the documentation that says how, for errors. Throws CONFIG_INVALID.
 */
export function awsAccount(
  { key, url, folder, options }: Pick<ConnectionSettings, 'key' | 'url' | 'folder' | 'options'>,
  page: string,
): AddressedAccount {
  const invalid = (what: string) =>
    new HabeasError('CONFIG_INVALID', `The connection ${key} cannot be used. ${what}. See docs/${page}.`);
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success)
    throw invalid(
      `\`options\`: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
    );
  const address = URL.parse(url);
  if (address === null || !/^https?:$/.test(address.protocol))
    throw invalid('`url` is the address of the service, as https://s3.eu-central-1.amazonaws.com/events');
  const { region, access_key_id: accessKeyId, secret_access_key: secretAccessKey, ca } = parsed.data;
  return {
    account: {
      endpoint: address.origin,
      region,
      accessKeyId,
      secretAccessKey,
      sessionToken: parsed.data.session_token,
      ca: authoritiesOf({ key, folder, ca, page }),
    },
    path: address.pathname.replaceAll(/^\/|\/$/g, ''),
  };
}
