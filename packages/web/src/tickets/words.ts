import type { TicketState } from '@habeas/contract/api';
import type { Tone } from '../theme/tones.ts';

export const TICKET_TONES: Readonly<Record<TicketState, Tone>> = {
  open: 'watch',
  closed: 'good',
  rejected: 'bad',
  skipped: 'quiet',
  cancelled: 'quiet',
};
