import type { api } from '@habeas/contract';
import type { ToldStatus } from '../told-status.ts';

/** OpenDSR 2.0 §8; there is no state for a failure, so that what failed is in progress until somebody has mended it. */
export type OpenDsrStatus = 'pending' | 'in_progress' | 'completed' | 'cancelled';

const RANKS: Readonly<Record<OpenDsrStatus, number>> = {
  pending: 0,
  in_progress: 1,
  completed: 2,
  cancelled: 2,
};

/** The rank of a status that was told; what we do not know comes first. */
export function rankOfOpenDsr(status: string): number {
  return isStatus(status) ? RANKS[status] : 0;
}

/** A request's state in OpenDSR's words. */
export function openDsrStatus(state: api.RequestState): ToldStatus & { readonly status: OpenDsrStatus } {
  const status = statusOf(state);
  return { status, rank: RANKS[status], ended: RANKS[status] === 2 };
}

function statusOf(state: api.RequestState): OpenDsrStatus {
  switch (state) {
    case 'received':
    case 'verifying':
    case 'planned':
    case 'approving':
    case 'waiting':
      return 'pending';
    case 'held':
    case 'running':
    case 'blocked':
      return 'in_progress';
    case 'completed':
      return 'completed';
    case 'rejected':
    case 'expired':
    case 'cancelled':
      return 'cancelled';
    default:
      return state satisfies never;
  }
}

function isStatus(text: string): text is OpenDsrStatus {
  return Object.hasOwn(RANKS, text);
}
