import { appendAudit } from '../../audit/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { publish } from '../../notify/index.ts';
import type { Caller } from '../caller.ts';
import { loadRequestKey, openText, type RequestRef } from '../identity-vault.ts';
import { insertAsked } from './ask.ts';
import { missingChecks } from './checks.ts';
import { advance, conclude } from './conclude.ts';
import { PERSON, type VerificationContext } from './context.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { proveContact } from './prove-contact.ts';
import {
  postDueQuestions,
  type QuestionsOptions,
  readBackEndAnswer,
  takeAnswers,
  takeBackEndAnswer,
} from './questions.ts';
import { createRateLimits } from './rate-limits.ts';
import { askedView, contactView, loadCase, progressOf, refOfToken } from './read-case.ts';
import { createDigests, newToken } from './secrets.ts';
import { beginSignIn, endSignIn } from './sign-in.ts';
import type { VerificationTables } from './tables.ts';
import type { TokenCall, Verification } from './verification.ts';

export interface CreateVerificationOptions extends Omit<VerificationContext, 'digests' | 'limits'> {
  /** (Default: no back end is asked) */
  readonly questions?: QuestionsOptions | undefined;
  /** (Default: nobody signs in) */
  readonly identityProvider?: IdentityProvider | undefined;
}

/** Mails with a code that one contact of one request may get. */
const MOST_CODES = 5;

