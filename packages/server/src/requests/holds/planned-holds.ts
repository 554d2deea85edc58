import type { PlannableSystem } from '../../connectors/index.ts';
import { type Database, type SecretKey, together } from '../../foundation/index.ts';
import { loadIdentities, loadRequestKey, type RequestRef } from '../identity-vault.ts';
import type { Plan } from '../plan.ts';
import { activeHolds, holdDigest, holdsOnIdentities, mayHold, shareHolds } from './covering-holds.ts';

/** A request that was just planned. */
export interface JustPlanned {
  readonly ref: RequestRef;
  readonly plan: Plan;
  readonly systems: readonly PlannableSystem[];
}

/** The holds that cover new requests, by request id. Without holds in force it costs two statements, however many requests. */
export async function holdsOfPlanned(
  transaction: Database,
  planned: readonly JustPlanned[],
  masterKey: SecretKey,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const [organizationId, own] of Map.groupBy(planned, ({ ref }) => ref.organizationId)) {
    const [, holds] = await together(transaction, (pipelined) => [
      shareHolds(pipelined, organizationId),
      activeHolds(pipelined, organizationId),
    ]);
    if (holds.length === 0) continue;
    for (const { ref, plan, systems } of own) {
      const key = await loadRequestKey(transaction, ref, masterKey);
      const identities = await loadIdentities(transaction, ref, key);
      const digests = identities.map((identity) => holdDigest(masterKey, organizationId, identity));
      const onPerson = await holdsOnIdentities(transaction, organizationId, digests);
      const types = identities.map(({ type }) => type);
      const acted = new Set(plan.tasks.map((task) => task.system));
      const covers = holds.filter((hold) => {
        if (hold.scope === 'organization') return true;
        if (hold.scope === 'subject') return onPerson.has(hold.id);
        if (hold.scope === 'system') return acted.has(hold.system);
        return systems.some((system) => acted.has(system.key) && mayHold(system, hold.category ?? '', types));
      });
      if (covers.length > 0)
        found.set(
          ref.requestId,
          covers.map(({ id }) => id),
        );
    }
  }
  return found;
}
