import type { api } from '@habeas/contract';
import { answerTicket } from '../../../../examples/acme/index.ts';
import { eventually } from '../eventually.ts';
import type { Api } from './api.ts';
import type { House } from './house.ts';

/** What the team "data" does: waits for the ticket of the request, runs its own script on its files, and closes the ticket. */
export async function answerTicketOf(house: House, api: Api, requestId: string): Promise<void> {
  const isOpen = ({ kind, state }: api.TaskView) => kind === 'ticket' && state === 'waiting';
  const tasks = await tasksUntil(api, requestId, 'an open ticket', (all) => all.some(isOpen));
  const open = tasks.find(isOpen);
  const ticket = await api.get<api.TicketDetail>(`/api/v1/tickets/${open?.id}`);
  const folder = house.acme.folderOf('analytics');
  const out = `${house.folder}/${ticket.id}.jsonl`;
  const { lines } = await answerTicket(ticket, { folder, out });
  await api.post(`/api/v1/tickets/${ticket.id}:close`, { note: `${lines} lines.`, count: lines });
}

/** Waits until nothing goes on by itself any more: what is left waits for a person. */
export async function settled(api: Api, requestId: string): Promise<readonly api.TaskView[]> {
  const goesOn = ({ state, kind }: api.TaskView) =>
    ['ready', 'running'].includes(state) || (state === 'waiting' && kind !== 'ticket');
  return tasksUntil(api, requestId, 'only tasks that wait for a person', (all) => !all.some(goesOn));
}

/** Waits until the tasks of a request are as wanted; says how they are if they never are. */
async function tasksUntil(
  api: Api,
  requestId: string,
  what: string,
  areThere: (tasks: readonly api.TaskView[]) => boolean,
): Promise<readonly api.TaskView[]> {
  let tasks: readonly api.TaskView[] = [];
  const look = async () => {
    tasks = await api.tasks(requestId);
    return areThere(tasks);
  };
  try {
    await eventually(`${requestId} has ${what}`, look, 30);
  } catch (error) {
    const told = tasks.map(({ key, state, error: why }) => `${key} ${state} ${why?.message ?? ''}`);
    throw new Error(`${error}\n${told.join('\n')}`);
  }
  return tasks;
}

/** Task → state, for tasks that are not gates. */
export function statesOf(tasks: readonly api.TaskView[]): Readonly<Record<string, api.TaskState>> {
  return Object.fromEntries(
    tasks.filter(({ kind }) => kind !== 'gate').map(({ key, state }) => [key, state]),
  );
}
