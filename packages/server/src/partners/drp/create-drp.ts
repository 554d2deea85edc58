import { randomUUID } from 'node:crypto';
import { appendAudit } from '../../audit/index.ts';
import { type Clock, type Database, HabeasError, type Logger } from '../../foundation/index.ts';
import type { ProofPageTexts } from '../../notify/index.ts';
import type { Requests } from '../../requests/index.ts';
import { checkCallbackUrl } from '../callbacks/callback-address.ts';
import type { RequestFollower } from '../callbacks/follow-requests.ts';
import { actorOf, type PartnerRow } from '../partner.ts';
import type { PartnerRequests } from '../partner-requests.ts';
import type { PartnerRegistry } from '../registry.ts';
import type { PartnerTables } from '../tables.ts';
import { replaceToken } from '../tokens.ts';
import type { PartnerRequestRow, ToldRequest } from '../told-status.ts';
import { jsonAnswer, type WireAnswer } from '../wire.ts';
import { errorAnswer, FORBIDDEN, failureAnswer, refusedAnswer } from './answers.ts';
import { type Exercise, readExercise } from './exercise.ts';
import { createPersonProof, type PersonProof } from './person-proof.ts';
import { checkClaims, checkGivenClaims, type Expectation, openSignedMessage } from './signed-message.ts';
import { exerciseStatus } from './status.ts';
import { importVerifyKey } from './verify-key.ts';

/** A partner that hangs up ends the answer, and with it the reading. */
const NEVER_ABORTED = new AbortController().signal;

export interface DrpCall {
  /** Whose bearer token came with the call; undefined: nobody's. */
  readonly partner: PartnerRow | undefined;
  /** The id in the path. */
  readonly id: string;
}

/**
 * Data Rights Protocol 1.0 with Habeas as the privacy infrastructure provider. Nothing throws: what is wrong is an answer in the
 * protocol's own words.
 */
export interface Drp {
  /** Pair-wise key setup (§2.05): a signed message for a bearer token. 403 without a body for whatever is wrong. */
  setUp(call: { readonly agentId: string; readonly body: string }): Promise<WireAnswer>;
  /** §2.06. */
  agent(call: DrpCall): Promise<WireAnswer>;
  /** §2.01. */
  exercise(call: Omit<DrpCall, 'id'> & { readonly body: string }): Promise<WireAnswer>;
  /** §2.02; 403 unless it is a request of this agent. */
  status(call: DrpCall): Promise<WireAnswer>;
  /** §2.04. */
  revoke(call: DrpCall & { readonly body: string }): Promise<WireAnswer>;
  /** The package of an access request; only for the agent that asked. */
  results(call: DrpCall): Promise<WireAnswer>;
  /** Where people prove who they are; undefined where they cannot. */
  readonly personProof: PersonProof | undefined;
}

