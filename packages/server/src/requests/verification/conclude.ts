import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { type Database, HabeasError } from '../../foundation/index.ts';
import type { Proof } from '../event.ts';
import { loadRequestKey, openIdentity, type RequestRef } from '../identity-vault.ts';
import type { RequestTables } from '../tables.ts';
import { missingChecks, proofOf } from './checks.ts';
import { type ConclusionContext, PERSON } from './context.ts';
import { type Case, loadCase, progressOf } from './read-case.ts';
import type { VerificationTables } from './tables.ts';

/** Goes on with somebody who got further: the next check, or the request begins. */
export async function advance(context: ConclusionContext, ref: RequestRef): Promise<void> {
  const one = await loadCase(context.db, ref);
  const { verification } = one;
  if (verification.state === 'ended' || one.request.state !== 'verifying') return;
  const progress = progressOf(one);
  const missing = missingChecks(verification.required, progress);
  if (missing.length === 0) {
    await setState(context.db, ref, 'proved');
    await conclude(context, one, {
      by: proofOf(verification.required, progress),
      actor: 'system',
      reason: null,
    });
  } else if (missing[0] === 'questions' && verification.questions_state === 'none') {
    await context.db
      .withTables<VerificationTables>()
      .updateTable('verifications')
      .set({ questions_state: 'due', post_at: context.clock.now() })
      .where('organization_id', '=', ref.organizationId)
      .where('request_id', '=', ref.requestId)
      .where('questions_state', '=', 'none')
      .execute();
  }
}

export interface Conclusion {
  readonly by: Proof;
  readonly actor: string;
  /** Of an officer. */
  readonly reason: string | null;
  /** Of a partner: whom it verified. */
  readonly vouched?: readonly api.Identity[];
}

/**
 * It is proved who asks: what they only claimed besides is dropped, and the request begins, or joins the one of the same person
 * that is under way for the same. Gives false where the request does not wait for proof any more. Safe to repeat.
 */
export async function conclude(
  context: ConclusionContext,
  one: Case,
  { by, actor, reason, vouched }: Conclusion,
): Promise<boolean> {
  const { ref } = one;
  const { db } = context;
  const identities = await storedIdentities(context, ref);
  // Whoever looked at the whole of it vouches for the whole; a code proves the one address that it went to.
  const whole = by === 'officer' || by === 'questions';
  const proved =
    vouched === undefined
      ? identities.filter(({ digest, source }) => whole || source !== 'request' || isProved(one, digest))
      : namedOf(one, identities, vouched);
  if (proved.length === 0)
    throw new HabeasError('CONFLICT', `Request ${ref.requestId} names nobody whom it could be about.`);
  const holder = await claimSubject(
    context,
    one,
    proved.map(({ identity }) => identity),
  );
  const also = async (transaction: Database) => {
    await keepProved(transaction, ref, proved);
    await clear(transaction, ref, holder === ref.requestId ? null : holder);
  };
  const event =
    holder === ref.requestId
      ? ({ type: 'verified', by, reason } as const)
      : ({ type: 'merged', into: holder } as const);
  const applied = await context.transitions.apply(ref, event, { actor, also });
  if (!applied.applied) {
    await setState(db, ref, 'ended');
    return false;
  }
  if (event.type === 'verified') await planSoon(context, ref);
  return true;
}

/** The stored ones of those that are vouched for. Throws CONFLICT where the request does not name one of them. */
function namedOf(
  { ref }: Case,
  stored: readonly Stored[],
  vouched: readonly api.Identity[],
): readonly Stored[] {
  return vouched.map(({ type, value }) => {
    const found = stored.find(({ identity }) => identity.type === type && identity.value === value);
    if (found === undefined)
      throw new HabeasError(
        'CONFLICT',
        `Request ${ref.requestId} does not name everybody who is vouched for.`,
      );
    return found;
  });
}

interface Stored {
  readonly identity: api.Identity;
  readonly digest: Uint8Array;
  readonly source: string;
}

