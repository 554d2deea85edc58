import type { api } from '@habeas/contract';
import type { Systems } from '../connectors/index.ts';
import { type Clock, type Database, HabeasError, type Logger, type SecretKey } from '../foundation/index.ts';
import { personMailsOf, recordBounce } from '../notify/index.ts';
import type { Policy } from '../policy/index.ts';
import { checkAsk } from './ask-rules.ts';
import { DEFAULT_RETRY, type RetryRules } from './back-off.ts';
import { createDeadlines } from './deadlines/deadlines.ts';
import { dueFigures } from './deadlines/due-figures.ts';
import type { Event } from './event.ts';
import { failingSystems } from './failing-systems.ts';
import { createFleet } from './fleet.ts';
import { createLegalHolds } from './holds/legal-holds.ts';
import type { RequestRef } from './identity-vault.ts';
import { createIntake } from './intake.ts';
import { listRequests } from './list-requests.ts';
import type { HeldHere } from './package/held-here.ts';
import { createPackages } from './package/packages.ts';
import type { PackageStorages } from './package/storage.ts';
import { createPostgresStorage } from './package/storage-postgres.ts';
import { createPauses } from './pauses.ts';
import { checkOrder, NO_ORDER, type Order } from './plans/sequence.ts';
import { requestPlan, requestRow } from './read-requests.ts';
import { type ProveEntry, receiptOf, type SignReceipt } from './receipt.ts';
import { createRegister } from './register/register.ts';
import type { NoteChoice } from './register/register-task.ts';
import { createReports } from './reports.ts';
import type { Caller, RequestCommand, Requests, TaskCommand } from './requests.ts';
import { type RequestTables, TASK_ROW_COLUMNS } from './tables.ts';
import { createTickets } from './tickets.ts';
import { createTransitions } from './transitions.ts';
import {
  type CreateVerificationOptions,
  createDigests,
  createVerification,
  keepVerifying,
  sweepVerifications,
} from './verification/index.ts';
import { dependenciesOf, personMailView, requestView, taskView } from './views.ts';
import { newWorker } from './worker-session.ts';

export interface CreateRequestsOptions {
  readonly db: Database;
  /** Whose requests the workers of this process work on, because `systems` are the systems of this organization. */
  readonly organizationId: string;
  /** For the worker's own connection. */
  readonly databaseUrl: string;
  readonly systems: Systems;
  readonly policy: Policy;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sign: SignReceipt;
  /** Proves to whoever asks for a receipt that the audit log has it. */
  readonly proveEntry: ProveEntry;
  /** Where and with which secret a system may report that an operation of this task ended. */
  readonly callback: (taskId: string) => { readonly url: string; readonly secret: string };
  /** When the callback was sent. Throws UNAUTHENTICATED unless it is signed with the secret of its task. */
  readonly verifyCallback: (callback: Parameters<Requests['systemCallback']>[0], now: Date) => Date;
  /** (Default: 64 tries over more than a day) */
  readonly retry?: RetryRules;
  /** What is done before what. (Default: everything side by side) */
  readonly order?: Order;
  /** Teams of the configuration, beside those that systems have. (Default: none) */
  readonly teams?: readonly string[];
  /** How long a system is not asked after work whose end it says by events, in milliseconds. (Default: none does) */
  readonly patience?: (system: string | null) => number | undefined;
  /** Longest time of one attempt. (Default: 15 minutes) */
  readonly taskTimeoutMilliseconds?: number;
  /** How long after its answer was due a blocked request waits for a person before it ends. (Default: 90 days) */
  readonly giveUpBlockedMilliseconds?: number | undefined;
  /** Where packages lie. (Default: in the database) */
  readonly storages?: PackageStorages | undefined;
  /** Called again and again while very much of one person is collected and packed. (Default: nothing) */
  readonly whileMuchIsStreamed?: () => void;
  /** Also told of what people object to, in the transaction that notes it in the register. (Default: nobody is) */
  readonly noteChoice?: NoteChoice | undefined;
  /** What packages hold beside what systems hand over. (Default: nothing) */
  readonly heldHere?: HeldHere | undefined;
  /** How people prove who they are. (Default: only who has an API key can ask) */
  readonly verification?:
    | Pick<CreateVerificationOptions, 'rules' | 'questions' | 'identityProvider'>
    | undefined;
  /** How often lost work is looked for. (Default: 1 second) */
  readonly reconcileMilliseconds?: number;
  /** In [0, 1), for jitter. (Default: Math.random) */
  readonly random?: () => number;
}

const GIVE_UP_BLOCKED_MILLISECONDS = 90 * 86_400_000;
const TASK_TIMEOUT_MILLISECONDS = 15 * 60_000;

