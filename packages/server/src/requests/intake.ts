import type { api } from '@habeas/contract';
import type { About } from '../catalog/index.ts';
import type { Systems } from '../connectors/index.ts';
import {
  type Clock,
  createGroup,
  type Database,
  HabeasError,
  type Logger,
  newId,
  type SecretKey,
} from '../foundation/index.ts';
import {
  caseOf,
  categoryRules,
  type DecidedProcedure,
  decideProcedure,
  type Policy,
} from '../policy/index.ts';
import { appealAgainst, appealOptions } from './appeal.ts';
import { checkAsk } from './ask-rules.ts';
import { DEFAULT_RETRY } from './back-off.ts';
import { holdsOfPlanned } from './holds/planned-holds.ts';
import { bodyDigest, claimIdempotencyKeys, replay, withHashedKey } from './idempotency.ts';
import type { RequestRef } from './identity-vault.ts';
import { insertPlans, type MadePlan, type Planned } from './insert-plans.ts';
import { type Asked, identityTypes, insertRequests, targetsOf } from './insert-requests.ts';
import { inPairs, type RequestRow } from './neighbourhood.ts';
import { plan } from './plan.ts';
import { NO_ORDER, type Order } from './plans/sequence.ts';
import { requestRow } from './read-requests.ts';
import type { Caller, ReceiveOptions } from './requests.ts';
import { changesSystems } from './rights.ts';
import type { RequestSnapshot } from './snapshot.ts';
import { step } from './step.ts';
import { REQUEST_COLUMNS, type RequestTables } from './tables.ts';
import { aboutOf, checkTenant } from './tenant.ts';
import type { SaveSteps, Transitions } from './transitions.ts';

