import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { api } from '@habeas/contract';
import type { ApiClient } from '../../packages/server/src/cli/api-client.ts';
import { type MailServer, receiveMails } from '../../packages/server/test/mail-server.ts';
import { type NatsServer, startNats } from '../../packages/server/test/nats-server.ts';
import { requireProgram } from '../../packages/server/test/requirements.ts';
import { doubleOfRedmine, type TrackerDouble } from '../../packages/server/test/tracker-doubles.ts';
import { receiveWebhooks, type WebhookReceiverServer } from '../../packages/server/test/webhook-receiver.ts';
import type { Made } from '../aftermath.ts';
import type { TicketMessages } from '../answer-tickets.ts';
import { mailsMissing } from './mails-to-person.ts';

/** Everything that a server tells besides services: mails, a webhook, a tracker, a stream, packages and checkpoints on disk. */
export interface Surroundings extends TicketMessages, AsyncDisposable {
  /** For `habeas.yaml`. */
  readonly config: string;
  /** Who does not know yet what became of the request, in words. */
  untold(request: Ended): Promise<readonly string[]>;
  /** What of the request was told to nobody, or done twice. */
  wrong(request: Ended): Promise<readonly string[]>;
}

/** A request that is completed, as the server tells it. */
export interface Ended {
  readonly made: Made;
  readonly tasks: readonly api.TaskView[];
  readonly client: ApiClient;
}

const STATUS = { stream: 'PRIVACY', subject: 'privacy.status.analytics' };
const TASKS = 'HABEAS_TASKS';
const TEAM = 'data';

interface TaskMessage {
  readonly id: string;
  readonly data: { readonly request_id: string; readonly task: string };
}

export async function openSurroundings(folder: string): Promise<Surroundings> {
  const mails = await receiveMails();
  const webhook = await receiveWebhooks();
  const tracker = await doubleOfRedmine();
  const program = requireProgram('nats-server', '--version');
  const nats = program === undefined ? undefined : await startNats();
  await nats?.manager.streams.add({ name: STATUS.stream, subjects: ['privacy.>'] });
  await nats?.manager.streams.add({ name: TASKS, subjects: ['habeas.tasks.>'] });
  const told = new Set<string>();
  nats?.connection.subscribe('habeas.tasks.>', {
    callback: (_error, message) => void told.add(message.json<TaskMessage>().data.task),
  });
  return {
    config: configOf({ mails, webhook, tracker, nats }),
    hasHeardOf: ({ id }) => nats === undefined || told.has(id),
    async reportDone({ id, request_id, system }) {
      if (nats === undefined || system !== 'analytics') return false;
      const event = { request_id, task: id, status: 'completed', at: new Date().toISOString() };
      await nats.stream.publish(STATUS.subject, JSON.stringify(event), { msgID: id });
      return true;
    },
    untold: (ended) => untold({ mails, webhook, tracker, ...ended }),
    async wrong(ended) {
      const { made, tasks } = ended;
      const twice = issuesOf(tracker, tasks).flatMap(({ ticket, issues }) =>
        issues.length > 1 ? [`${ticket} of ${made.id} has ${issues.length} issues`] : [],
      );
      const silent = nats === undefined ? [] : await unpublished(nats, { made, tasks });
      const packages = join(folder, 'packages', 'acme');
      const left = existsSync(packages) ? readdirSync(packages, { recursive: true }) : [];
      const unfinished = left
        .filter((file) => String(file).endsWith('.part'))
        .map((file) => `${file} is left`);
      return [...(await untold({ mails, webhook, tracker, ...ended })), ...twice, ...silent, ...unfinished];
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([mails, webhook, tracker].map((one) => one[Symbol.asyncDispose]()));
      await nats?.[Symbol.asyncDispose]();
    },
  };
}

interface Receivers {
  readonly mails: MailServer;
  readonly webhook: WebhookReceiverServer;
  readonly tracker: TrackerDouble;
}

function configOf({
  mails,
  webhook,
  tracker,
  nats,
}: Receivers & { readonly nats: NatsServer | undefined }): string {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const streams =
    nats === undefined
      ? ''
      : `
streams:
  nats:
    servers: [${nats.url}]
    tasks: { stream: ${TASKS}, subject: habeas.tasks }
    status:
      - { name: analytics, system: analytics, stream: ${STATUS.stream}, subject: ${STATUS.subject} }`;
  return `
teams:
  ${TEAM}: { mail: data@acme.example }
notify:
  smtp: { url: 'smtp://127.0.0.1:${mails.port}', from: privacy@acme.example }
  webhooks:
    - { name: siem, url: '${webhook.url}', secret: ${secret}, events: [request.*, ticket.*] }
people: { tell: all }
trackers:
  - { name: office, kind: redmine, teams: [${TEAM}], url: '${tracker.url}', project: privacy, token: rm-token, interval: 1s }
packages: { storage: disk, folder: packages }
audit:
  publish: { every: 1s, folder: checkpoints }
${streams}
`;
}

async function untold({
  mails,
  webhook,
  tracker,
  made,
  tasks,
  client,
}: Receivers & Ended): Promise<readonly string[]> {
  const wrong: string[] = [];
  const ended = webhook.messages.some(
    ({ body }) => body.includes(made.id) && body.includes('"request.completed"'),
  );
  if (!ended) wrong.push(`no webhook says that ${made.id} is completed`);
  wrong.push(...(await mailsMissing({ client, mails }, made)));
  for (const { ticket, issues } of issuesOf(tracker, tasks))
    if (!issues.some(({ state }) => state === 'closed'))
      wrong.push(`${ticket} of ${made.id} has no closed issue`);
  return wrong;
}

function issuesOf(tracker: TrackerDouble, tasks: readonly api.TaskView[]) {
  // Only that team has a tracker.
  const tickets = tasks.filter(({ kind, team }) => kind === 'ticket' && team === TEAM).map(({ id }) => id);
  return tickets.map((ticket) => ({
    ticket,
    issues: tracker.issues.filter(({ title, body }) => `${title} ${body}`.includes(ticket)),
  }));
}

/** Tickets that no message on the stream is about, and messages that are there twice. A task of a service may end before its message can go out, and then has none. */
async function unpublished(
  nats: NatsServer,
  { made, tasks }: { readonly made: Made; readonly tasks: readonly api.TaskView[] },
): Promise<readonly string[]> {
  const consumer = await nats.stream.consumers.get(TASKS, { filter_subjects: 'habeas.tasks.>' });
  const told = new Map<string, Set<string>>();
  const ids: string[] = [];
  const { num_pending: pending } = await consumer.info();
  if (pending > 0) {
    for await (const message of await consumer.fetch({ max_messages: pending, expires: 5_000 })) {
      const { id, data } = message.json<TaskMessage>();
      ids.push(id);
      told.set(data.request_id, (told.get(data.request_id) ?? new Set()).add(data.task));
      if (message.info.pending === 0) break;
    }
  }
  const missing = tasks
    .filter(({ id, kind }) => kind === 'ticket' && told.get(made.id)?.has(id) !== true)
    .map(({ key }) => `no message on the stream is about ${key} of ${made.id}`);
  const twice = ids.length - new Set(ids).size;
  return twice === 0 ? missing : [...missing, `${twice} messages are on the stream twice`];
}
