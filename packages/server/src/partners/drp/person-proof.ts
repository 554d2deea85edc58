import type { api } from '@habeas/contract';
import { HabeasError } from '../../foundation/index.ts';
import type { ProofPageTexts } from '../../notify/index.ts';
import type { Requests, TokenCall } from '../../requests/index.ts';
import type { RequestFollower } from '../callbacks/follow-requests.ts';
import type { PartnerRequests } from '../partner-requests.ts';
import type { PartnerRegistry } from '../registry.ts';
import type { ToldRequest } from '../told-status.ts';

/** A person who came by `user_verification_url`. */
export interface ProofVisit {
  /** Of the address: which agent's request. */
  readonly agentId: string;
  readonly wireId: string;
  /** What the agent adds to the address (§3.02.1). */
  readonly requestId: string | undefined;
  readonly redirectTo: string | undefined;
  /** The network address that it came from. */
  readonly client: string;
}

/** What the person does. */
export type ProofAct =
  | { readonly type: 'prove'; readonly code: string }
  | { readonly type: 'send-code' }
  | { readonly type: 'answer'; readonly answers: Readonly<Record<string, string>> };

/** What the person sees. */
export interface ProofView {
  /**
   * code: one was sent; questions: of the organization; check: somebody looks at it; done: it is proved; over: it has ended otherwise.
   */
  readonly step: 'code' | 'questions' | 'check' | 'done' | 'over';
  readonly questions: readonly api.VerificationQuestion[];
  readonly agent: string;
  readonly right: api.Right;
  /** Where the agent wants the person back, at an origin that was approved for it. */
  readonly returnTo: string | undefined;
  /** How the last act went. */
  readonly told?: 'sent' | 'wrong' | 'often' | undefined;
}

/**
 * The state `need_user_verification` (Data Rights Protocol 1.0 §3.02.1): the person proves here that they want what the agent asked.
 * Undefined: there is no such request, or the agent's `request_id` is of another one. Whoever has the address sees who asks for
 * what, and nothing of the person; only a code from their mailbox proves anything.
 */
export interface PersonProof {
  readonly texts: ProofPageTexts;
  look(visit: ProofVisit): Promise<ProofView | undefined>;
  act(visit: ProofVisit, act: ProofAct): Promise<ProofView | undefined>;
}

export interface PersonProofOptions {
  readonly texts: ProofPageTexts;
  readonly registry: Pick<PartnerRegistry, 'agent'>;
  readonly partnerRequests: Pick<PartnerRequests, 'find' | 'proofTokenOf'>;
  readonly follower: Pick<RequestFollower, 'note'>;
  readonly requests: Pick<Requests, 'verification'>;
}

/** Undefined where people cannot prove anything here. */
export function createPersonProof(options: PersonProofOptions): PersonProof | undefined {
  const { verification } = options.requests;
  if (verification === undefined) return undefined;

  async function toldOf(visit: ProofVisit): Promise<ToldRequest | undefined> {
    if (visit.requestId !== undefined && visit.requestId !== visit.wireId) return undefined;
    const partner = await options.registry.agent(visit.agentId);
    const row = partner && (await options.partnerRequests.find(partner, visit.wireId));
    // Whom the agent verified has nothing to prove.
    if (partner === undefined || row === undefined || row.request_id === null || row.expires_at === null)
      return undefined;
    return options.follower.note(partner, row);
  }

  async function viewOf(
    visit: ProofVisit,
    { partner, row, request }: ToldRequest,
    told?: ProofView['told'],
  ): Promise<ProofView | undefined> {
    if (request === undefined) return undefined;
    const shown = {
      questions: [],
      agent: partner.name,
      right: request.right,
      returnTo: approvedReturn(visit.redirectTo, partner.callback_origins),
      told,
    };
    if (request.state !== 'verifying') {
      const isOver = row.ended_at !== null && row.status !== 'fulfilled' && request.policy_version === null;
      return { ...shown, step: isOver ? 'over' : 'done' };
    }
    const asked = await resumed(callOf(visit, row));
    if (asked === undefined) return { ...shown, step: 'check' };
    if (asked.missing.includes('codes')) return { ...shown, step: 'code' };
    const { questions } = asked;
    return { ...shown, step: questions.length > 0 ? 'questions' : 'check', questions };
  }

  const callOf = (visit: ProofVisit, row: ToldRequest['row']): TokenCall => ({
    token: options.partnerRequests.proofTokenOf(row),
    client: visit.client,
  });

  /** Undefined: they went on elsewhere, by the link in their mail, which ended this way. */
  const resumed = (call: TokenCall) =>
    verification.resume(call).catch((error: unknown) => {
      if (HabeasError.from(error).code === 'NOT_FOUND') return undefined;
      throw error;
    });

  async function carryOut(call: TokenCall, act: ProofAct): Promise<ProofView['told']> {
    if (act.type === 'answer') {
      await verification?.answer(call, act.answers);
      return undefined;
    }
    const asked = await resumed(call);
    const contact = asked?.contacts.find(({ proved }) => !proved)?.id;
    if (contact === undefined) return undefined;
    if (act.type === 'send-code') {
      await verification?.sendCode(call, contact);
      return 'sent';
    }
    await verification?.prove(call, { contact, code: act.code });
    return undefined;
  }

  return {
    texts: options.texts,
    async look(visit) {
      const told = await toldOf(visit);
      return told && viewOf(visit, told);
    },
    async act(visit, act) {
      const before = await toldOf(visit);
      if (before === undefined) return undefined;
      let result: ProofView['told'];
      try {
        if (before.request?.state === 'verifying') result = await carryOut(callOf(visit, before.row), act);
      } catch (error) {
        result = problemOf(error);
      }
      const after = await toldOf(visit);
      return after && viewOf(visit, after, result);
    },
  };
}

function problemOf(error: unknown): ProofView['told'] {
  const { code } = HabeasError.from(error);
  if (code === 'PROOF_REFUSED') return 'wrong';
  if (code === 'TOO_MANY_REQUESTS') return 'often';
  // Somebody was faster, such as the same person in another window: what is true now is shown.
  if (code === 'CONFLICT' || code === 'NOT_FOUND') return undefined;
  throw error;
}

/** No page of ours sends people to addresses that anybody can choose. */
function approvedReturn(redirectTo: string | undefined, origins: readonly string[]): string | undefined {
  const url = redirectTo === undefined ? null : URL.parse(redirectTo);
  return url !== null && origins.includes(url.origin) ? url.href : undefined;
}
