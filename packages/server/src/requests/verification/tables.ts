import type { Generated } from 'kysely';
import type { Check } from './checks.ts';

/** none: not asked yet; due: to be posted to the back end; posted: the back end has it; asked: the person has to answer; then due again; confirmed. */
export type QuestionsState = 'none' | 'due' | 'posted' | 'asked' | 'confirmed';

/** Texts are sealed by the request's key, bytes are keyed hashes. */
export type VerificationTables = {
  verifications: {
    organization_id: string;
    request_id: string;
    /** open: something is missing; proved: the request has to be told; ended. */
    state: 'open' | 'proved' | 'ended';
    required: Check[];
    expires_at: Date;
    signed_in: Generated<boolean>;
    questions_state: Generated<QuestionsState>;
    /** Sealed: the questions, and the answers that were given. */
    questions: string | null;
    answers: string | null;
    /** When the back end is to be told next; the lease of whoever does it. */
    post_at: Date | null;
    /** Sealed: who asks for another person, and what they show for it. */
    agent: string | null;
    permission: string | null;
    merged_into: string | null;
  };
  verification_contacts: {
    organization_id: string;
    request_id: string;
    position: number;
    role: 'subject' | 'agent';
    /** Of `request_identities`; null for an agent. */
    identity_digest: Uint8Array | null;
    sealed_address: string;
    code_digest: Uint8Array | null;
    code_expires_at: Date | null;
    /** With this code. */
    attempts: Generated<number>;
    codes_sent: Generated<number>;
    proved_at: Date | null;
  };
  verification_tokens: { organization_id: string; digest: Uint8Array; request_id: string };
  verification_sign_ins: {
    organization_id: string;
    state_digest: Uint8Array;
    request_id: string;
    browser_digest: Uint8Array;
    sealed_secrets: string;
    expires_at: Date;
  };
  /** Of people who prove an address for something that is no request. */
  contact_proofs: {
    organization_id: string;
    digest: Uint8Array;
    sealed_address: Uint8Array;
    code_digest: Uint8Array | null;
    code_expires_at: Date | null;
    /** With this code. */
    attempts: number;
    proved: boolean;
    expires_at: Date;
  };
  /** Which request about a proved person is under way, per right. */
  verified_subjects: {
    organization_id: string;
    right_kind: string;
    subject: Uint8Array;
    request_id: string;
  };
};