export interface DrpOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly businessId: string;
  readonly maxValidityMilliseconds: number;
  readonly verificationTermMilliseconds: number;
  readonly publicUrl: string;
  readonly registry: Pick<PartnerRegistry, 'agent'>;
  readonly requests: Requests;
  readonly partnerRequests: PartnerRequests;
  readonly follower: Pick<RequestFollower, 'note'>;
  /** Of the page for people. */
  readonly proofPageTexts: ProofPageTexts;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createDrp(options: DrpOptions): Drp {
  const { db, organizationId, requests, partnerRequests, follower, clock, publicUrl } = options;
  const callerOf = (partner: PartnerRow) => ({ organizationId, actor: actorOf(partner) });
  const expectationOf = (partner: PartnerRow): Expectation => ({
    agentId: partner.partner_id,
    businessId: options.businessId,
    now: clock.now(),
    maxValidityMilliseconds: options.maxValidityMilliseconds,
  });
  const statusAnswer = (told: ToldRequest) =>
    jsonAnswer(200, exerciseStatus(told, { status: told.row.status, publicUrl }));

  async function answered(make: () => Promise<WireAnswer>): Promise<WireAnswer> {
    try {
      return await make();
    } catch (error) {
      const known = HabeasError.from(error);
      if (known.code === 'INTERNAL')
        options.logger.error({ err: known.cause ?? known }, 'a Data Rights Protocol call failed');
      return failureAnswer(known);
    }
  }

  /** Whether a message comes for the first time; it is remembered until it expires. */
  async function isNew(transaction: Database, digest: Buffer, expiresAt: Date): Promise<boolean> {
    const made = await transaction
      .withTables<PartnerTables>()
      .insertInto('partner_messages')
      .values({ organization_id: organizationId, digest, expires_at: expiresAt })
      .onConflict((conflict) => conflict.doNothing())
      .returning('digest')
      .executeTakeFirst();
    return made !== undefined;
  }

  async function setUp({ agentId, body }: Parameters<Drp['setUp']>[0]): Promise<WireAnswer> {
    const partner = await options.registry.agent(agentId);
    if (partner?.verify_key === null || partner === undefined) return FORBIDDEN;
    const opened = openSignedMessage(body, importVerifyKey(partner.verify_key));
    if ('refused' in opened) return FORBIDDEN;
    const checked = checkClaims(opened.content, expectationOf(partner));
    if ('refused' in checked) return FORBIDDEN;
    const token = await db.transaction().execute(async (transaction) => {
      if (!(await isNew(transaction, opened.digest, checked.expiresAt))) return undefined;
      const now = clock.now();
      const actor = actorOf(partner);
      await appendAudit(
        transaction,
        [{ organizationId, actor, action: 'partner.token-made', subject: partner.id }],
        now,
      );
      return replaceToken(transaction, partner, now);
    });
    return token === undefined ? FORBIDDEN : jsonAnswer(200, { 'agent-id': partner.partner_id, token });
  }

  /** The request of ours for an exercise; undefined where nobody is verified, and nobody can be asked to prove it here. */
  async function ask(partner: PartnerRow, exercise: Exercise, sameness: string): Promise<string | undefined> {
    const { right, lift, regime, identities, claimed } = exercise;
    const asked = { right, lift, regime, idempotencyKey: `drp/${partner.id}/${sameness}` };
    if (identities.length > 0) {
      const { request } = await requests.receive(callerOf(partner), { ...asked, identities, dryRun: false });
      return request.id;
    }
    // Codes go by mail, and no mail has words for what takes an opt-out back.
    if (lift || !claimed.some(({ type }) => type === 'email')) return undefined;
    return requests.verification?.askFor(callerOf(partner), {
      ...asked,
      identities: claimed,
      token: partnerRequests.proofToken(partner, sameness),
      expiresMilliseconds: options.verificationTermMilliseconds,
    });
  }

  /** The agent verified somebody of whom we had asked a proof; false where no proof is waited for. */
  async function vouch(partner: PartnerRow, exercise: Exercise, before: PartnerRequestRow): Promise<boolean> {
    if (exercise.identities.length === 0) return false;
    const { request } = await follower.note(partner, before);
    if (request?.state !== 'verifying' || requests.verification === undefined) return false;
    if (request.right !== exercise.right || request.lift !== exercise.lift)
      throw new HabeasError(
        'IDEMPOTENCY_KEY_REUSED',
        'This agent-request-id came before for something else.',
      );
    await requests.verification.vouch(callerOf(partner), request.id, exercise.identities);
    return true;
  }

  async function exercise({ partner, body }: Parameters<Drp['exercise']>[0]): Promise<WireAnswer> {
    if (partner === undefined || partner.verify_key === null) return noToken();
    const opened = openSignedMessage(body, importVerifyKey(partner.verify_key));
    if ('refused' in opened) return refusedAnswer(opened);
    const checked = checkClaims(opened.content, expectationOf(partner));
    if ('refused' in checked) return refusedAnswer(checked);
    const asked = readExercise(opened.content);
    if ('mistake' in asked) return errorAnswer(400, asked.mistake, 'fatal');
    if (asked.callbackUrl !== null) checkCallbackUrl(asked.callbackUrl, partner.callback_origins);
    // The same message is the same request, and so is another message under the same id of the agent: a lost answer is no second request.
    const sameness =
      asked.agentRequestId === null
        ? `message ${opened.digest.toString('hex')}`
        : `id ${asked.agentRequestId}`;
    const before = await partnerRequests.findSame(partner, sameness);
    if (
      before !== undefined &&
      (before.request_id !== null || before.ended_at !== null || asked.identities.length === 0)
    ) {
      // Says that the content is another one, if it is.
      if (before.request_id !== null && !(await vouch(partner, asked, before)))
        await ask(partner, asked, sameness);
      return statusAnswer(await follower.note(partner, before));
    }
    const isVerified = asked.identities.length > 0;
    const now = clock.now();
    const requestId = (await ask(partner, asked, sameness)) ?? null;
    const status: 'open' | 'in_progress/need_user_verification' = isVerified
      ? 'open'
      : 'in_progress/need_user_verification';
    const kept = await partnerRequests.keep({
      partner,
      wireId: randomUUID(),
      requestId,
      sameness,
      status: { status, rank: 0, ended: false },
      details: {
        callbackUrls: asked.callbackUrl === null ? [] : [asked.callbackUrl],
        agentRequestId: asked.agentRequestId,
      },
      expiresAt: isVerified ? null : new Date(now.getTime() + options.verificationTermMilliseconds),
      now,
    });
    const row =
      kept.request_id === null && requestId !== null ? await partnerRequests.attach(kept, requestId) : kept;
    return statusAnswer(await follower.note(partner, row));
  }

  async function owned({
    partner,
    id,
  }: DrpCall): Promise<{ readonly owner: PartnerRow; readonly told: ToldRequest } | undefined> {
    if (partner === undefined) return undefined;
    const row = await partnerRequests.find(partner, id);
    return row === undefined ? undefined : { owner: partner, told: await follower.note(partner, row) };
  }

  async function revoke(call: Parameters<Drp['revoke']>[0]): Promise<WireAnswer> {
    const { partner } = call;
    if (partner === undefined || partner.verify_key === null) return noToken();
    const opened = openSignedMessage(call.body, importVerifyKey(partner.verify_key));
    if ('refused' in opened) return refusedAnswer(opened);
    const refused = checkGivenClaims(opened.content, expectationOf(partner));
    if (refused !== undefined) return refusedAnswer(refused);
    const found = await owned(call);
    if (found === undefined) return notYours();
    const { told, owner } = found;
    if (told.row.ended_at !== null) {
      if (told.row.status === 'revoked') return statusAnswer(told);
      return errorAnswer(409, `The request is ${told.row.status.replace('/', ': ')} already.`, 'fatal');
    }
    // First: whoever notes that the request is cancelled has to know why.
    const row = await partnerRequests.markRevoked(told.row);
    if (told.request !== undefined) {
      // The agent's own words are not kept: a person wrote them.
      const reason = 'The authorized agent revoked it.';
      await requests.command(callerOf(owner), told.request.id, { type: 'cancel', reason });
    }
    return statusAnswer(await follower.note(owner, row));
  }

  return {
    setUp: (call) =>
      setUp(call).catch((error: unknown) => {
        options.logger.error({ err: error }, 'a pair-wise key setup failed');
        return errorAnswer(500, 'The token could not be made. Try again.', 'retryable');
      }),
    agent: async ({ partner, id }) => (partner?.partner_id === id ? jsonAnswer(200, {}) : FORBIDDEN),
    exercise: (call) => answered(() => exercise(call)),
    status: (call) =>
      answered(async () => {
        const found = await owned(call);
        return found === undefined ? notYours() : statusAnswer(found.told);
      }),
    revoke: (call) => answered(() => revoke(call)),
    personProof: createPersonProof({ ...options, texts: options.proofPageTexts }),
    results: (call) =>
      answered(async () => {
        const found = await owned(call);
        if (found === undefined) return notYours();
        const { request } = found.told;
        if (request === undefined || request.package === null) {
          return errorAnswer(
            404,
            'There are no results: not yet, not any more, or it is a deletion.',
            'retryable',
          );
        }
        const opened = await requests.openPackage(callerOf(found.owner), request.id, 'zip');
        const headers = {
          'content-type': 'application/zip',
          'content-length': String(opened.bytes),
          'cache-control': 'no-store',
        };
        const body = await opened.read({ start: 0, end: opened.bytes }, NEVER_ABORTED);
        return { status: 200, headers, body };
      }),
  };
}

function noToken(): WireAnswer {
  return errorAnswer(
    403,
    'Send the token of the pair-wise key setup: `Authorization: Bearer <token>`.',
    'retryable',
  );
}

function notYours(): WireAnswer {
  return errorAnswer(403, 'There is no request of this agent with this request_id.', 'fatal');
}
