import type { ExitName } from './exit-code.ts';
import type { RequestSnapshot } from './watch-request.ts';

/** Where a request stands for somebody who waits for it. */
export interface RequestEnd {
  readonly exit: ExitName;
  /** One sentence: what happened, or what it waits for. */
  readonly text: string;
}

/** Whether watching is over, because the request is finished or nothing more happens by itself; undefined: go on. */
export function requestEnd({ request, tasks }: RequestSnapshot): RequestEnd | undefined {
  const because = request.reason === null ? '' : `: ${request.reason}`;
  switch (request.state) {
    case 'completed':
      return { exit: 'done', text: 'Completed.' };
    case 'cancelled':
      return { exit: 'failed', text: `Cancelled${because}` };
    case 'rejected':
      return { exit: 'failed', text: `Rejected${because}` };
    case 'expired':
      return { exit: 'failed', text: `Expired${because}` };
    case 'verifying':
      return { exit: 'blocked', text: 'Waits until who asks has proved who they are.' };
    case 'held':
      return { exit: 'blocked', text: `On hold${because}` };
    case 'approving':
      return { exit: 'blocked', text: approvalText(request) };
    case 'waiting':
      return {
        exit: 'blocked',
        text: `Starts on ${request.waits_until ?? 'a later date'}; until then it can be cancelled.`,
      };
    case 'blocked':
    case 'received':
    case 'planned':
    case 'running':
      return waitsForPerson(tasks);
    default:
      return request.state satisfies never;
  }
}

function approvalText({ approval }: RequestSnapshot['request']): string {
  if (approval === null || approval.needed === 1) return 'Waits for approval.';
  const given = approval.given.length === 0 ? '' : `; ${approval.given.length} did`;
  return `More was found than one person may have destroyed: ${approval.needed} different people have to approve${given}.`;
}

/** Tasks that go on by themselves: they are worked on, or due, or tried again later. */
function waitsForPerson(tasks: RequestSnapshot['tasks']): RequestEnd | undefined {
  const open = tasks.filter((task) => ['ready', 'running', 'waiting'].includes(task.state));
  if (open.some((task) => task.kind !== 'ticket')) return undefined;
  const blocked = tasks.filter((task) => task.state === 'blocked');
  const tickets = open.filter((task) => task.state === 'waiting');
  if (tickets.length < open.length || blocked.length + tickets.length === 0) return undefined;
  const lines = [
    ...blocked.map((task) => `${task.key} is blocked${task.error === null ? '' : `: ${task.error.message}`}`),
    ...tickets.map((task) => `Team ${task.team ?? 'unknown'} has ticket ${task.id}.`),
  ];
  return { exit: 'blocked', text: lines.join('\n') };
}
