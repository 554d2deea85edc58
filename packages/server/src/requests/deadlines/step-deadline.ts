import { type DeadlineRules, deadlineOf, delayReasonIri, type StopReason } from '../../policy/index.ts';

/** Something that happened to the term of a request, in order. */
export interface DeadlineChange {
  readonly kind: 'extended' | 'clock-stopped' | 'clock-resumed' | 'acknowledged';
  readonly at: Date;
  /** IRI of a delay reason for `extended`, a {@link StopReason} for a stop; null for the others. */
  readonly reason: string | null;
}

/** What the term of a request depends on. */
export interface DeadlineState {
  readonly receivedAt: Date;
  readonly dueAt: Date;
  /** The law and the calendar as they were frozen at receipt. */
  readonly rules: DeadlineRules;
  /** Whether it was answered already. */
  readonly ended: boolean;
  /** In the order in which they happened. */
  readonly changes: readonly DeadlineChange[];
}

export type DeadlineCommand =
  /** The answer takes longer, and the person is told now. `reason`: a delay reason of the Data Privacy Vocabulary. */
  | { readonly type: 'extend'; readonly reason: string }
  /** The person was asked something that the answer depends on. */
  | { readonly type: 'stop-clock'; readonly reason: StopReason }
  /** They answered. */
  | { readonly type: 'resume-clock' }
  /** The person was told that the request arrived. */
  | { readonly type: 'acknowledge' };

export interface DeadlineStep {
  readonly change: DeadlineChange;
  readonly dueAt: Date;
  /** How the new end is counted, in words; empty where it does not move. */
  readonly explanation: readonly string[];
}

/**
 * What a command does to a deadline. Pure. What the law does not allow is refused with the reason, so that whoever asked knows that
 * nothing moved.
 */
export function stepDeadline(
  state: DeadlineState,
  command: DeadlineCommand,
  now: Date,
): DeadlineStep | { readonly refused: string } {
  if (state.ended) return { refused: 'the request has ended' };
  const stop = openStop(state.changes);
  switch (command.type) {
    case 'extend': {
      const reason = delayReasonIri(command.reason);
      if (reason === undefined)
        return {
          refused:
            'the reason is no reason for a delay of https://w3id.org/dpv/justifications; give ComplexityOfProcess, HighVolumeOfProcesses, IdentityVerificationRequired or InformationRequired',
        };
      return move(state, { kind: 'extended', at: now, reason });
    }
    case 'stop-clock': {
      if (stop !== undefined) return { refused: `the clock stands still since ${stop.at.toISOString()}` };
      if (now > state.dueAt) return { refused: `the term ended on ${state.dueAt.toISOString()}` };
      const { reason } = command;
      // Tried as if it had lasted a day: a law that knows no such stop says so now, not when it is over.
      const tomorrow = new Date(now.getTime() + DAY_MILLISECONDS);
      const tried = count(state, [
        ...state.changes,
        { kind: 'clock-stopped', at: now, reason },
        { kind: 'clock-resumed', at: tomorrow, reason: null },
      ]);
      const refusal = tried.explanation.find((line) => line.includes(`(${reason}) is not counted`));
      if (refusal !== undefined) return { refused: uncounted(refusal) };
      return {
        change: { kind: 'clock-stopped', at: now, reason },
        dueAt: state.dueAt,
        explanation: [],
      };
    }
    case 'resume-clock':
      if (stop === undefined) return { refused: 'the clock runs' };
      return move(state, { kind: 'clock-resumed', at: now, reason: null });
    case 'acknowledge':
      if (state.changes.some(({ kind }) => kind === 'acknowledged'))
        return { refused: 'receipt was confirmed already' };
      return {
        change: { kind: 'acknowledged', at: now, reason: null },
        dueAt: state.dueAt,
        explanation: [],
      };
    default:
      return command satisfies never;
  }
}

const DAY_MILLISECONDS = 86_400_000;

function move(state: DeadlineState, change: DeadlineChange): DeadlineStep | { readonly refused: string } {
  const { dueAt, explanation } = count(state, [...state.changes, change]);
  if (change.kind === 'extended') {
    const extensions = explanation.filter((line) => line.startsWith('An extension'));
    const last = extensions.at(-1);
    if (last?.includes('is not counted')) return { refused: uncounted(last) };
  }
  return { change, dueAt, explanation };
}

/** The end of the term with these changes. */
function count(state: DeadlineState, changes: readonly DeadlineChange[]) {
  return deadlineOf({
    ...state.rules,
    receivedAt: state.receivedAt,
    extensions: changes.filter(({ kind }) => kind === 'extended').map(({ at }) => ({ noticeGivenAt: at })),
    stops: stopsOf(changes),
  });
}

/** How the present end is counted, in words. */
export function explainDeadline(state: DeadlineState): readonly string[] {
  return count(state, state.changes).explanation;
}

function stopsOf(changes: readonly DeadlineChange[]) {
  const stops: { reason: StopReason; from: Date; until: Date | null }[] = [];
  for (const { kind, at, reason } of changes) {
    const last = stops.at(-1);
    if (kind === 'clock-stopped')
      stops.push({ reason: reason === 'identity' ? 'identity' : 'clarification', from: at, until: null });
    else if (kind === 'clock-resumed' && last !== undefined) last.until = at;
  }
  return stops;
}

/** The stop that goes on. */
export function openStop(changes: readonly DeadlineChange[]): DeadlineChange | undefined {
  const last = changes.findLast(({ kind }) => kind === 'clock-stopped' || kind === 'clock-resumed');
  return last?.kind === 'clock-stopped' ? last : undefined;
}

/** `…, is not counted: the law knows none` → `the law knows none`. */
function uncounted(line: string): string {
  return line.slice(line.indexOf('not counted') + 'not counted'.length).replace(/^: /, '');
}
