import type { HabeasError } from '../../foundation/index.ts';
import type { ToldRequest } from '../told-status.ts';
import { jsonAnswer, type WireAnswer } from '../wire.ts';
import type { ApiVersion, Mistake } from './read-request.ts';
import type { SigningCertificate } from './signing-certificate.ts';

/**
 * The headers of a signed body, in both names: OpenDSR 2.0, and OpenGDPR 1.x, which all parties have to honour (§10.1). A field
 * value has no line breaks, although the specification prints some.
 */
export function signedHeaders(body: string, options: SignedBy): Readonly<Record<string, string>> {
  const signature = options.certificate.sign(body);
  const { domain } = options;
  return {
    'x-opendsr-processor-domain': domain,
    'x-opendsr-signature': signature,
    'x-opengdpr-processor-domain': domain,
    'x-opengdpr-signature': signature,
  };
}

export interface SignedBy {
  readonly domain: string;
  readonly certificate: SigningCertificate;
}

export function signedAnswer(status: number, body: unknown, by: SignedBy): WireAnswer {
  const answer = jsonAnswer(status, body);
  return { ...answer, headers: { ...answer.headers, ...signedHeaders(String(answer.body), by) } };
}

/** An error object (§7.6). */
export function errorAnswer(status: number, message: string, mistakes: readonly Mistake[] = []): WireAnswer {
  const errors = mistakes.map(({ where, message: text }) => ({
    domain: 'Validation',
    reason: 'invalid',
    message: where === '' ? text : `${where}: ${text}`,
  }));
  const error = { code: status, message, ...(errors.length === 0 ? {} : { errors }) };
  return jsonAnswer(
    status,
    { error },
    status === 401 ? { 'www-authenticate': 'Bearer realm="opendsr"' } : {},
  );
}

/** §7.5 has 400 for whatever is wrong with a request; only what is not the request's fault has another status. */
export function statusOfError({ code, status }: HabeasError): number {
  if (code === 'UNAUTHENTICATED' || code === 'NOT_FOUND' || status >= 500) return status;
  return 400;
}

/** What a status answer (§8.3) and a callback (§8.6) have in common. */
export function statusBody(
  told: ToldRequest,
  options: { readonly status: string; readonly version: ApiVersion; readonly domain: string },
): Readonly<Record<string, unknown>> {
  const { partner, row, request } = told;
  return {
    controller_id: partner.partner_id,
    expected_completion_time: request?.due_at,
    subject_request_id: row.wire_id,
    request_status: options.status,
    api_version: options.version,
    ...(request === undefined || request.package === null || options.status !== 'completed'
      ? {}
      : { results_url: `https://${options.domain}/v2/requests/${row.wire_id}/results` }),
  };
}
