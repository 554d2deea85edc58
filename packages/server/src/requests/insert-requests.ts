import type { api } from '@habeas/contract';
import { appendAudit } from '../audit/index.ts';
import { type Database, HabeasError, newSecretKey, type SecretKey, together } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import {
  caseOf,
  deadlineOf,
  decideProcedure,
  freezeDeadlineRules,
  type Policy,
  type TermsAsked,
} from '../policy/index.ts';
import { addChanges } from './change-vault.ts';
import { nextAlertAt, runningTerms } from './deadlines/alert-levels.ts';
import { addIdentities, type RequestRef, storeRequestKeys } from './identity-vault.ts';
import type { MadePlan } from './insert-plans.ts';
import type { Caller, ReceiveOptions } from './requests.ts';
import type { RequestTables } from './tables.ts';
import { aboutOf } from './tenant.ts';

/** A request that came in. */
export interface Asked {
  readonly ref: RequestRef;
  readonly caller: Caller;
  readonly ask: ReceiveOptions;
  /** undefined: no plan could be made now. */
  readonly made: MadePlan | undefined;
  readonly digest: Buffer;
  /** The denied request that it is an appeal against. (Default: none) */
  readonly appealOf?: string | undefined;
}

/** Stores new requests, their identities sealed, with their audit entries and events. Gives the key of each. */
export async function insertRequests(
  transaction: Database,
  asked: readonly Asked[],
  options: { readonly masterKey: SecretKey; readonly policy: Policy; readonly now: Date },
): Promise<readonly SecretKey[]> {
  if (asked.length === 0) return [];
  const { now, policy } = options;
  const keys = asked.map(({ ref }) => ({ ref, key: newSecretKey() }));
  const withKeys = asked.flatMap((one, index) => {
    const key = keys[index];
    return key === undefined ? [] : [{ ...one, ...key }];
  });
  const details = ({ ask, appealOf }: Asked) => {
    const { regime, subject_kind } = lawOf(policy, ask);
    const appeal = appealOf === undefined ? {} : { appeal_of: appealOf };
    return { right: ask.right, dry_run: ask.dryRun, regime, subject_kind, ...appeal };
  };
  await together(transaction, (pipelined) => [
    insertRows(pipelined, asked, options),
    storeRequestKeys(pipelined, keys, options.masterKey),
    addIdentities(
      pipelined,
      withKeys.flatMap(({ ref, ask, key }) =>
        ask.identities.map((identity) => ({ ref, key, identity, source: 'request' })),
      ),
    ),
    addChanges(
      pipelined,
      withKeys.flatMap(({ ref, ask: { changes }, key }) =>
        changes === undefined ? [] : [{ ref, key, changes }],
      ),
    ),
    appendAudit(
      pipelined,
      asked.map((one) => ({
        organizationId: one.ref.organizationId,
        actor: one.caller.actor,
        action: 'request.received',
        subject: one.ref.requestId,
        details: details(one),
      })),
      now,
    ),
    publish(
      pipelined,
      asked.map((one) => ({
        organizationId: one.ref.organizationId,
        type: 'request.received',
        requestId: one.ref.requestId,
        data: { ...details(one), state: 'received' },
      })),
      now,
    ),
  ]);
  return keys.map(({ key }) => key);
}

async function insertRows(
  transaction: Database,
  asked: readonly Asked[],
  { policy, now }: { readonly policy: Policy; readonly now: Date },
): Promise<void> {
  const termsOf = termsByCase(policy, now);
  await transaction
    .withTables<RequestTables>()
    .insertInto('requests')
    .values(
      asked.map(({ ref, ask, caller, appealOf }) => ({
        ...lawOf(policy, ask),
        ...termsOf({
          regime: ask.regime ?? policy.defaultRegime,
          right: ask.right,
          appeal: appealOf !== undefined,
        }),
        appeal_of: appealOf ?? null,
        organization_id: ref.organizationId,
        id: ref.requestId,
        right_kind: ask.right,
        about: aboutOf(policy, identityTypes(ask.identities)),
        state: 'received' as const,
        dry_run: ask.dryRun,
        identity_types: [...identityTypes(ask.identities)],
        targets: [...targetsOf(ask)],
        purposes: [...new Set(ask.purposes)].sort(),
        lift: ask.lift === true,
        received_at: now,
        open_tasks: 0,
        blocked_tasks: 0,
        total_tasks: 0,
        destruction_started: false,
        received_by: caller.actor,
        language: ask.language ?? null,
      })),
    )
    .execute();
}

function lawOf(policy: Policy, ask: ReceiveOptions) {
  const request = caseOf(policy, ask);
  return {
    regime: request.regime,
    subject_kind: request.subjectKind,
    owner: decideProcedure(policy.rules, request).owner.value,
  };
}

/** Requests that come together are under few laws: each law's days are counted once. */
function termsByCase(policy: Policy, now: Date) {
  const known = new Map<
    string,
    Pick<RequestTables['requests'], 'due_at' | 'acknowledge_by' | 'deadline_rules' | 'next_alert_at'>
  >();
  return (asked: TermsAsked & { readonly regime: api.Regime }) => {
    const { regime, right, appeal } = asked;
    const name = `${regime} ${right} ${appeal}`;
    const found = known.get(name);
    if (found !== undefined) return found;
    const rules = freezeDeadlineRules(policy.deadlinesOf(regime), asked);
    if (rules === undefined) throw new HabeasError('INTERNAL', `The law ${regime} knows no appeal.`);
    const { dueAt, acknowledgeBy } = deadlineOf({ ...rules, receivedAt: now });
    const running = { receivedAt: now, dueAt, acknowledgeBy, acknowledgedAt: null, clockStoppedAt: null };
    const terms = {
      due_at: dueAt,
      acknowledge_by: acknowledgeBy,
      deadline_rules: JSON.stringify(rules),
      next_alert_at: nextAlertAt(runningTerms(running), now),
    };
    known.set(name, terms);
    return terms;
  };
}

/** The types of the identities, each once, in order. */
export function identityTypes(identities: ReceiveOptions['identities']): readonly string[] {
  return [...new Set(identities.map((identity) => identity.type))].sort();
}

/** What a rectification changes, each once, in order; no values. */
export function targetsOf(ask: Pick<ReceiveOptions, 'changes'>): readonly string[] {
  return [...new Set(ask.changes?.map((change) => change.target))].sort();
}
