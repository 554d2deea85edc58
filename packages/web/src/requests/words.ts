import type { RequestState, Right, TaskState } from '@habeas/contract/api';
import type { Tone } from '../theme/tones.ts';

export const RIGHT_WORDS: Readonly<Record<Right, string>> = {
  access: 'Access',
  portability: 'Portability',
  erasure: 'Erasure',
  rectification: 'Rectification',
  restriction: 'Restriction',
  objection: 'Objection',
  opt_out_of_sale: 'Opt-out of sale',
  limit_sensitive_data: 'Limit sensitive data',
};

export const STATE_TONES: Readonly<Record<RequestState, Tone>> = {
  received: 'busy',
  verifying: 'quiet',
  planned: 'busy',
  approving: 'watch',
  waiting: 'quiet',
  held: 'watch',
  running: 'busy',
  blocked: 'bad',
  completed: 'good',
  rejected: 'quiet',
  cancelled: 'quiet',
  expired: 'quiet',
};

export const TASK_TONES: Readonly<Record<TaskState, Tone>> = {
  pending: 'quiet',
  ready: 'busy',
  running: 'busy',
  waiting: 'watch',
  succeeded: 'good',
  skipped: 'quiet',
  blocked: 'bad',
  cancelled: 'quiet',
};
