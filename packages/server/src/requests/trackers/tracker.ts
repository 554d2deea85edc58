/** What an issue says: open, done, or that it will not be done. */
export type IssueState = 'open' | 'closed' | 'rejected';

export interface Issue {
  /** The tracker's own name of it, as its API takes it. */
  readonly id: string;
  /** As people name it, such as `PRIV-12` or `#7`. */
  readonly label: string;
  readonly state: IssueState;
}

export interface NewIssue {
  /** One line with the id of the ticket in it, by which the issue is found again. */
  readonly title: string;
  /** Lines of plain text. */
  readonly body: readonly string[];
  readonly ticketId: string;
}

/**
 * One project of a program in which a team keeps its work. Every method throws SYSTEM_UNREACHABLE or SYSTEM_TIMEOUT (retryable), or
 * SYSTEM_REFUSED and SYSTEM_GARBAGE, with the host and never with what was sent.
 */
export interface Tracker {
  readonly name: string;
  /** How long after a creation {@link find} may not see the issue yet, in milliseconds. */
  readonly settlesWithin: number;
  /** The issue of a ticket, if there is one: of an attempt whose answer was lost. `since`: nothing older is meant. */
  find(ticketId: string, since: Date, signal: AbortSignal): Promise<Issue | undefined>;
  /** Sent once and never repeated by itself: an answer that is lost leaves it open whether there is an issue. */
  create(issue: NewIssue, signal: AbortSignal): Promise<Issue>;
  /** Closes it, with a comment. */
  close(id: string, comment: string, signal: AbortSignal): Promise<void>;
  /** Opens it again, with a comment. */
  reopen(id: string, comment: string, signal: AbortSignal): Promise<void>;
  /** Issues of Habeas that changed since then, in any order, some of them maybe unchanged. */
  changedSince(since: Date, signal: AbortSignal): Promise<readonly Issue[]>;
  /** Lets go of kept connections. */
  disconnect(): void;
}

/** By this label trackers find the issues of Habeas. */
export const LABEL = 'habeas';
