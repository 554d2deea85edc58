import { createHmac } from 'node:crypto';
import type { api } from '@habeas/contract';
import { appendAudit, canonicalJson } from '../audit/index.ts';
import type { PlannableSystem } from '../connectors/index.ts';
import {
  type Clock,
  type Database,
  deriveKey,
  HabeasError,
  type Logger,
  newId,
  type SecretKey,
} from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import { dueDate, type Policy } from '../policy/index.ts';
import { addIdentities, createRequestKey, type RequestRef } from './identity-vault.ts';
import type { RequestRow } from './neighbourhood.ts';
import { type Plan, plan } from './plan.ts';
import type { Caller, ReceiveOptions } from './requests.ts';
import type { RequestTables } from './tables.ts';
import type { Transitions } from './transitions.ts';

export interface IntakeOptions {
  readonly db: Database;
  readonly transitions: Transitions;
  readonly systems: () => Promise<readonly PlannableSystem[]>;
  readonly policy: Policy;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Intake {
  receive(
    caller: Caller,
    options: ReceiveOptions,
  ): Promise<{ readonly request: RequestRow; readonly replayed: boolean }>;
  /** Freezes the plan of a request that was only received. */
  planReceived(ref: RequestRef): Promise<void>;
  makePlan(options: {
    readonly right: api.Right;
    readonly identityTypes: readonly string[];
    readonly dryRun: boolean;
  }): Promise<{ plan: Plan; systems: readonly PlannableSystem[] }>;
}

export function createIntake(options: IntakeOptions): Intake {
  const makePlan: Intake['makePlan'] = async (ask) => {
    const systems = await options.systems();
    return { systems, plan: plan({ ...ask, systems, policyVersion: options.policy.version }) };
  };

  /** A request is acknowledged even if no plan can be made now; the reconciler plans it later. */
  const tryPlan = async (ask: ReceiveOptions): Promise<Awaited<ReturnType<typeof makePlan>> | undefined> => {
    try {
      return await makePlan({
        right: ask.right,
        dryRun: ask.dryRun,
        identityTypes: identityTypes(ask.identities),
      });
    } catch (error) {
      options.logger.warn({ err: error }, 'a request was received but cannot be planned yet');
      return undefined;
    }
  };

  const freeze = async (
    transaction: Database,
    ref: RequestRef,
    made: Awaited<ReturnType<typeof makePlan>>,
  ): Promise<void> => {
    const tasks = await insertPlan(transaction, ref, made, options.clock.now());
    const erases = made.plan.right === 'erasure' && !made.plan.dry_run;
    const { waitMilliseconds, approval } = options.policy.erasure;
    const waitsUntil =
      erases && waitMilliseconds > 0 ? new Date(options.clock.now().getTime() + waitMilliseconds) : null;
    await transaction
      .withTables<RequestTables>()
      .updateTable('requests')
      .set({
        plan: JSON.stringify(made.plan),
        plan_hash: made.plan.hash,
        policy_version: made.plan.policy_version,
        total_tasks: tasks,
        waits_until: waitsUntil,
      })
      .where('organization_id', '=', ref.organizationId)
      .where('id', '=', ref.requestId)
      .execute();
    const event = {
      type: 'planned' as const,
      tasks,
      approval: erases && approval === 'required',
      waitsUntil,
    };
    await options.transitions.applyIn(transaction, ref, event, { actor: 'system' });
  };

  return {
    makePlan,
    async planReceived(ref) {
      const row = await requestRow(options.db, ref);
      if (row.state !== 'received') return;
      const made = await makePlan({
        right: row.right_kind,
        dryRun: row.dry_run,
        identityTypes: row.identity_types,
      });
      await options.db.transaction().execute(async (transaction) => {
        const current = await transaction
          .withTables<RequestTables>()
          .selectFrom('requests')
          .select('state')
          .where('organization_id', '=', ref.organizationId)
          .where('id', '=', ref.requestId)
          .forNoKeyUpdate()
          .executeTakeFirstOrThrow();
        if (current.state === 'received') await freeze(transaction, ref, made);
      });
    },
    async receive(caller, ask) {
      const digest = bodyDigest(options.masterKey, ask);
      if (ask.idempotencyKey !== undefined) {
        const before = await replay(options.db, { caller, key: ask.idempotencyKey, digest });
        if (before !== undefined) return { request: before, replayed: true };
      }
      const made = await tryPlan(ask);
      const ref: RequestRef = {
        organizationId: caller.organizationId,
        requestId: newId('req', options.clock.now()),
      };
      try {
        await options.db.transaction().execute(async (transaction) => {
          await insertRequest(transaction, {
            ref,
            ask,
            caller,
            digest,
            masterKey: options.masterKey,
            now: options.clock.now(),
          });
          if (made !== undefined) await freeze(transaction, ref, made);
        });
      } catch (error) {
        // Two calls with one key at the same instant: the second one to commit sees the first one's row.
        const before =
          ask.idempotencyKey !== undefined && isUniqueViolation(error)
            ? await replay(options.db, { caller, key: ask.idempotencyKey, digest })
            : undefined;
        if (before !== undefined) return { request: before, replayed: true };
        throw error;
      }
      return { request: await requestRow(options.db, ref), replayed: false };
    },
  };
}

/** Throws NOT_FOUND outside the organization too, so that nobody learns what others have. */
export async function requestRow(db: Database, ref: RequestRef): Promise<RequestRow> {
  const row = await db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .selectAll()
    .where('organization_id', '=', ref.organizationId)
    .where('id', '=', ref.requestId)
    .executeTakeFirst();
  if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no request ${ref.requestId}.`);
  return row;
}

async function insertRequest(
  transaction: Database,
  options: {
    readonly ref: RequestRef;
    readonly ask: ReceiveOptions;
    readonly caller: Caller;
    readonly digest: Buffer;
    readonly masterKey: SecretKey;
    readonly now: Date;
  },
): Promise<void> {
  const { ref, ask, caller, now } = options;
  const tables = transaction.withTables<RequestTables>();
  if (ask.idempotencyKey !== undefined) {
    await tables
      .insertInto('idempotency_keys')
      .values({
        organization_id: ref.organizationId,
        idempotency_key: ask.idempotencyKey,
        request_id: ref.requestId,
        body_digest: options.digest,
        created_at: now,
      })
      .execute();
  }
  await tables
    .insertInto('requests')
    .values({
      organization_id: ref.organizationId,
      id: ref.requestId,
      right_kind: ask.right,
      state: 'received',
      dry_run: ask.dryRun,
      identity_types: [...identityTypes(ask.identities)],
      received_at: now,
      due_at: dueDate(now),
      open_tasks: 0,
      blocked_tasks: 0,
      total_tasks: 0,
      destruction_started: false,
      received_by: caller.actor,
    })
    .execute();
  const key = await createRequestKey(transaction, ref, options.masterKey);
  await addIdentities(transaction, ref, { key, identities: ask.identities, source: 'request' });
  const details = { right: ask.right, dry_run: ask.dryRun };
  await appendAudit(
    transaction,
    [
      {
        organizationId: ref.organizationId,
        actor: caller.actor,
        action: 'request.received',
        subject: ref.requestId,
        details,
      },
    ],
    now,
  );
  await publish(
    transaction,
    [
      {
        organizationId: ref.organizationId,
        type: 'request.received',
        requestId: ref.requestId,
        data: { ...details, state: 'received' },
      },
    ],
    now,
  );
}

async function insertPlan(
  transaction: Database,
  ref: RequestRef,
  made: { readonly plan: Plan; readonly systems: readonly PlannableSystem[] },
  now: Date,
): Promise<number> {
  const tables = transaction.withTables<RequestTables>();
  const inputs = made.systems.flatMap((system) =>
    system.inputs === undefined ? [] : [{ organization_id: ref.organizationId, ...system.inputs }],
  );
  if (inputs.length > 0)
    await tables
      .insertInto('plan_inputs')
      .values(inputs)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  const ids = new Map(made.plan.tasks.map((task) => [task.key, newId('tsk', now)]));
  const id = (key: string): string => {
    const found = ids.get(key);
    if (found === undefined)
      throw new HabeasError('INTERNAL', `The plan names a task ${key} that it does not have.`);
    return found;
  };
  const tasks = made.plan.tasks.map((task, position) => ({
    organization_id: ref.organizationId,
    id: id(task.key),
    request_id: ref.requestId,
    key: task.key,
    position,
    kind: task.kind,
    system: task.system,
    team: task.team,
    state: 'pending' as const,
    remaining: task.depends_on.length,
    attempt: 0,
    failures: 0,
    generation: 1,
  }));
  const edges = made.plan.tasks.flatMap((task) =>
    task.depends_on.map((dependency) => ({
      organization_id: ref.organizationId,
      request_id: ref.requestId,
      task_id: id(task.key),
      depends_on: id(dependency),
    })),
  );
  for (const chunk of chunks(tasks)) await tables.insertInto('tasks').values(chunk).execute();
  for (const chunk of chunks(edges)) await tables.insertInto('task_dependencies').values(chunk).execute();
  return tasks.length;
}

/** PostgreSQL takes 65,535 parameters a statement. */
function* chunks<Row>(rows: readonly Row[]): Iterable<readonly Row[]> {
  for (let start = 0; start < rows.length; start += 2_000) yield rows.slice(start, start + 2_000);
}

async function replay(
  db: Database,
  options: { readonly caller: Caller; readonly key: string; readonly digest: Buffer },
): Promise<RequestRow | undefined> {
  const { organizationId } = options.caller;
  const known = await db
    .withTables<RequestTables>()
    .selectFrom('idempotency_keys')
    .select(['request_id', 'body_digest'])
    .where('organization_id', '=', organizationId)
    .where('idempotency_key', '=', options.key)
    .executeTakeFirst();
  if (known === undefined) return undefined;
  if (!options.digest.equals(known.body_digest)) {
    throw new HabeasError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key came before with another body. Send a new key for a new request.',
    );
  }
  return requestRow(db, { organizationId, requestId: known.request_id });
}

/** Keyed: the body holds an e-mail, and a plain hash of it could be guessed. */
function bodyDigest(masterKey: SecretKey, ask: ReceiveOptions): Buffer {
  const body = {
    right: ask.right,
    dry_run: ask.dryRun,
    identities: ask.identities.map(({ type, value }) => ({ type, value })),
  };
  return createHmac('sha256', deriveKey(masterKey, 'idempotency body')).update(canonicalJson(body)).digest();
}

function identityTypes(identities: ReceiveOptions['identities']): readonly string[] {
  return [...new Set(identities.map((identity) => identity.type))].sort();
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}
