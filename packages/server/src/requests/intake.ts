import { createHmac } from 'node:crypto';
import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { appendAudit, canonicalJson } from '../audit/index.ts';
import type { PlannableSystem, Systems } from '../connectors/index.ts';
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
import { DEFAULT_RETRY } from './back-off.ts';
import { createGroup } from './group.ts';
import { addIdentities, createRequestKeys, type RequestRef } from './identity-vault.ts';
import { inPairs, type RequestRow } from './neighbourhood.ts';
import { type Plan, plan } from './plan.ts';
import type { Caller, ReceiveOptions } from './requests.ts';
import { type RequestSnapshot, step, type TaskSnapshot } from './step.ts';
import { REQUEST_COLUMNS, type RequestTables } from './tables.ts';
import type { Transitions } from './transitions.ts';

export interface IntakeOptions {
  readonly db: Database;
  readonly transitions: Transitions;
  readonly systems: Pick<Systems, 'plannable' | 'blindSpots'>;
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
  }): Promise<MadePlan>;
}

/** More members would make each wait longer without making the group cheaper. */
const GROUP_LIMIT = 64;

const NEW_REQUEST: Omit<RequestSnapshot, 'id' | 'erases'> = {
  state: 'received',
  heldFrom: null,
  openTasks: 0,
  blockedTasks: 0,
  destructionStarted: false,
  matched: null,
};

interface MadePlan {
  readonly plan: Plan;
  readonly systems: readonly PlannableSystem[];
}

interface Planned {
  readonly ref: RequestRef;
  readonly made: MadePlan;
}

interface Asked {
  readonly ref: RequestRef;
  readonly caller: Caller;
  readonly ask: ReceiveOptions;
  /** undefined: no plan could be made now. */
  readonly made: MadePlan | undefined;
  readonly digest: Buffer;
}

export function createIntake(options: IntakeOptions): Intake {
  const makePlan: Intake['makePlan'] = async (ask) => {
    const [systems, blindSpots] = await Promise.all([
      options.systems.plannable(),
      options.systems.blindSpots(),
    ]);
    return { systems, plan: plan({ ...ask, systems, blindSpots, policyVersion: options.policy.version }) };
  };

  /** A request is acknowledged even if no plan can be made now; the reconciler plans it later. */
  const tryPlan = async (ask: ReceiveOptions): Promise<MadePlan | undefined> => {
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

  const insertAll = async (
    transaction: Database,
    asked: readonly Asked[],
  ): Promise<readonly (RequestRow | undefined)[]> => {
    const now = options.clock.now();
    const fresh = await claimIdempotencyKeys(transaction, asked, now);
    await insertRequests(transaction, fresh, { masterKey: options.masterKey, now });
    const planned = fresh.flatMap(({ ref, made }) => (made === undefined ? [] : [{ ref, made }]));
    await freeze(transaction, planned);
    const rows = await transaction
      .withTables<RequestTables>()
      .selectFrom('requests')
      .select(REQUEST_COLUMNS)
      .where(
        inPairs(
          'organization_id',
          'id',
          fresh.map(({ ref }) => [ref.organizationId, ref.requestId]),
        ),
      )
      .execute();
    const byId = new Map(rows.map((row) => [row.id, row]));
    return asked.map(({ ref }) => byId.get(ref.requestId));
  };

  /** Inserts plans and takes the first step of each request. The step is computed from what was just inserted; nothing is read back. */
  const freeze = async (transaction: Database, planned: readonly Planned[]): Promise<void> => {
    const now = options.clock.now();
    const { waitMilliseconds, approval } = options.policy.erasure;
    const inserted = await insertPlans(transaction, planned, now, (plan) => {
      const erases = plan.right === 'erasure' && !plan.dry_run;
      return erases && waitMilliseconds > 0 ? new Date(now.getTime() + waitMilliseconds) : null;
    });
    const steps = inserted.map(({ ref, plan, roots, waitsUntil }) => {
      const request: RequestSnapshot = {
        ...NEW_REQUEST,
        id: ref.requestId,
        erases: plan.right === 'erasure' && !plan.dry_run,
      };
      const asks = plan.right === 'erasure' && !plan.dry_run && approval === 'required';
      const event = { type: 'planned' as const, tasks: plan.tasks.length, approval: asks, waitsUntil };
      const outcome = step({ request, others: roots }, event, { now, retry: DEFAULT_RETRY, random: 0 });
      if ('refused' in outcome)
        throw new HabeasError('INTERNAL', `A new request could not be planned: ${outcome.refused}.`);
      return {
        target: ref,
        before: { request, taskRow: undefined },
        step: outcome,
        result: {},
        actor: 'system',
      };
    });
    await options.transitions.save(transaction, steps);
  };

  const grouped = createGroup<Asked, RequestRow | undefined>({
    limit: GROUP_LIMIT,
    keyOf: ({ ref, caller, ask }) =>
      ask.idempotencyKey === undefined ? ref.requestId : `${caller.organizationId}/${ask.idempotencyKey}`,
    run: (asked) => options.db.transaction().execute((transaction) => insertAll(transaction, asked)),
  });

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
        if (current.state === 'received') await freeze(transaction, [{ ref, made }]);
      });
    },
    async receive(caller, given) {
      const ask = withHashedKey(options.masterKey, given);
      const asked: Asked = {
        caller,
        ask,
        made: await tryPlan(ask),
        digest: bodyDigest(options.masterKey, ask),
        ref: { organizationId: caller.organizationId, requestId: newId('req', options.clock.now()) },
      };
      const request = await grouped(asked);
      if (request !== undefined) return { request, replayed: false };
      return { request: await replay(options.db, asked), replayed: true };
    },
  };
}

