import type { Generated } from 'kysely';

/** By which protocol a partner speaks. */
export type Protocol = 'opendsr' | 'drp';

export type PartnerTables = {
  partners: {
    organization_id: string;
    id: string;
    protocol: Protocol;
    /** What the protocol calls it: `controller_id` or `agent-id`. */
    partner_id: string;
    name: string;
    source: 'registered' | 'directory';
    /** Of an agent: its Ed25519 key in base64. */
    verify_key: string | null;
    /** Where its callbacks may go. */
    callback_origins: string[];
    created_at: Date;
    created_by: string;
    revoked_at: Date | null;
  };
  partner_tokens: {
    organization_id: string;
    partner: string;
    /** SHA-256 of the token. A token has 256 random bits, so that a slow hash would add nothing. */
    hash: Uint8Array;
    /** The agent's key when it got the token: with another key it is another agent. */
    verify_key: string | null;
    created_at: Date;
  };
  /** Signed messages that were taken, until they expire: none is taken twice. */
  partner_messages: { organization_id: string; digest: Uint8Array; expires_at: Date };
  partner_requests: {
    organization_id: string;
    partner: string;
    /** How both sides name the request: `subject_request_id`, or the `request_id` that we gave to the agent. */
    wire_id: string;
    /** Null: of an agent's request, nobody is verified, so that nothing is done. */
    request_id: string | null;
    /** Keyed hash of what makes the request the same when it comes again. */
    ask_digest: Uint8Array;
    /** The status as it was last told, in words of the protocol. */
    status: string;
    ended_at: Date | null;
    /** The partner itself called it off. */
    revoked: boolean;
    received_at: Date;
    /** Until when somebody has to be verified; stays where they prove it here. */
    expires_at: Date | null;
    /** Callback addresses and the agent's own id of the request, sealed: anyone may have written something personal there. */
    sealed: Uint8Array;
  };
  partner_callbacks: {
    organization_id: string;
    sequence: Generated<number>;
    partner: string;
    wire_id: string;
    /** Which of the request's addresses, from 0. */
    address: number;
    status: string;
    created_at: Date;
    failures: Generated<number>;
    next_attempt_at: Date;
    sent_at: Generated<Date | null>;
    /** When it was given up. */
    lost_at: Generated<Date | null>;
    error_code: Generated<string | null>;
  };
};
