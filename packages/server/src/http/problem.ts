import type { api } from '@habeas/contract';
import { ERRORS, type ErrorCode, type HabeasError } from '../foundation/index.ts';

/** Media type of an error answer (RFC 9457 §3). */
export const PROBLEM_TYPE = 'application/problem+json';

/** The answer (RFC 9457) that tells a client about an error. Holds no cause and no stack. */
export function toProblem(error: HabeasError, instance: string): api.Problem {
  return {
    type: `urn:habeas:error:${error.code}`,
    title: ERRORS[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.details.length > 0 ? { details: [...error.details] } : {}),
    instance,
  };
}

/** The codes that a group of operations may answer, by HTTP status, for the OpenAPI document. */
export function codesByStatus(codes: readonly ErrorCode[]): ReadonlyMap<number, readonly ErrorCode[]> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}