function isProved({ contacts }: Case, digest: Uint8Array): boolean {
  return contacts.some(
    ({ identity_digest, proved_at }) =>
      proved_at !== null && identity_digest !== null && Buffer.compare(identity_digest, digest) === 0,
  );
}

async function storedIdentities(context: ConclusionContext, ref: RequestRef): Promise<readonly Stored[]> {
  const key = await loadRequestKey(context.db, ref, context.masterKey);
  const rows = await context.db
    .withTables<RequestTables>()
    .selectFrom('request_identities')
    .select(['digest', 'type', 'sealed_value', 'source'])
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .orderBy('position')
    .execute();
  return rows.map(({ digest, type, sealed_value, source }) => ({
    identity: openIdentity(ref, key, { type, sealed: sealed_value }),
    digest,
    source,
  }));
}

/**
 * The request that stands for this person and right: this one, unless another one that was proved before is still under way. Only
 * here are two requests compared, after the proof: whoever only claims to be somebody learns nothing of them, and stops nothing. What
 * a partner asks for is answered to that partner, so that it stands beside what the person asks for.
 */
async function claimSubject(
  context: ConclusionContext,
  { ref, request }: Case,
  identities: readonly api.Identity[],
): Promise<string> {
  if (request.received_by !== PERSON) return ref.requestId;
  const { db, digests } = context;
  const subject = digests.subject(ref.organizationId, identities);
  const { rows } = await sql<{ readonly request_id: string }>`
    insert into verified_subjects as s (organization_id, right_kind, subject, request_id)
    values (${ref.organizationId}, ${request.right_kind}, ${subject}, ${ref.requestId})
    on conflict (organization_id, right_kind, subject) do update set request_id = case
      when exists (
        select from requests r
        where r.organization_id = s.organization_id and r.id = s.request_id
          and r.state not in ('completed', 'rejected', 'cancelled', 'expired')
      ) then s.request_id
      else excluded.request_id
    end
    returning request_id`.execute(db);
  return rows[0]?.request_id ?? ref.requestId;
}

async function keepProved(transaction: Database, ref: RequestRef, proved: readonly Stored[]): Promise<void> {
  const tables = transaction.withTables<RequestTables>();
  await tables
    .deleteFrom('request_identities')
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where(
      'digest',
      'not in',
      proved.map(({ digest }) => digest),
    )
    .execute();
  await tables
    .updateTable('requests')
    .set({ identity_types: [...new Set(proved.map(({ identity }) => identity.type))].sort() })
    .where('organization_id', '=', ref.organizationId)
    .where('id', '=', ref.requestId)
    .execute();
}

/** What was needed for the proof is of no use after it. Tokens stay: whoever proved it may follow the request. */
async function clear(transaction: Database, ref: RequestRef, mergedInto: string | null): Promise<void> {
  const tables = transaction.withTables<VerificationTables>();
  await tables
    .updateTable('verifications')
    .set({ state: 'ended', questions: null, answers: null, post_at: null, merged_into: mergedInto })
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .execute();
  for (const table of ['verification_contacts', 'verification_sign_ins'] as const)
    await tables
      .deleteFrom(table)
      .where('organization_id', '=', ref.organizationId)
      .where('request_id', '=', ref.requestId)
      .execute();
}

export async function setState(db: Database, ref: RequestRef, state: 'proved' | 'ended'): Promise<void> {
  await db
    .withTables<VerificationTables>()
    .updateTable('verifications')
    .set({ state, ...(state === 'ended' ? { post_at: null } : {}) })
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where('state', '<>', 'ended')
    .execute();
}

/** The request is stored and proved; where it cannot be planned now, the reconciler does it later. */
async function planSoon(context: ConclusionContext, ref: RequestRef): Promise<void> {
  try {
    await context.planReceived(ref);
  } catch (error) {
    context.logger.warn(
      { err: error, request: ref.requestId },
      'a request was proved but cannot be planned yet; it is tried again',
    );
  }
}
