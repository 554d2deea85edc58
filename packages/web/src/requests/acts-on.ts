import type { RequestView, Scope } from '@habeas/contract/api';
import * as operations from '../api/operations.ts';
import type { Act } from '../parts/act-dialog.tsx';

export interface RequestAct extends Act {
  readonly scope: Scope;
  /** Whether the request waits for just this. */
  readonly wanted: boolean;
}

const DELAYS = [
  { value: 'ComplexityOfProcess', label: 'It is complex' },
  { value: 'HighVolumeOfProcesses', label: 'There are many requests' },
  { value: 'IdentityVerificationRequired', label: 'It has to be verified who asks' },
  { value: 'InformationRequired', label: 'Information from the person is missing' },
] as const;

const QUESTIONS = [
  { value: 'identity', label: 'Who the person is' },
  { value: 'clarification', label: 'What the person asks for' },
] as const;

/** What can be done with a request in its state. The server decides in the end: it refuses what came too late, and says so. */
export function actsOn(request: RequestView): readonly RequestAct[] {
  const { id, state } = request;
  const open = request.completed_at === null;
  const approving = state === 'approving' || isShortOfApproval(request);
  const write = { scope: 'requests:write', wanted: false } as const;
  const acts: readonly (RequestAct | false)[] = [
    approving && {
      label: 'Approve',
      explanation: approvalWords(request),
      scope: 'requests:approve',
      wanted: true,
      run: () => operations.approveRequest({ id }),
    },
    state === 'held' && {
      label: 'Release',
      explanation: 'It goes on from where it was held.',
      ...write,
      wanted: true,
      run: () => operations.releaseRequest({ id }),
    },
    (approving || state === 'verifying') && {
      label: 'Reject',
      explanation: 'The request ends, and the person is told of it and of their right to complain.',
      grave: true,
      reason: 'words',
      scope: 'requests:approve',
      wanted: approving,
      run: (reason) => operations.rejectRequest({ id, body: { reason } }),
    },
    open && {
      label: 'Extend the deadline',
      explanation: 'As far as the law allows; the person is told that it takes longer, and why.',
      reason: DELAYS,
      ...write,
      run: (reason) => operations.extendDeadline({ id, body: { reason: chosen(DELAYS, reason) } }),
    },
    open &&
      request.clock_stopped_at === null && {
        label: 'Stop the clock',
        explanation:
          'While the person is asked for something, the time does not count, where the law says so.',
        reason: QUESTIONS,
        ...write,
        run: (reason) => operations.stopClock({ id, body: { reason: chosen(QUESTIONS, reason) } }),
      },
    open &&
      request.clock_stopped_at !== null && {
        label: 'Resume the clock',
        explanation: 'The person has answered: the time counts again from now.',
        ...write,
        wanted: true,
        run: () => operations.resumeClock({ id }),
      },
    open &&
      request.acknowledged_at === null && {
        label: 'Note that receipt was confirmed',
        explanation: 'The person was told, by other means than a mail of Habeas, that the request arrived.',
        ...write,
        run: () => operations.acknowledgeRequest({ id }),
      },
    open &&
      state !== 'held' && {
        label: 'Hold',
        explanation: 'It stops before anything more is destroyed, until somebody lets it go on.',
        reason: 'words',
        ...write,
        run: (reason) => operations.holdRequest({ id, body: { reason } }),
      },
    open && {
      label: 'Cancel',
      explanation:
        'It ends without an answer. What has begun to destroy something cannot be cancelled any more.',
      grave: true,
      reason: 'words',
      ...write,
      run: (reason) => operations.cancelRequest({ id, body: { reason } }),
    },
    !open &&
      (state === 'rejected' || state === 'completed') && {
        label: 'Appeal',
        explanation:
          'The same request once more, which a person decides, with the deadline that its law gives appeals.',
        ...write,
        run: () => operations.appealRequest({ id }),
      },
  ];
  return acts.filter((act) => act !== false);
}

function isShortOfApproval({ approval, completed_at: completed }: RequestView): boolean {
  return approval !== null && completed === null && approval.given.length < approval.needed;
}

function approvalWords({ approval }: RequestView): string {
  const common =
    'It goes on to what cannot be undone. Look at the plan first: what is destroyed, and what is kept and why.';
  if (approval === null || approval.needed < 2) return common;
  return `${common} ${approval.needed} different people have to approve; ${approval.given.length} did so far.`;
}

/** The choice of a list; anything else was not made in this dialog. */
function chosen<Value extends string>(choices: readonly { readonly value: Value }[], value: string): Value {
  const choice = choices.find((one) => one.value === value);
  if (choice === undefined) throw new Error('Choose one of the reasons.');
  return choice.value;
}
