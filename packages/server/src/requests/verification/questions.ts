import { api } from '@habeas/contract';
import { sql } from 'kysely';
import { signStandardWebhook, verifyStandardWebhook } from '../../access/index.ts';
import {
  createHttpClient,
  HabeasError,
  type Outbound,
  parseOutboundAddress,
} from '../../foundation/index.ts';
import { loadIdentities, loadRequestKey, openText, type RequestRef, sealText } from '../identity-vault.ts';
import type { VerificationContext } from './context.ts';
import { loadCase } from './read-case.ts';
import type { VerificationTables } from './tables.ts';
import type { SignedMessage } from './verification.ts';

/** The organization's back end, which knows what only the right person knows. */
export interface QuestionsOptions {
  readonly url: string;
  /** `whsec_` and base64; both ways. */
  readonly secret: string;
  readonly outbound: Outbound;
}

/** While a process posts, no other one does; and how long to wait after a failure. */
const LEASE_MILLISECONDS = 30_000;
const TIMEOUT_MILLISECONDS = 15_000;
const AT_ONCE = 8;

/** Posts what is due, each message by one process; what fails is posted again, with the same `webhook-id`. */
export async function postDueQuestions(
  context: VerificationContext,
  options: QuestionsOptions,
): Promise<void> {
  const now = context.clock.now();
  const { rows } = await sql<{ readonly request_id: string }>`
    update verifications as v set post_at = ${new Date(now.getTime() + LEASE_MILLISECONDS)}
    where v.organization_id = ${context.organizationId} and v.request_id in (
      select request_id from verifications
      where organization_id = ${context.organizationId} and post_at <= ${now}
      order by post_at limit ${AT_ONCE} for update skip locked
    )
    returning v.request_id`.execute(context.db);
  await Promise.all(
    rows.map(async ({ request_id: requestId }) => {
      const ref = { organizationId: context.organizationId, requestId };
      try {
        await post(context, options, ref);
      } catch (error) {
        const { code, message } = HabeasError.from(error);
        context.logger.warn(
          { request: requestId, code, reason: message },
          'The back end could not be asked about a person; trying again',
        );
      }
    }),
  );
}

async function post(
  context: VerificationContext,
  { url, secret, outbound }: QuestionsOptions,
  ref: RequestRef,
): Promise<void> {
  const { db, masterKey, clock } = context;
  const one = await loadCase(db, ref);
  const key = await loadRequestKey(db, ref, masterKey);
  const identities = await loadIdentities(db, ref, key);
  const { answers } = one.verification;
  const now = clock.now();
  const body = JSON.stringify({
    type: 'verification.requested',
    timestamp: now.toISOString(),
    data: {
      request_id: ref.requestId,
      right: one.request.right_kind,
      identities,
      answers: answers === null ? null : JSON.parse(openText(ref, key, answers)),
    },
  });
  const target = new URL(url);
  // The same for a repetition; another one once there are answers.
  const id = `${ref.requestId}-${answers === null ? 'first' : 'answered'}`;
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port;
  const http = createHttpClient({
    outbound,
    address: parseOutboundAddress(`${target.hostname}:${port}`),
    tls: target.protocol === 'https:' ? {} : undefined,
    connections: 1,
  });
  try {
    const { status } = await http.call({
      method: 'POST',
      path: `${target.pathname}${target.search}`,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'habeas',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signStandardWebhook({ secret, id, timestamp, body }),
      },
      body,
      timeout: TIMEOUT_MILLISECONDS,
      maxBytes: 64 * 1024,
      signal: new AbortController().signal,
    });
    if (status < 200 || status > 299)
      throw new HabeasError('SYSTEM_REFUSED', `${target.host} answered with HTTP ${status}, not with 2xx.`);
  } finally {
    http.close();
  }
  await db
    .withTables<VerificationTables>()
    .updateTable('verifications')
    .set({ questions_state: 'posted', post_at: null })
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    // Its answer may be here before its 2xx.
    .where('questions_state', '=', 'due')
    .execute();
}

/** What the back end says, checked. Throws UNAUTHENTICATED unless it is signed with the secret, and BAD_INPUT for something else. */
export function readBackEndAnswer(
  message: SignedMessage,
  options: { readonly secret: string; readonly now: Date },
): api.VerificationAnswer {
  const verdict = verifyStandardWebhook({ ...message, ...options });
  if (!verdict.valid)
    throw new HabeasError(
      'UNAUTHENTICATED',
      `The message is refused (${verdict.reason}). Sign it with the secret of intake.questions, within five minutes.`,
    );
  const parsed = api.verificationAnswerSchema.safeParse(asJson(message.body));
  if (parsed.success) return parsed.data;
  throw new HabeasError(
    'BAD_INPUT',
    'The message is not one of: ask with questions, confirmed, refused with a reason.',
  );
}

function asJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Gives false where nothing was asked, or the person has to answer first: a message that comes twice changes nothing. */
export async function takeBackEndAnswer(
  context: VerificationContext,
  ref: RequestRef,
  answer: Extract<api.VerificationAnswer, { readonly outcome: 'ask' | 'confirmed' }>,
): Promise<boolean> {
  const key = await loadRequestKey(context.db, ref, context.masterKey);
  const set =
    answer.outcome === 'ask'
      ? {
          questions_state: 'asked' as const,
          questions: sealText(ref, key, JSON.stringify(answer.questions)),
          answers: null,
        }
      : { questions_state: 'confirmed' as const };
  const taken = await context.db
    .withTables<VerificationTables>()
    .updateTable('verifications')
    .set({ ...set, post_at: null })
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where('state', '=', 'open')
    .where('questions_state', 'in', ['due', 'posted'])
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

/** Keeps what the person answered, sealed, until the back end has it. */
export async function takeAnswers(
  context: VerificationContext,
  ref: RequestRef,
  answers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const key = await loadRequestKey(context.db, ref, context.masterKey);
  const taken = await context.db
    .withTables<VerificationTables>()
    .updateTable('verifications')
    .set({
      questions_state: 'due',
      answers: sealText(ref, key, JSON.stringify(answers)),
      post_at: context.clock.now(),
    })
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where('state', '=', 'open')
    .where('questions_state', '=', 'asked')
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}
