import type { api } from '@habeas/contract';

/** What a mirror tells of a ticket. No personal data. */
export interface TicketSource {
  readonly ticketId: string;
  readonly requestId: string;
  readonly state: api.TaskState;
  readonly system: string | null;
  readonly team: string | null;
  readonly rightKind: api.Right;
  readonly dryRun: boolean;
  readonly targets: readonly string[];
  readonly purposes: readonly string[];
  readonly lift: boolean;
  readonly dueAt: Date;
  readonly requestState: api.RequestState;
}
