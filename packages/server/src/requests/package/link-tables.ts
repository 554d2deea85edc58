import type { Generated } from 'kysely';
import type { RequestTables } from '../tables.ts';

/** Links and what was opened by them. Tokens, codes and secrets are kept as hashes only. */
export type LinkTables = Pick<RequestTables, 'request_identities'> & {
  package_links: {
    organization_id: string;
    id: string;
    request_id: string;
    token_hash: Buffer;
    expires_at: Date;
    downloads_left: number;
    code_hash: Buffer | null;
    code_expires_at: Date | null;
    code_tries: Generated<number>;
    /** Over all codes. */
    wrong_tries: Generated<number>;
    /** Since `codes_since`. */
    codes_sent: Generated<number>;
    codes_since: Date;
    revoked: Generated<boolean>;
  };
  package_grants: {
    organization_id: string;
    secret_hash: Buffer;
    link_id: string;
    expires_at: Date;
    /** Whether this download was counted, and whether all of it was sent. */
    counted: Generated<boolean>;
    arrived: Generated<boolean>;
  };
};