export function createRequests(options: CreateRequestsOptions): Requests {
  const { db, clock, systems } = options;
  checkOrder(options.order ?? NO_ORDER);
  const worker = newWorker();
  const storages = options.storages ?? inDatabase(db, clock);
  const transitions = createTransitions({
    db,
    worker,
    places: { take: (task) => fleet.take(task), offer: (due) => fleet.offer(due) },
    clock,
    retry: options.retry ?? DEFAULT_RETRY,
    random: options.random ?? Math.random,
    forgetAfterMilliseconds: options.policy.forgetAfterMilliseconds,
  });
  const intake = createIntake({ ...options, transitions });
  const register = createRegister(options);
  const verification =
    options.verification &&
    createVerification({
      ...options,
      ...options.verification,
      transitions,
      planReceived: (ref) => intake.planReceived(ref),
    });
  const legalHolds = createLegalHolds({ ...options, transitions });
  const tickets = createTickets({
    ...options,
    transitions,
    dataTypes: async () =>
      new Map((await systems.plannable()).map((system) => [system.key, system.dataTypes])),
    teams: async () =>
      new Set([...(options.teams ?? []), ...(await systems.plannable()).map(({ team }) => team)]),
  });
  const pauses = createPauses({
    ...options,
    knownSystems: async () => (await systems.plannable()).map(({ key }) => key),
  });
  const reports = createReports({ ...options, transitions });
  const fleet = createFleet({
    ...options,
    storages,
    giveUpBlockedMilliseconds: options.giveUpBlockedMilliseconds ?? GIVE_UP_BLOCKED_MILLISECONDS,
    patience: (system) => options.patience?.(system),
    settleReports: reports.settle,
    applyHolds: () => legalHolds.applyPending(),
    pauses,
    worker,
    transitions,
    taskTimeoutMilliseconds: options.taskTimeoutMilliseconds ?? TASK_TIMEOUT_MILLISECONDS,
    whileMuchIsStreamed: options.whileMuchIsStreamed ?? (() => undefined),
    packageExpiresMilliseconds: options.policy.access.packageExpiresMilliseconds,
    planReceived: (ref) => intake.planReceived(ref),
  });
  let verifying: ReturnType<typeof keepVerifying> | undefined;
  const ref = (caller: Caller, requestId: string): RequestRef => ({
    organizationId: caller.organizationId,
    requestId,
  });

  return {
    ...tickets,
    legalHolds,
    ...createPackages({ ...options, storages }),
    ...createDeadlines(options),
    dueFigures: () => dueFigures(db, options.organizationId, clock.now()),
    verification,
    async mails(caller, requestId) {
      const target = ref(caller, requestId);
      await requestRow(db, target);
      return (await personMailsOf(db, target)).map(personMailView);
    },
    async recordBounce(caller, raw) {
      const recorded = await recordBounce(db, {
        organizationId: caller.organizationId,
        raw,
        now: clock.now(),
      });
      const requestId = recorded.outcome === 'recorded' ? recorded.mail.request_id : null;
      return { outcome: recorded.outcome, request_id: requestId };
    },
    pauses,
    takeReport: reports.take,
    async receive(caller, ask) {
      const { request, replayed } = await intake.receive(caller, ask);
      return { request: requestView(request), replayed };
    },
    async appeal(caller, requestId) {
      const { request, replayed } = await intake.appeal(caller, requestId);
      return { request: requestView(request), replayed };
    },
    get: async (caller, requestId) => requestView(await requestRow(db, ref(caller, requestId))),
    list: (caller, query) => listRequests(db, caller, query),
    async plan(caller, requestId) {
      const plan = await requestPlan(db, ref(caller, requestId));
      if (plan === undefined)
        throw new HabeasError('CONFLICT', `Request ${requestId} is not planned yet. Try again in a moment.`, {
          retryable: true,
        });
      return withoutInputs(plan);
    },
    async preview(_caller, ask) {
      checkAsk(ask);
      return withoutInputs((await intake.makePlan(ask)).plan);
    },
    async tasks(caller, requestId) {
      const dependencies = dependenciesOf(await requestPlan(db, ref(caller, requestId)));
      const rows = await db
        .withTables<RequestTables>()
        .selectFrom('tasks')
        .select(TASK_ROW_COLUMNS)
        .where('organization_id', '=', caller.organizationId)
        .where('request_id', '=', requestId)
        .orderBy('position')
        .execute();
      return rows.map((row) => taskView(row, dependencies));
    },
    failingSystems: (caller) => failingSystems(db, caller),
    async command(caller, requestId, command) {
      const target = ref(caller, requestId);
      if (command.type === 'approve') await refuseStrangers(caller, requestId);
      const applied = await transitions.apply(target, requestEvent(command, caller.actor), {
        actor: caller.actor,
      });
      if (!applied.applied)
        throw new HabeasError(
          'CONFLICT',
          `Request ${requestId} cannot do "${command.type}": ${applied.refused}.`,
        );
      // Nobody has to wait for the reconciler when there is no waiting time.
      if (command.type === 'approve') await startIfDue(target);
      return requestView(await requestRow(db, target));
    },
    async commandTask(caller, requestId, taskId, command) {
      const target = { ...ref(caller, requestId), taskId };
      const applied = await transitions.apply(target, await taskEvent(target, command), {
        actor: caller.actor,
        ...(command.type === 'skip' ? { result: { note: command.reason } } : {}),
      });
      if (!applied.applied)
        throw new HabeasError('CONFLICT', `Task ${taskId} cannot do "${command.type}": ${applied.refused}.`);
      const row = await db
        .withTables<RequestTables>()
        .selectFrom('tasks')
        .select(TASK_ROW_COLUMNS)
        .where('organization_id', '=', caller.organizationId)
        .where('id', '=', taskId)
        .executeTakeFirstOrThrow();
      return taskView(row, dependenciesOf(await requestPlan(db, target)));
    },
    receipt: (caller, requestId) => receiptOf(options, ref(caller, requestId), options.proveEntry),
    async processingChoices(caller, people) {
      const known = await register.check(caller.organizationId, people);
      return known.map((choices) => ({
        restricted: choices.restricted,
        objections: [...choices.objections],
        opted_out_of_sale: choices.optedOutOfSale,
        sensitive_data_limited: choices.sensitiveDataLimited,
      }));
    },
    processingChoiceCounts: (organizationId) => register.counts(organizationId),
    async systemCallback(callback) {
      const sentAt = options.verifyCallback(callback, clock.now());
      const { organizationId } = options;
      const tasks = db.withTables<RequestTables>();
      const task = await tasks
        .selectFrom('tasks')
        .select(['organization_id', 'request_id', 'id', 'system'])
        .where('organization_id', '=', organizationId)
        .where('id', '=', callback.taskId)
        .executeTakeFirst();
      if (task === undefined) throw new HabeasError('NOT_FOUND', `There is no task ${callback.taskId}.`);
      // Each message counts once: whoever overheard one and repeats it makes us ask nobody.
      const news = await tasks
        .updateTable('tasks')
        .set({ called_back_at: sentAt })
        .where('organization_id', '=', organizationId)
        .where('id', '=', task.id)
        // While it still runs, the report is remembered for the moment when it would begin to wait.
        .where('state', 'in', ['waiting', 'running'])
        .where((where) =>
          where.or([where('called_back_at', 'is', null), where('called_back_at', '<', sentAt)]),
        )
        .executeTakeFirst();
      if (news.numUpdatedRows === 0n) return;
      // A callback that comes early, late or twice does not fit the state; then there is nothing to do.
      await transitions.apply(
        { organizationId: task.organization_id, requestId: task.request_id, taskId: task.id },
        { type: 'task-due' },
        { actor: `service:${task.system}` },
      );
    },
    async start() {
      await fleet.start();
      verifying = keepVerifying({
        verification,
        sweep: () =>
          sweepVerifications({
            ...options,
            transitions,
            digests: createDigests(options.masterKey),
            planReceived: (ref) => intake.planReceived(ref),
          }),
        logger: options.logger,
        pauseMilliseconds: options.reconcileMilliseconds,
      });
    },
    async stop() {
      await verifying?.stop();
      await fleet.stop();
    },
  };

  async function taskEvent(
    target: RequestRef & { readonly taskId: string },
    command: TaskCommand,
  ): Promise<Event> {
    if (command.type === 'skip') return { type: 'task-skipped', reason: command.reason };
    const row = await db
      .withTables<RequestTables>()
      .selectFrom('tasks')
      .select('error_code')
      .where('organization_id', '=', target.organizationId)
      .where('id', '=', target.taskId)
      .executeTakeFirst();
    // The system said itself that the operation failed, so nothing of it can take effect later; asked under the same key it
    // would give the same answer for ever.
    return { type: 'task-retried', anew: row?.error_code === 'SYSTEM_FAILED' };
  }

  /** Throws FORBIDDEN unless the policy that the request was planned with lets the caller approve it. */
  async function refuseStrangers(caller: Caller, requestId: string): Promise<void> {
    const approvers = (await requestPlan(db, ref(caller, requestId)))?.procedure?.approvers ?? [];
    if (approvers.length === 0 || approvers.includes(caller.actor)) return;
    throw new HabeasError(
      'FORBIDDEN',
      `The policy names who may approve request ${requestId}, and this key (${caller.actor}) is not among them.`,
    );
  }

  async function startIfDue(target: RequestRef): Promise<void> {
    const row = await requestRow(db, target);
    if (row.state === 'waiting' && (row.waits_until === null || row.waits_until <= clock.now())) {
      await transitions.apply(target, { type: 'wait-over' }, { actor: 'system' });
    }
  }
}

function inDatabase(db: Database, clock: Clock): PackageStorages {
  const storage = createPostgresStorage(db, clock);
  return { current: storage, all: [storage] };
}

function requestEvent(command: RequestCommand, actor: string): Event {
  switch (command.type) {
    case 'cancel':
      return { type: 'cancelled', reason: command.reason };
    case 'hold':
      return { type: 'held', reason: command.reason };
    case 'reject':
      return { type: 'rejected', reason: command.reason };
    case 'release':
      return { type: 'released' };
    case 'approve':
      return { type: 'approved', by: actor };
    default:
      return command satisfies never;
  }
}

function withoutInputs(plan: api.PlanView & { readonly inputs: unknown }): api.PlanView {
  const { inputs: _, ...view } = plan;
  return view;
}
