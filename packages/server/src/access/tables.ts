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
    key_id: string;
    created_at: Date;
    /** To the minute. */
    used_at: Date;
    confirmed_at: Date;
    expires_at: Date;
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
