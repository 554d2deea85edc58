import type { api } from '@habeas/contract';
import type { Caller } from './caller.ts';
import type { DueFigures } from './deadlines/due-figures.ts';
import type { DeadlineCommand } from './deadlines/step-deadline.ts';
import type { OpenedPackage, PackageForm } from './package/open-package.ts';
import type { HeededPauses } from './pauses.ts';
import type { ReceiveOptions } from './receive-options.ts';
import type { ReceivedReport } from './reports.ts';
import type { Verification } from './verification/verification.ts';

export type { Caller } from './caller.ts';
export type { ReceiveOptions } from './receive-options.ts';

export type RequestCommand =
  | { readonly type: 'cancel' | 'hold' | 'reject'; readonly reason: string }
  | { readonly type: 'release' | 'approve' };

export type { DeadlineCommand } from './deadlines/step-deadline.ts';

export type TaskCommand = { readonly type: 'retry' } | { readonly type: 'skip'; readonly reason: string };

export interface CloseTicket {
  /** What was done. */
  readonly note: string;
  /** How many records. (Default: those in `data`) */
  readonly count?: number | undefined;
  /** Of an access or a portability: what the team found, rows by collection. BAD_INPUT for a ticket that asks for no data. */
  readonly data?: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

export interface SystemCallback {
  /** The task that waits for the operation. */
  readonly taskId: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes exactly as received; the signature is over them. */
  readonly body: Uint8Array;
}

/** Legal holds: what they cover is not destroyed before they are released. */
export interface LegalHolds {
  /** Stores the hold and holds every open request that it covers. */
  place(
    caller: Caller,
    hold: { readonly scope: api.LegalHoldScope; readonly reason: string },
  ): Promise<api.LegalHoldView>;
  /** Lets the requests go on that nothing else holds. Released once already, nothing changes. */
  release(caller: Caller, holdId: string, reason: string): Promise<api.LegalHoldView>;
  get(caller: Caller, holdId: string): Promise<api.LegalHoldView>;
  list(
    caller: Caller,
    query: {
      /** (Default: both) */
      readonly released?: boolean | undefined;
      readonly cursor?: string | undefined;
      readonly limit: number;
    },
  ): Promise<Page<api.LegalHoldView>>;
}

/**
 * Data subject requests, from intake to receipt. Methods that name something that does not exist in the caller's
 * organization throw NOT_FOUND; commands that the state does not allow throw CONFLICT.
 */
export interface Requests {
  /** The switch that stops work. */
  readonly pauses: HeededPauses;
  receive(
    caller: Caller,
    options: ReceiveOptions,
  ): Promise<{ readonly request: api.RequestView; readonly replayed: boolean }>;
  /**
   * The appeal against a request that was denied, in whole or in part: the same once more, which a person decides, with a deadline of its own. Throws
   * CONFLICT where there is nothing to appeal against.
   */
  appeal(
    caller: Caller,
    requestId: string,
  ): Promise<{ readonly request: api.RequestView; readonly replayed: boolean }>;
  get(caller: Caller, requestId: string): Promise<api.RequestView>;
  list(
    caller: Caller,
    query: api.RequestFilter & { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<Page<api.RequestView>>;
  plan(caller: Caller, requestId: string): Promise<api.PlanView>;
  /** What a request would do, without making one. */
  preview(
    caller: Caller,
    options: {
      readonly right: api.Right;
      readonly identityTypes: readonly string[];
      readonly dryRun: boolean;
      readonly regime?: api.Regime | undefined;
      readonly subjectKind?: api.SubjectKind | undefined;
      readonly targets?: readonly string[] | undefined;
      readonly purposes?: readonly string[] | undefined;
      readonly lift?: boolean | undefined;
    },
  ): Promise<api.PlanView>;
  tasks(caller: Caller, requestId: string): Promise<readonly api.TaskView[]>;
  /** Systems with tasks that failed and are not done since. */
  failingSystems(caller: Caller): Promise<readonly api.FailingSystem[]>;
  readonly legalHolds: LegalHolds;
  /** By when it has to be answered, how that is counted, and all that moved it. */
  deadline(caller: Caller, requestId: string): Promise<api.DeadlineView>;
  /** Moves the deadline, stops or resumes its clock, or notes that receipt was confirmed. Throws CONFLICT where the law does not allow it. */
  commandDeadline(caller: Caller, requestId: string, command: DeadlineCommand): Promise<api.DeadlineView>;
  /** How many open requests have used how much of their term. */
  dueFigures(): Promise<DueFigures>;
  command(caller: Caller, requestId: string, command: RequestCommand): Promise<api.RequestView>;
  commandTask(caller: Caller, requestId: string, taskId: string, command: TaskCommand): Promise<api.TaskView>;
  listTickets(
    caller: Caller,
    query: {
      readonly team?: string | undefined;
      readonly state?: api.TicketView['state'] | undefined;
      readonly cursor?: string | undefined;
      readonly limit: number;
    },
  ): Promise<Page<api.TicketView>>;
  /** With the identities, so that the team can do the work; the look is audited. */
  getTicket(caller: Caller, ticketId: string): Promise<api.TicketDetail>;
  closeTicket(caller: Caller, ticketId: string, close: CloseTicket): Promise<api.TicketView>;
  /** The team says that it will not do it; the task is then blocked until an officer retries or skips it. */
  rejectTicket(caller: Caller, ticketId: string, reason: string): Promise<api.TicketView>;
  /** Gives an open ticket to another team, which is told of it. Throws NOT_FOUND, BAD_INPUT for a team that is not known, CONFLICT. */
  reassignTicket(
    caller: Caller,
    ticketId: string,
    to: { readonly team: string; readonly reason: string },
  ): Promise<api.TicketView>;
  /** Throws NOT_FOUND where there is none (yet, or any more). The look is audited. */
  openPackage(caller: Caller, requestId: string, form: PackageForm): Promise<OpenedPackage>;
  /** The key that opens the sealed form with any age tool. Audited. Throws NOT_FOUND like {@link openPackage}. */
  packageKey(caller: Caller, requestId: string): Promise<api.PackageKeyView>;
  receipt(caller: Caller, requestId: string): Promise<api.ReceiptView>;
  /** What the data of each of these people may not be used for, in order. */
  processingChoices(
    caller: Caller,
    people: readonly (readonly api.Identity[])[],
  ): Promise<readonly api.ProcessingChoices[]>;
  /** How many requests' restrictions, objections, opt-outs and limitations hold now. */
  processingChoiceCounts(organizationId: string): Promise<Readonly<Record<string, number>>>;
  /** A service says that an operation ended. The word is not taken for it: the task is made due and asks the service itself. */
  systemCallback(callback: SystemCallback): Promise<void>;
  /** A system says by an event of its own how its work ended. When it resolves, the event need not come again. */
  takeReport(report: ReceivedReport): Promise<void>;
  /** How people prove who they are; undefined where only who has an API key can ask. */
  readonly verification: Verification | undefined;
  /** What the person was told of a request by mail, oldest first. */
  mails(caller: Caller, requestId: string): Promise<readonly api.PersonMailView[]>;
  /** Notes a mail to a person that came back: a delivery status notification (RFC 3464). */
  recordBounce(caller: Caller, raw: Uint8Array): Promise<api.BounceOutcome>;
  /** Starts workers and the reconciler of this process. */
  start(): Promise<void>;
  /** Lets running tasks end for a moment, then stops. */
  stop(): Promise<void>;
}
