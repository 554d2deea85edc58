import type { HabeasError } from '../../foundation/index.ts';
import { jsonAnswer, type WireAnswer } from '../wire.ts';
import type { Refused } from './signed-message.ts';

/** 403 and nothing else: what failed is settled between people (§2.05.1). */
export const FORBIDDEN: WireAnswer = { status: 403, headers: {}, body: undefined };

/** An error state (§3.06). `fatal`: the same request will never be taken. */
export function errorAnswer(status: number, message: string, end: 'fatal' | 'retryable'): WireAnswer {
  return jsonAnswer(status, { code: String(status), message, ...(end === 'fatal' ? { fatal: true } : {}) });
}

/** A signed message that failed at one of the steps of §3.07. */
export function refusedAnswer({ refused, message }: Refused): WireAnswer {
  const isForeign = refused === 'signature' || refused === 'agent-id' || refused === 'business-id';
  return errorAnswer(isForeign ? 403 : 400, message, 'fatal');
}

export function failureAnswer({ status, message, retryable }: HabeasError): WireAnswer {
  return errorAnswer(status, message, retryable || status >= 500 ? 'retryable' : 'fatal');
}
