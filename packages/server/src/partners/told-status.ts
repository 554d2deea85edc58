import type { api } from '@habeas/contract';
import type { PartnerRow } from './partner.ts';
import type { PartnerTables } from './tables.ts';

export type PartnerRequestRow = PartnerTables['partner_requests'];

/** A status in words of the protocol: `in_progress`, or with its reason `denied/no_match`. */
export interface ToldStatus {
  readonly status: string;
  /** Nothing comes after it. */
  readonly ended: boolean;
  /** Orders statuses: a request never goes back to one of a lower rank. */
  readonly rank: number;
}

/** What a partner put into its request that anyone may have written something personal into. */
export interface PrivatePart {
  readonly callbackUrls: readonly string[];
  /** Of an agent: its own id of the request. */
  readonly agentRequestId: string | null;
}

/** Everything that an answer about one request is made of. */
export interface ToldRequest {
  readonly partner: PartnerRow;
  readonly row: PartnerRequestRow;
  readonly details: PrivatePart;
  /** Undefined where nothing was asked of Habeas, because nobody is verified. */
  readonly request: api.RequestView | undefined;
}

/** A message to a partner's callback address. */
export interface CallbackMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the two protocols do differently when they tell of a request. */
export interface ProtocolFace {
  /** Pure. */
  statusOf(told: Pick<ToldRequest, 'row' | 'request'>, now: Date): ToldStatus;
  /** The rank of a status that was told before. */
  rankOf(status: string): number;
  /** Throws UNAVAILABLE when it cannot be signed now. */
  callback(told: ToldRequest, options: { readonly status: string; readonly url: string }): CallbackMessage;
}

/** What is true now, in view of what was told before: an end stays, and nothing goes back. */
export function nextStatus(
  face: ProtocolFace,
  told: Pick<ToldRequest, 'row' | 'request'>,
  now: Date,
): ToldStatus {
  const { row } = told;
  const before = { status: row.status, ended: row.ended_at !== null, rank: face.rankOf(row.status) };
  if (before.ended) return before;
  const current = face.statusOf(told, now);
  return current.rank < before.rank ? before : current;
}
