import type { ToldRequest, ToldStatus } from '../told-status.ts';

/** Request statuses of the Data Rights Protocol 1.0 (§3.02), with the reason where there is one. */
const DENIED_REASONS = [
  'suspected_fraud',
  'insuf_verification',
  'no_match',
  'claim_not_covered',
  'outside_jurisdiction',
  'too_many_requests',
  'other',
] as const;

type DeniedReason = (typeof DENIED_REASONS)[number];

export type DrpStatus =
  | 'open'
  | 'in_progress'
  | 'in_progress/need_user_verification'
  | 'fulfilled'
  | 'revoked'
  | 'expired'
  | `denied/${DeniedReason}`;

export function rankOfDrp(status: string): number {
  if (status === 'open') return 0;
  if (status === 'in_progress/need_user_verification') return 1;
  return status === 'in_progress' ? 2 : 3;
}

/**
 * The status of a request. A person's refusal is told with the reason that is written as one of the protocol's own words, such as
 * `outside_jurisdiction`; other words of ours stay here, because they may say more than an agent may know.
 */
export function drpStatus({ row, request }: Pick<ToldRequest, 'row' | 'request'>, now: Date): ToldStatus {
  const status = statusOf({ row, request }, now);
  const rank = rankOfDrp(status);
  return { status, rank, ended: rank === 3 };
}

function statusOf({ row, request }: Pick<ToldRequest, 'row' | 'request'>, now: Date): DrpStatus {
  if (request === undefined) {
    if (row.revoked) return 'revoked';
    const isOver = row.expires_at !== null && row.expires_at <= now;
    return isOver ? 'denied/insuf_verification' : 'in_progress/need_user_verification';
  }
  switch (request.state) {
    case 'received':
      return provesHere(row) ? 'in_progress' : 'open';
    case 'verifying':
      return 'in_progress/need_user_verification';
    case 'planned':
    case 'approving':
    case 'waiting':
    case 'held':
    case 'running':
    case 'blocked':
      return 'in_progress';
    case 'completed':
      return request.matched === false ? 'denied/no_match' : 'fulfilled';
    case 'rejected':
      return `denied/${DENIED_REASONS.find((reason) => reason === request.reason) ?? (provesHere(row) && request.policy_version === null ? 'insuf_verification' : 'other')}`;
    case 'expired':
      return 'denied/insuf_verification';
    case 'cancelled':
      return row.revoked ? 'revoked' : 'denied/other';
    default:
      return request.state satisfies never;
  }
}

/** The person had to prove here who they are: what was not planned after that was refused or not proved. */
function provesHere(row: ToldRequest['row']): boolean {
  return row.request_id !== null && row.expires_at !== null;
}

/** Where the person goes who has to prove who they are (§3.02.1); unique to the request, as the protocol wants it. */
export function verificationUrl(
  publicUrl: string,
  { partner, row }: Pick<ToldRequest, 'partner' | 'row'>,
): string {
  return `${publicUrl}/v1/agent/${encodeURIComponent(partner.partner_id)}/data-rights-request/${row.wire_id}/verify`;
}

const PROVE_HERE =
  'The person has to prove who they are: send them to user_verification_url. A code went to their e-mail address.';

/** What an agent may tell the person about a status. */
const DETAILS: Readonly<Partial<Record<DrpStatus, string>>> = {
  'in_progress/need_user_verification':
    'No claim about the person is verified. Verify the e-mail address or the phone number, and send the request again with the same agent-request-id.',
  'denied/insuf_verification': 'Nobody was verified in time.',
  'denied/no_match': 'No system knows this person.',
  'denied/other': 'The business does not carry out this request. Ask its privacy contact.',
};

/** The Exercise Status object (§3.03). Times have their offset written out, which every reader of ISO 8601 takes. */
export function exerciseStatus(
  told: ToldRequest,
  options: { readonly status: string; readonly publicUrl: string },
): Readonly<Record<string, unknown>> {
  const { row, request, details } = told;
  const [status, reason] = options.status.split('/');
  const isOpen = status === 'open' || status === 'in_progress';
  const text = Object.hasOwn(DETAILS, options.status) ? DETAILS[options.status as DrpStatus] : undefined;
  const needsProof = reason === 'need_user_verification' && request !== undefined;
  const pack = status === 'fulfilled' ? request?.package : undefined;
  return {
    request_id: row.wire_id,
    ...(details.agentRequestId === null ? {} : { agent_request_id: details.agentRequestId }),
    status,
    ...(reason === undefined ? {} : { reason }),
    received_at: isoTime(row.received_at),
    ...(isOpen
      ? { expected_by: isoTime(new Date(request?.due_at ?? row.expires_at ?? row.received_at)) }
      : {}),
    ...(text === undefined ? {} : { processing_details: needsProof ? PROVE_HERE : text }),
    ...(reason === 'need_user_verification'
      ? {
          user_verification_url: needsProof ? verificationUrl(options.publicUrl, told) : null,
          ...(row.expires_at === null ? {} : { expires_at: isoTime(row.expires_at) }),
        }
      : {}),
    ...(pack === undefined || pack === null
      ? {}
      : {
          results_url: `${options.publicUrl}/v1/data-rights-request/${row.wire_id}/results`,
          expires_at: isoTime(new Date(pack.expires_at)),
        }),
  };
}

function isoTime(time: Date): string {
  return time.toISOString().replace('Z', '+00:00');
}