export interface IntakeOptions {
  readonly db: Database;
  readonly transitions: Transitions;
  readonly systems: Pick<Systems, 'plannable' | 'blindSpots'>;
  readonly policy: Policy;
  readonly order?: Order;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Intake {
  receive(
    caller: Caller,
    options: ReceiveOptions,
  ): Promise<{ readonly request: RequestRow; readonly replayed: boolean }>;
  /**
   * The appeal against a request that was denied, in whole or in part: the same once more, to be decided anew, with a deadline of its
   * own. Made once. Throws CONFLICT where nothing was denied, the request is forgotten, or its law knows no appeal.
   */
  appeal(
    caller: Caller,
    requestId: string,
  ): Promise<{ readonly request: RequestRow; readonly replayed: boolean }>;
  /** Freezes the plan of a request that was only received. */
  planReceived(ref: RequestRef): Promise<void>;
  makePlan(options: {
    readonly right: api.Right;
    readonly identityTypes: readonly string[];
    readonly dryRun: boolean;
    readonly regime?: api.Regime | undefined;
    readonly subjectKind?: api.SubjectKind | undefined;
    /** (Default: what its identity types point at) */
    readonly about?: About | undefined;
    /** Whether it is an appeal, which a person decides. (Default: false) */
    readonly appeal?: boolean | undefined;
    readonly targets?: readonly string[] | undefined;
    readonly purposes?: readonly string[] | undefined;
    readonly lift?: boolean | undefined;
  }): Promise<MadePlan>;
}

/** More members would make each wait longer without making the group cheaper. */
const GROUP_LIMIT = 64;

const NEW_REQUEST: Omit<RequestSnapshot, 'id' | 'changesSystems'> = {
  state: 'received',
  heldFrom: null,
  openTasks: 0,
  blockedTasks: 0,
  destructionStarted: false,
  matched: null,
};

export function createIntake(options: IntakeOptions): Intake {
  const makePlan: Intake['makePlan'] = async (ask) => {
    const { policy } = options;
    const request = caseOf(policy, ask);
    const rules = categoryRules({ rules: policy.rules, request, now: options.clock.now() });
    const [systems, blindSpots] = await Promise.all([
      options.systems.plannable(rules),
      options.systems.blindSpots(),
    ]);
    const decided = procedureView(decideProcedure(policy.rules, request), request.right);
    const about = ask.about ?? aboutOf(policy, ask.identityTypes);
    // Whatever the rules say: so much is destroyed by nobody alone, and an appeal is what somebody has to decide anew.
    const asks = about === 'tenant' || ask.appeal === true;
    const procedure = asks ? { ...decided, approval: 'required' as const } : decided;
    const made = plan({
      ...ask,
      about,
      ...request,
      procedure,
      rules,
      systems,
      blindSpots,
      policyVersion: policy.version,
      order: options.order ?? NO_ORDER,
    });
    return { systems, plan: made };
  };

  /** A request is acknowledged even if no plan can be made now; the reconciler plans it later. */
  const tryPlan = async (ask: ReceiveOptions, appeal: boolean): Promise<MadePlan | undefined> => {
    try {
      return await makePlan({
        right: ask.right,
        dryRun: ask.dryRun,
        identityTypes: identityTypes(ask.identities),
        regime: ask.regime,
        subjectKind: ask.subjectKind,
        targets: targetsOf(ask),
        purposes: ask.purposes,
        lift: ask.lift,
        appeal,
      });
    } catch (error) {
      options.logger.warn({ err: error }, 'a request was received but cannot be planned yet');
      return undefined;
    }
  };

  const insertAll = async (
    transaction: Database,
    save: SaveSteps,
    asked: readonly Asked[],
  ): Promise<readonly (RequestRow | undefined)[]> => {
    const now = options.clock.now();
    const fresh = await claimIdempotencyKeys(transaction, asked, now);
    await insertRequests(transaction, fresh, {
      masterKey: options.masterKey,
      policy: options.policy,
      now,
    });
    const planned = fresh.flatMap(({ ref, made }) => (made === undefined ? [] : [{ ref, made }]));
    await freeze(transaction, save, planned);
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
    // undefined where the request existed already.
    return asked.map(({ ref }) => byId.get(ref.requestId));
  };

  /** Inserts plans and takes the first step of each request. The step is computed from what was just inserted; nothing is read back. */
  const freeze = async (
    transaction: Database,
    save: SaveSteps,
    planned: readonly Planned[],
  ): Promise<void> => {
    const now = options.clock.now();
    const inserted = await insertPlans(transaction, planned, now, (plan) => {
      const waits = plan.dry_run ? 0 : (plan.procedure?.wait_seconds ?? 0);
      return waits > 0 ? new Date(now.getTime() + waits * 1_000) : null;
    });
    const systemsOf = new Map(planned.map(({ ref, made }) => [ref.requestId, made.systems]));
    const changing = inserted.filter(({ plan }) =>
      changesSystems({ right: plan.right, dryRun: plan.dry_run }),
    );
    const holds = await holdsOfPlanned(
      transaction,
      changing.map(({ ref, plan }) => ({ ref, plan, systems: systemsOf.get(ref.requestId) ?? [] })),
      options.masterKey,
    );
    const steps = inserted.map(({ ref, plan, roots, waitsUntil }) => {
      const request: RequestSnapshot = {
        ...NEW_REQUEST,
        id: ref.requestId,
        changesSystems: changesSystems({ right: plan.right, dryRun: plan.dry_run }),
      };
      const asks = !plan.dry_run && plan.procedure?.approval === 'required';
      const event = {
        type: 'planned' as const,
        tasks: plan.tasks.length,
        approval: asks,
        waitsUntil,
        legalHolds: holds.get(ref.requestId) ?? [],
      };
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
    await save(steps);
  };

  const grouped = createGroup<Asked, RequestRow | undefined>({
    limit: GROUP_LIMIT,
    keyOf: ({ ref, caller, ask }) =>
      ask.idempotencyKey === undefined ? ref.requestId : `${caller.organizationId}/${ask.idempotencyKey}`,
    run: (asked) => options.transitions.transact((transaction, save) => insertAll(transaction, save, asked)),
  });

  const receive = async (
    caller: Caller,
    given: ReceiveOptions,
    appealOf?: string,
  ): ReturnType<Intake['receive']> => {
    checkAsk({ ...given, targets: targetsOf(given) });
    checkTenant({
      policy: options.policy,
      right: given.right,
      identityTypes: identityTypes(given.identities),
    });
    const ask = withHashedKey(options.masterKey, given);
    const asked: Asked = {
      caller,
      ask,
      made: await tryPlan(ask, appealOf !== undefined),
      digest: bodyDigest(options.masterKey, ask),
      ref: { organizationId: caller.organizationId, requestId: newId('req', options.clock.now()) },
      appealOf,
    };
    const request = await grouped(asked);
    if (request !== undefined) return { request, replayed: false };
    return { request: await replay(options.db, asked), replayed: true };
  };

  return {
    makePlan,
    receive: (caller, given) => receive(caller, given),
    async appeal(caller, requestId) {
      const ref = { organizationId: caller.organizationId, requestId };
      const known = await appealAgainst(options.db, ref);
      if (known !== undefined) return { request: known, replayed: true };
      return receive(caller, await appealOptions({ ...options, ref }), requestId);
    },
    async planReceived(ref) {
      const row = await requestRow(options.db, ref);
      if (row.state !== 'received') return;
      const made = await makePlan({
        right: row.right_kind,
        dryRun: row.dry_run,
        identityTypes: row.identity_types,
        regime: row.regime ?? undefined,
        subjectKind: row.subject_kind ?? undefined,
        about: row.about,
        targets: row.targets,
        purposes: row.purposes,
        lift: row.lift,
        appeal: row.appeal_of !== null,
      });
      await options.transitions.transact(async (transaction, save) => {
        const current = await transaction
          .withTables<RequestTables>()
          .selectFrom('requests')
          .select('state')
          .where('organization_id', '=', ref.organizationId)
          .where('id', '=', ref.requestId)
          .forNoKeyUpdate()
          .executeTakeFirstOrThrow();
        if (current.state === 'received') await freeze(transaction, save, [{ ref, made }]);
      });
    },
  };
}

function procedureView(procedure: DecidedProcedure, right: api.Right): api.ProcedureView {
  return {
    wait_seconds: Math.ceil(procedure.waitMilliseconds.value / 1_000),
    approval: procedure.approval.value,
    approvers: [...procedure.approvers.value],
    ...(procedure.fourEyesAbove.value === null ? {} : { four_eyes_above: procedure.fourEyesAbove.value }),
    ...(right === 'portability' ? { portable: procedure.portable.value } : {}),
    owner: procedure.owner.value,
  };
}
