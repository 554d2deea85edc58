import type { api } from '@habeas/contract';
import { HabeasError, newId } from '../../foundation/index.ts';
import { checkAsk } from '../ask-rules.ts';
import { DEFAULT_RETRY } from '../back-off.ts';
import { bodyDigest, claimIdempotencyKeys, replay, withHashedKey } from '../idempotency.ts';
import { identityDigests, type RequestRef, sealText } from '../identity-vault.ts';
import { type Asked, insertRequests } from '../insert-requests.ts';
import type { Caller, ReceiveOptions } from '../requests.ts';
import { changesSystems } from '../rights.ts';
import type { RequestSnapshot } from '../snapshot.ts';
import { step } from '../step.ts';
import type { VerificationContext } from './context.ts';
import type { VerificationTables } from './tables.ts';

export interface InsertAsked {
  readonly caller: Caller;
  readonly ask: ReceiveOptions;
  /** Who asks for another person by themselves. */
  readonly agent?: api.Ask['agent'];
  readonly token: string;
  readonly expiresMilliseconds: number;
}

/**
 * Stores a request that has to be proved, in one transaction, or finds the one of the same idempotency key; its codes are made and
 * sent afterwards, from the outbox. The same statements run whoever is named, so that neither the answer nor its time tells whether
 * somebody is known.
 */
export async function insertAsked(
  context: VerificationContext,
  { caller, ask: given, agent, token, expiresMilliseconds }: InsertAsked,
): Promise<RequestRef> {
  const { clock, organizationId, masterKey, rules, transitions, digests } = context;
  const now = clock.now();
  const ref = { organizationId, requestId: newId('req', now) };
  const ask = withHashedKey(masterKey, given);
  checkAsk({ ...ask, targets: ask.changes?.map(({ target }) => target) });
  const asked: Asked = { ref, ask, caller, made: undefined, digest: bodyDigest(masterKey, ask) };
  const inserted = await transitions.transact(async (transaction, save) => {
    const fresh = await claimIdempotencyKeys(transaction, [asked], now);
    if (fresh.length === 0) return false;
    const [key] = await insertRequests(transaction, fresh, { masterKey, policy: context.policy, now });
    if (key === undefined) throw new HabeasError('INTERNAL', 'A request was stored without a key.');
    const tables = transaction.withTables<VerificationTables>();
    await tables
      .insertInto('verifications')
      .values({
        organization_id: organizationId,
        request_id: ref.requestId,
        state: 'open',
        required: [...rules.required],
        expires_at: new Date(now.getTime() + expiresMilliseconds),
        questions: null,
        answers: null,
        post_at: null,
        agent:
          (agent && sealText(ref, key, JSON.stringify({ name: agent.name, email: agent.email }))) || null,
        permission: agent?.permission === undefined ? null : sealText(ref, key, agent.permission),
        merged_into: null,
      })
      .execute();
    const emails = ask.identities.filter(({ type }) => type === 'email');
    const identityDigest = identityDigests(key, emails);
    const contacts = [
      ...emails.map(({ value }, index) => ({
        role: 'subject' as const,
        value,
        digest: Buffer.from(identityDigest[index] ?? '', 'base64'),
      })),
      ...(agent === undefined ? [] : [{ role: 'agent' as const, value: agent.email, digest: null }]),
    ];
    if (contacts.length > 0)
      await tables
        .insertInto('verification_contacts')
        .values(
          contacts.map(({ role, value, digest }, position) => ({
            organization_id: organizationId,
            request_id: ref.requestId,
            position,
            role,
            identity_digest: digest,
            sealed_address: sealText(ref, key, value),
            code_digest: null,
            code_expires_at: null,
            proved_at: null,
          })),
        )
        .execute();
    await tables
      .insertInto('verification_tokens')
      .values({ organization_id: organizationId, digest: digests.token(token), request_id: ref.requestId })
      .execute();
    await save([firstStep(asked, now)]);
    return true;
  });
  if (inserted) return ref;
  return { organizationId, requestId: (await replay(context.db, asked)).id };
}

function firstStep({ ref, ask: { right }, caller }: Asked, now: Date) {
  const request: RequestSnapshot = {
    id: ref.requestId,
    state: 'received',
    changesSystems: changesSystems({ right, dryRun: false }),
    heldFrom: null,
    openTasks: 0,
    blockedTasks: 0,
    destructionStarted: false,
    matched: null,
  };
  const event = { type: 'verification-asked' as const };
  const outcome = step({ request, others: [] }, event, { now, retry: DEFAULT_RETRY, random: 0 });
  if ('refused' in outcome)
    throw new HabeasError(
      'INTERNAL',
      `A new request could not be asked to prove itself: ${outcome.refused}.`,
    );
  return {
    target: ref,
    before: { request, taskRow: undefined },
    step: outcome,
    result: {},
    actor: caller.actor,
  };
}
