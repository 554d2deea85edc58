import { appendAudit } from '../audit/index.ts';
import type { Database, SecretKey } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import { type DeadlineRules, deadlineOf } from '../policy/index.ts';
import { addIdentities, createRequestKeys, type RequestRef } from './identity-vault.ts';
import type { MadePlan } from './insert-plans.ts';
import type { Caller, ReceiveOptions } from './requests.ts';
import type { RequestTables } from './tables.ts';

/** A request that came in. */
export interface Asked {
  readonly ref: RequestRef;
  readonly caller: Caller;
  readonly ask: ReceiveOptions;
  /** undefined: no plan could be made now. */
  readonly made: MadePlan | undefined;
  readonly digest: Buffer;
}

/** Stores new requests, their identities sealed, with their audit entries and events. */
export async function insertRequests(
  transaction: Database,
  asked: readonly Asked[],
  options: { readonly masterKey: SecretKey; readonly deadlines: DeadlineRules; readonly now: Date },
): Promise<void> {
  if (asked.length === 0) return;
  const { now } = options;
  const { dueAt } = deadlineOf({ ...options.deadlines, receivedAt: now });
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
        due_at: dueAt,
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

/** The types of the identities, each once, in order. */
export function identityTypes(identities: ReceiveOptions['identities']): readonly string[] {
  return [...new Set(identities.map((identity) => identity.type))].sort();
}
