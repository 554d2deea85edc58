import type { api } from '@habeas/contract';
import type { Selectable } from 'kysely';
import { type Database, HabeasError } from '../../foundation/index.ts';
import { loadRequestKey, openText, type RequestRef } from '../identity-vault.ts';
import type { RequestRow } from '../neighbourhood.ts';
import { requestRow } from '../read-requests.ts';
import { missingChecks, type Progress } from './checks.ts';
import type { VerificationContext } from './context.ts';
import type { VerificationTables } from './tables.ts';

/** Somebody who proves, or proved, who they are. */
export interface Case {
  readonly ref: RequestRef;
  readonly request: RequestRow;
  readonly verification: Selectable<VerificationTables['verifications']>;
  readonly contacts: readonly Selectable<VerificationTables['verification_contacts']>[];
}

/** The request that a token resumes. Throws NOT_FOUND. */
export async function refOfToken(context: VerificationContext, token: string): Promise<RequestRef> {
  const { db, organizationId, digests } = context;
  const row = await db
    .withTables<VerificationTables>()
    .selectFrom('verification_tokens')
    .select('request_id')
    .where('organization_id', '=', organizationId)
    .where('digest', '=', digests.token(token))
    .executeTakeFirst();
  if (row === undefined)
    throw new HabeasError('NOT_FOUND', 'This token is not known, or not any more. Ask again.');
  return { organizationId, requestId: row.request_id };
}

/** Throws NOT_FOUND for a request that somebody with an API key vouched for. */
export async function loadCase(db: Database, ref: RequestRef): Promise<Case> {
  const tables = db.withTables<VerificationTables>();
  const [request, verification, contacts] = await Promise.all([
    requestRow(db, ref),
    tables
      .selectFrom('verifications')
      .selectAll()
      .where('organization_id', '=', ref.organizationId)
      .where('request_id', '=', ref.requestId)
      .executeTakeFirst(),
    tables
      .selectFrom('verification_contacts')
      .selectAll()
      .where('organization_id', '=', ref.organizationId)
      .where('request_id', '=', ref.requestId)
      .orderBy('position')
      .execute(),
  ]);
  if (verification === undefined)
    throw new HabeasError('NOT_FOUND', `Nobody has to prove anything for request ${ref.requestId}.`);
  return { ref, request, verification, contacts };
}

export function progressOf({ verification, contacts }: Case): Progress {
  return {
    contacts: contacts.map(({ role, proved_at }) => ({ role, proved: proved_at !== null })),
    signedIn: verification.signed_in,
    confirmed: verification.questions_state === 'confirmed',
  };
}

/** What whoever holds the token sees. */
export async function askedView(context: VerificationContext, one: Case): Promise<api.AskedView> {
  const { request, verification, contacts } = one;
  const waits = request.state === 'verifying';
  return {
    request_id: request.id,
    right: request.right_kind,
    state: request.state,
    received_at: request.received_at.toISOString(),
    due_at: request.due_at.toISOString(),
    expires_at: waits ? verification.expires_at.toISOString() : null,
    missing: waits ? [...missingChecks(verification.required, progressOf(one))] : [],
    contacts: waits ? contacts.map(contactView) : [],
    questions: waits ? await openQuestions(context, one) : [],
    merged_into: verification.merged_into,
  };
}

export function contactView({ position, role, proved_at }: Case['contacts'][number]) {
  return { id: `c${position}`, role, proved: proved_at !== null };
}

async function openQuestions(
  context: VerificationContext,
  { ref, verification }: Case,
): Promise<api.VerificationQuestion[]> {
  if (verification.questions_state !== 'asked' || verification.questions === null) return [];
  const key = await loadRequestKey(context.db, ref, context.masterKey);
  return JSON.parse(openText(ref, key, verification.questions));
}