export function createVerification(options: CreateVerificationOptions): Verification {
  const { db, clock, organizationId, rules, questions, identityProvider } = options;
  const digests = createDigests(options.masterKey);
  const limits = createRateLimits({ db, clock, digests });
  const context: VerificationContext = { ...options, digests, limits };

  const counted = async ({ token, client }: TokenCall): Promise<RequestRef> => {
    await limits.demand({ organizationId, scope: 'call', whom: client, limit: rules.callsPerClient });
    return refOfToken(context, token);
  };
  const view = async (ref: RequestRef) => askedView(context, await loadCase(db, ref));
  const conflict = (what: string) => new HabeasError('CONFLICT', what);

  /** Whoever proved something goes on; whoever only began does not see it. */
  const keepToken = async (ref: RequestRef, token: string): Promise<void> => {
    await db
      .withTables<VerificationTables>()
      .deleteFrom('verification_tokens')
      .where('organization_id', '=', ref.organizationId)
      .where('request_id', '=', ref.requestId)
      .where('digest', '<>', digests.token(token))
      .execute();
  };

  return {
    async ask(asked) {
      await limits.demand({
        organizationId,
        scope: 'ask',
        whom: asked.client,
        limit: rules.asksPerClient,
      });
      if (asked.identities.length === 0 && identityProvider === undefined)
        throw new HabeasError('BAD_INPUT', 'identities: name at least one, such as a mail address.');
      const { client: _, agent, ...ask } = asked;
      const token = newToken();
      const ref = await insertAsked(context, {
        caller: { organizationId, actor: PERSON },
        ask: { ...ask, dryRun: false },
        agent,
        token,
        expiresMilliseconds: rules.expiresMilliseconds,
      });
      return { ...(await view(ref)), token };
    },
    async askFor(caller, { token, expiresMilliseconds, ...ask }) {
      const ref = await insertAsked(context, {
        caller,
        ask: { ...ask, dryRun: false },
        token,
        expiresMilliseconds,
      });
      return ref.requestId;
    },
    async vouch(caller, requestId, identities) {
      const one = await loadCase(db, refOf(caller, requestId));
      const waits = one.request.state === 'verifying' && one.request.received_by === caller.actor;
      const done =
        waits &&
        (await conclude(context, one, {
          by: 'partner',
          actor: caller.actor,
          reason: null,
          vouched: identities,
        }));
      if (!done) throw conflict(`Request ${requestId} does not wait for proof.`);
    },
    resume: async (call) => view(await counted(call)),
    async sendCode(call, contact) {
      const ref = await counted(call);
      const one = await loadCase(db, ref);
      const chosen = one.contacts.find(({ position }) => `c${position}` === contact);
      if (chosen === undefined || chosen.proved_at !== null || one.request.state !== 'verifying')
        throw conflict('This contact needs no code.');
      if (chosen.codes_sent >= MOST_CODES)
        throw new HabeasError(
          'TOO_MANY_REQUESTS',
          'No more codes are sent for this request. Make a new one.',
        );
      await db.transaction().execute((transaction) =>
        publish(
          transaction,
          [
            {
              organizationId,
              type: 'request.code-asked',
              requestId: ref.requestId,
              data: { contact: chosen.position },
            },
          ],
          clock.now(),
        ),
      );
      return view(ref);
    },
    async prove(call, { contact, code }) {
      const ref = await counted(call);
      const position = Number(contact.slice(1));
      const codeDigest = digests.code({ requestId: ref.requestId, position }, code);
      const proved = await proveContact(db, ref, { position, codeDigest, now: clock.now() });
      if (!proved)
        throw new HabeasError(
          'PROOF_REFUSED',
          'This code is wrong, was used, is older than ten minutes, or was tried too often. Have another one sent.',
        );
      await keepToken(ref, call.token);
      await advance(context, ref);
      return view(ref);
    },
    async answer(call, answers) {
      const ref = await counted(call);
      if (!(await takeAnswers(context, ref, answers))) throw conflict('There is no question to answer now.');
      return view(ref);
    },
    async startSignIn(call) {
      if (identityProvider === undefined)
        throw new HabeasError('NOT_FOUND', 'This organization has no sign-in here.');
      const ref = await counted(call);
      const { request } = await loadCase(db, ref);
      if (request.state !== 'verifying') throw conflict('This request needs no proof.');
      return beginSignIn(context, identityProvider, ref);
    },
    async finishSignIn(back) {
      await limits.demand({
        organizationId,
        scope: 'call',
        whom: back.client,
        limit: rules.callsPerClient,
      });
      if (identityProvider === undefined)
        throw new HabeasError('NOT_FOUND', 'This organization has no sign-in here.');
      const ref = await endSignIn(context, identityProvider, back);
      const token = newToken();
      await db
        .withTables<VerificationTables>()
        .insertInto('verification_tokens')
        .values({ organization_id: organizationId, digest: digests.token(token), request_id: ref.requestId })
        .execute();
      await keepToken(ref, token);
      await advance(context, ref);
      return { token };
    },
    async backEndAnswered(message) {
      if (questions === undefined)
        throw new HabeasError('NOT_FOUND', 'This organization asks no back end about people.');
      const answer = readBackEndAnswer(message, { secret: questions.secret, now: clock.now() });
      const ref = { organizationId, requestId: message.requestId };
      if (answer.outcome === 'refused') {
        const { verification } = await loadCase(db, ref);
        if (!['due', 'posted'].includes(verification.questions_state)) return;
        const event = { type: 'rejected', reason: answer.reason } as const;
        await options.transitions.apply(ref, event, { actor: 'back-end' });
        return;
      }
      await loadCase(db, ref);
      if (await takeBackEndAnswer(context, ref, answer)) await advance(context, ref);
    },
    async read(caller, requestId) {
      const one = await loadCase(db, refOf(caller, requestId));
      const { verification, contacts, ref } = one;
      const agent = await openAgent(context, ref, verification);
      if (agent !== null)
        await db
          .transaction()
          .execute((transaction) =>
            appendAudit(
              transaction,
              [{ organizationId, actor: caller.actor, action: 'agent.read', subject: requestId }],
              clock.now(),
            ),
          );
      return {
        request_id: requestId,
        state: verification.state,
        required: verification.required,
        missing:
          verification.state === 'ended' ? [] : [...missingChecks(verification.required, progressOf(one))],
        expires_at: verification.expires_at.toISOString(),
        signed_in: verification.signed_in,
        contacts: contacts.map((contact) => ({
          ...contactView(contact),
          codes_sent: contact.codes_sent,
          attempts: contact.attempts,
        })),
        agent,
        merged_into: verification.merged_into,
      };
    },
    async approve(caller, requestId, reason) {
      const one = await loadCase(db, refOf(caller, requestId));
      const waits = one.request.state === 'verifying';
      const done = waits && (await conclude(context, one, { by: 'officer', actor: caller.actor, reason }));
      if (!done) throw conflict(`Request ${requestId} does not wait for proof.`);
    },
    async postQuestions() {
      if (questions !== undefined) await postDueQuestions(context, questions);
    },
  };
}

function refOf(caller: Caller, requestId: string): RequestRef {
  return { organizationId: caller.organizationId, requestId };
}

async function openAgent(
  { db, masterKey }: VerificationContext,
  ref: RequestRef,
  verification: { readonly agent: string | null; readonly permission: string | null },
) {
  if (verification.agent === null) return null;
  const key = await loadRequestKey(db, ref, masterKey);
  const { name, email } = JSON.parse(openText(ref, key, verification.agent));
  const { permission } = verification;
  return { name, email, permission: permission === null ? null : openText(ref, key, permission) };
}
