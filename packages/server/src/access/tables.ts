import type { api } from '@habeas/contract';

export type AccessTables = {
  organizations: {
    organization_id: string;
    created_at: Date;
  };
  api_keys: {
    organization_id: string;
    id: string;
    /** SHA-256 of the key. A key has 256 random bits, so that a slow hash would add nothing. */
    hash: Uint8Array;
    /** Null: all that there are, whatever they are by then. */
    scopes: string[] | null;
    teams: string[] | null;
    name: string;
    created_at: Date;
    created_by: string;
    expires_at: Date | null;
    revoked_at: Date | null;
  };
  sessions: {
    organization_id: string;
    id: string;
    /** SHA-256 of the token, which has 256 random bits. */
    token_hash: Uint8Array;
    /** Who it stands for: a key or a member. */
    key_id: string | null;
    member_id: string | null;
    created_at: Date;
    /** To the minute. */
    used_at: Date;
    confirmed_at: Date;
    expires_at: Date;
  };
  members: {
    organization_id: string;
    id: string;
    /** Issuer and `sub` of the provider; null until they signed in. */
    subject: string | null;
    /** In lower case. */
    email: string | null;
    name: string | null;
    role: api.Role;
    teams: string[] | null;
    by_group: string | null;
    created_at: Date;
    created_by: string;
    signed_in_at: Date | null;
    /** Then nothing else says who it was. */
    removed_at: Date | null;
  };
  signing_keys: {
    organization_id: string;
    /** JWK thumbprint (RFC 7638) of the public key. */
    key_id: string;
    /** The public point in base64url: `x` of the JWK (RFC 8037). */
    public_key: string;
    /** PKCS #8, sealed with the master key. */
    sealed_private_key: Uint8Array;
    created_at: Date;
  };
};