/** Throws NOT_FOUND outside the organization too, so that nobody learns what others have. */
export async function requestRow(db: Database, ref: RequestRef): Promise<RequestRow> {
  const row = await db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select(REQUEST_COLUMNS)
    .where('organization_id', '=', ref.organizationId)
    .where('id', '=', ref.requestId)
    .executeTakeFirst();
  if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no request ${ref.requestId}.`);
  return row;
}

/** Requests whose Idempotency-Key is new, or that have none. A key that another transaction is just using is waited for. */
async function claimIdempotencyKeys(
  transaction: Database,
  asked: readonly Asked[],
  now: Date,
): Promise<readonly Asked[]> {
  // In one order in every process, so that two of them cannot wait for each other.
  const keyed = asked
    .filter(({ ask }) => ask.idempotencyKey !== undefined)
    .sort((a, b) => ((a.ask.idempotencyKey ?? '') < (b.ask.idempotencyKey ?? '') ? -1 : 1));
  if (keyed.length === 0) return asked;
  const claimed = await transaction
    .withTables<RequestTables>()
    .insertInto('idempotency_keys')
    .values(
      keyed.map(({ ref, ask, digest }) => ({
        organization_id: ref.organizationId,
        idempotency_key: ask.idempotencyKey ?? '',
        request_id: ref.requestId,
        body_digest: digest,
        created_at: now,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('request_id')
    .execute();
  const fresh = new Set(claimed.map((row) => row.request_id));
  return asked.filter(({ ref, ask }) => ask.idempotencyKey === undefined || fresh.has(ref.requestId));
}

async function insertRequests(
  transaction: Database,
  asked: readonly Asked[],
  options: { readonly masterKey: SecretKey; readonly now: Date },
): Promise<void> {
  if (asked.length === 0) return;
  const { now } = options;
  await transaction
    .withTables<RequestTables>()
    .insertInto('requests')
    .values(
      asked.map(({ ref, ask, caller }) => ({
        organization_id: ref.organizationId,
        id: ref.requestId,
        right_kind: ask.right,
        state: 'received' as const,
        dry_run: ask.dryRun,
        identity_types: [...identityTypes(ask.identities)],
        received_at: now,
        due_at: dueDate(now),
        open_tasks: 0,
        blocked_tasks: 0,
        total_tasks: 0,
        destruction_started: false,
        received_by: caller.actor,
      })),
    )
    .execute();
  const keys = await createRequestKeys(
    transaction,
    asked.map(({ ref }) => ref),
    options.masterKey,
  );
  await addIdentities(
    transaction,
    asked.flatMap(({ ref, ask }, index) => {
      const key = keys[index];
      return key === undefined
        ? []
        : ask.identities.map((identity) => ({ ref, key, identity, source: 'request' }));
    }),
  );
  const details = ({ ask }: Asked) => ({ right: ask.right, dry_run: ask.dryRun });
  await appendAudit(
    transaction,
    asked.map((one) => ({
      organizationId: one.ref.organizationId,
      actor: one.caller.actor,
      action: 'request.received',
      subject: one.ref.requestId,
      details: details(one),
    })),
    now,
  );
  await publish(
    transaction,
    asked.map((one) => ({
      organizationId: one.ref.organizationId,
      type: 'request.received',
      requestId: one.ref.requestId,
      data: { ...details(one), state: 'received' },
    })),
    now,
  );
}

interface InsertedPlan {
  readonly ref: RequestRef;
  readonly plan: Plan;
  /** Tasks that wait for nothing. */
  readonly roots: readonly TaskSnapshot[];
  readonly waitsUntil: Date | null;
}

async function insertPlans(
  transaction: Database,
  planned: readonly Planned[],
  now: Date,
  waitsUntil: (plan: Plan) => Date | null,
): Promise<readonly InsertedPlan[]> {
  if (planned.length === 0) return [];
  const tables = transaction.withTables<RequestTables>();
  const inputs = new Map(
    planned.flatMap(({ ref, made }) =>
      made.systems.flatMap((system) =>
        system.inputs === undefined
          ? []
          : [
              [
                `${ref.organizationId}/${system.inputs.hash}`,
                { organization_id: ref.organizationId, ...system.inputs },
              ] as const,
            ],
      ),
    ),
  );
  if (inputs.size > 0)
    await tables
      .insertInto('plan_inputs')
      .values([...inputs.values()])
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  const rows = planned.map(({ ref, made }) => ({
    ref,
    plan: made.plan,
    waitsUntil: waitsUntil(made.plan),
    ...planRows(ref, made.plan, now),
  }));
  await sql`
    update requests as r set plan = c.plan, plan_hash = c.plan_hash, policy_version = c.policy_version, total_tasks = c.total_tasks, waits_until = c.waits_until
    from jsonb_to_recordset(${JSON.stringify(
      rows.map(({ ref, plan, waitsUntil }) => ({
        organization_id: ref.organizationId,
        id: ref.requestId,
        plan: JSON.stringify(plan),
        plan_hash: plan.hash,
        policy_version: plan.policy_version,
        total_tasks: plan.tasks.length,
        waits_until: waitsUntil,
      })),
    )}::jsonb) as c (organization_id text, id text, plan text, plan_hash text, policy_version text, total_tasks integer, waits_until timestamptz)
    where r.organization_id = c.organization_id and r.id = c.id`.execute(transaction);
  for (const chunk of chunks(rows.flatMap(({ tasks }) => tasks)))
    await tables.insertInto('tasks').values(chunk).execute();
  for (const chunk of chunks(rows.flatMap(({ edges }) => edges)))
    await tables.insertInto('task_dependencies').values(chunk).execute();
  return rows.map(({ ref, plan, waitsUntil, tasks }) => ({
    ref,
    plan,
    waitsUntil,
    roots: tasks.filter((task) => task.remaining === 0),
  }));
}

function planRows(ref: RequestRef, plan: Plan, now: Date) {
  const ids = new Map(plan.tasks.map((task) => [task.key, newId('tsk', now)]));
  const id = (key: string): string => {
    const found = ids.get(key);
    if (found === undefined)
      throw new HabeasError('INTERNAL', `The plan names a task ${key} that it does not have.`);
    return found;
  };
  return {
    tasks: plan.tasks.map((task, position) => ({
      organization_id: ref.organizationId,
      id: id(task.key),
      request_id: ref.requestId,
      key: task.key,
      position,
      kind: task.kind,
      system: task.system,
      team: task.team,
      inputs: task.system === null ? null : (plan.inputs[task.system] ?? null),
      state: 'pending' as const,
      remaining: task.depends_on.length,
      attempt: 0,
      failures: 0,
      generation: 1,
    })),
    edges: plan.tasks.flatMap((task) =>
      task.depends_on.map((dependency) => ({
        organization_id: ref.organizationId,
        request_id: ref.requestId,
        task_id: id(task.key),
        depends_on: id(dependency),
      })),
    ),
  };
}

/** PostgreSQL takes 65,535 parameters a statement. */
function* chunks<Row>(rows: readonly Row[]): Iterable<readonly Row[]> {
  for (let start = 0; start < rows.length; start += 2_000) yield rows.slice(start, start + 2_000);
}

/** The request that this Idempotency-Key made before. */
async function replay(db: Database, asked: Asked): Promise<RequestRow> {
  const { organizationId } = asked.caller;
  const known = await db
    .withTables<RequestTables>()
    .selectFrom('idempotency_keys')
    .select(['request_id', 'body_digest'])
    .where('organization_id', '=', organizationId)
    .where('idempotency_key', '=', asked.ask.idempotencyKey ?? '')
    .executeTakeFirstOrThrow();
  if (!asked.digest.equals(known.body_digest)) {
    throw new HabeasError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key came before with another body. Send a new key for a new request.',
    );
  }
  return requestRow(db, { organizationId, requestId: known.request_id });
}

/** The frozen plan; undefined while there is none. */
export async function requestPlan(db: Database, ref: RequestRef): Promise<Plan | undefined> {
  const row = await db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select('plan')
    .where('organization_id', '=', ref.organizationId)
    .where('id', '=', ref.requestId)
    .executeTakeFirst();
  if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no request ${ref.requestId}.`);
  return row.plan === null ? undefined : JSON.parse(row.plan);
}

/** Callers choose their Idempotency-Keys, and some choose an e-mail address: what is stored is a keyed hash. */
function withHashedKey(masterKey: SecretKey, ask: ReceiveOptions): ReceiveOptions {
  if (ask.idempotencyKey === undefined) return ask;
  const hmac = createHmac('sha256', deriveKey(masterKey, 'idempotency key'));
  return { ...ask, idempotencyKey: hmac.update(ask.idempotencyKey).digest('base64url') };
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
