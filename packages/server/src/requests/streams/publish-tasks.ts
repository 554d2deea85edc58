import { jetstream } from '@nats-io/jetstream';
import { sql } from 'kysely';
import type { Database, NatsConfig } from '../../foundation/index.ts';
import type { ProgramReceiver, StoredEvent } from '../../notify/index.ts';
import { isMissing } from './follow-status.ts';
import { type NatsLink, natsFailure, type OpenNats } from './nats-link.ts';

export interface PublishTasksOptions {
  readonly link: NatsLink;
  readonly config: NatsConfig & { readonly tasks: NonNullable<NatsConfig['tasks']> };
  readonly db: Database;
  readonly organizationId: string;
}

/** What a system is told of a task: enough to look it up and to answer, and no personal data. */
export interface TaskToTell {
  readonly requestId: string;
  readonly taskId: string;
  readonly generation: number;
  readonly kind: string;
  readonly system: string;
  readonly team: string | null;
  readonly right: string;
  readonly dueAt: Date;
  readonly dryRun: boolean;
}

/** How long the server knows a message again, as far as Habeas makes the stream. */
const DUPLICATES_NANOSECONDS = 3_600 * 1_000_000_000;

/** Tells systems on a stream of the tasks that they have to do: each that does not end before, at least once, in order, under an id that stays the same. */
export function createTaskPublisher(options: PublishTasksOptions): ProgramReceiver {
  const { link, config, db, organizationId } = options;
  let ensured: OpenNats | undefined;

  const open = async (): Promise<OpenNats> => {
    const nats = await link.open();
    if (ensured !== nats) await ensureStream(nats, config.tasks);
    ensured = nats;
    return nats;
  };

  return {
    kind: 'program',
    name: 'streams.nats.tasks',
    team: undefined,
    types: ['ticket.opened', 'task.started', 'task.retried'],
    wants: ({ type, data }) => type !== 'task.started' || data.attempt === 1,
    async deliver(events) {
      try {
        const { connection } = await open();
        const tasks = await tasksOf(db, { organizationId, events });
        for (const event of events) {
          const task = tasks.get(String(event.data.subject));
          if (task === undefined) continue;
          const body = JSON.stringify(taskMessage(event, task));
          await jetstream(connection).publish(subjectOf(config.tasks.subject, organizationId, task), body, {
            msgID: event.id,
            expect: { streamName: config.tasks.stream },
          });
        }
      } catch (error) {
        throw natsFailure(error, config);
      }
    },
  };
}

/** `habeas.tasks.<organization>.<system>.<kind>`, each one token: what a token may not have is an underscore. */
export function subjectOf(
  prefix: string,
  organizationId: string,
  task: Pick<TaskToTell, 'system' | 'kind'>,
): string {
  const token = (text: string) => text.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return [prefix, ...[organizationId, task.system, task.kind].map(token)].join('.');
}

/** CloudEvents 1.0, in JSON. */
export function taskMessage(event: StoredEvent, task: TaskToTell) {
  return {
    specversion: '1.0',
    id: event.id,
    source: `/organizations/${event.organizationId}`,
    type: 'task.opened',
    time: event.at.toISOString(),
    subject: task.requestId,
    datacontenttype: 'application/json',
    data: {
      request_id: task.requestId,
      task: task.taskId,
      idempotency_key: `${task.taskId}.${task.generation}`,
      kind: task.kind,
      system: task.system,
      team: task.team,
      right: task.right,
      due_time: task.dueAt.toISOString(),
      dry_run: task.dryRun,
    },
  };
}

async function ensureStream(
  { manager }: OpenNats,
  tasks: PublishTasksOptions['config']['tasks'],
): Promise<void> {
  const { stream: name, subject } = tasks;
  try {
    await manager.streams.info(name);
  } catch (error) {
    if (!isMissing(error, 'stream')) throw error;
    await manager.streams.add({ name, subjects: [`${subject}.>`], duplicate_window: DUPLICATES_NANOSECONDS });
  }
}

/** The tasks of these events that are still to be done, by id. Only what a system does: no gates, no packages, no readings. */
async function tasksOf(
  db: Database,
  { organizationId, events }: { readonly organizationId: string; readonly events: readonly StoredEvent[] },
): Promise<ReadonlyMap<string, TaskToTell>> {
  const ids = [...new Set(events.map((event) => String(event.data.subject)))];
  const { rows } = await sql<TaskToTell>`
    select t.request_id as "requestId", t.id as "taskId", t.generation, t.kind, t.system, t.team,
      r.right_kind as "right", r.due_at as "dueAt", r.dry_run as "dryRun"
    from tasks t
    join requests r on r.organization_id = t.organization_id and r.id = t.request_id
    where t.organization_id = ${organizationId} and t.id = any (${ids}::text[])
      and t.kind in ('collect', 'erase', 'rectify', 'restrict', 'object', 'ticket') and t.system is not null
      and t.state in ('ready', 'running', 'waiting')`.execute(db);
  return new Map(rows.map((task) => [task.taskId, task]));
}
