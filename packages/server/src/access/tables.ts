import type { Role } from './principal.ts';

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
    role: Role;
    name: string;
    created_at: Date;
    created_by: string;
    expires_at: Date | null;
    revoked_at: Date | null;
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
