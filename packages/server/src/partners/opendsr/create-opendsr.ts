import { type Clock, HabeasError, type Logger } from '../../foundation/index.ts';
import type { Requests } from '../../requests/index.ts';
import { checkCallbackUrl } from '../callbacks/callback-address.ts';
import type { RequestFollower } from '../callbacks/follow-requests.ts';
import { actorOf, type PartnerRow } from '../partner.ts';
import type { PartnerRequests } from '../partner-requests.ts';
import type { ToldRequest } from '../told-status.ts';
import type { WireAnswer } from '../wire.ts';
import { errorAnswer, type SignedBy, signedAnswer, statusBody, statusOfError } from './answers.ts';
import { type ApiVersion, REQUEST_TYPES, readRequest } from './read-request.ts';
import { openDsrStatus } from './status.ts';

/** A partner that hangs up ends the answer, and with it the reading. */
const NEVER_ABORTED = new AbortController().signal;

export interface OpenDsrCall {
  readonly version: ApiVersion;
  /** Who signed in; undefined: nobody. */
  readonly partner: PartnerRow | undefined;
  /** `subject_request_id` of the path. */
  readonly id: string;
}

/** OpenDSR 2.0 with Habeas as the processor. Nothing throws: what is wrong is an answer in the protocol's own words. */
export interface OpenDsr {
  discovery(version: ApiVersion): Promise<WireAnswer>;
  certificate(): Promise<WireAnswer>;
  receive(call: Omit<OpenDsrCall, 'id'> & { readonly body: Uint8Array }): Promise<WireAnswer>;
  status(call: OpenDsrCall): Promise<WireAnswer>;
  cancel(call: OpenDsrCall): Promise<WireAnswer>;
  /** The package of an access request; only for the controller that asked. */
  results(call: OpenDsrCall): Promise<WireAnswer>;
}

export interface OpenDsrOptions extends SignedBy {
  readonly identities: Readonly<Record<string, string>>;
  readonly organizationId: string;
  readonly requests: Requests;
  readonly partnerRequests: PartnerRequests;
  readonly follower: Pick<RequestFollower, 'note'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createOpenDsr(options: OpenDsrOptions): OpenDsr {
  const { requests, partnerRequests, follower, clock, domain } = options;
  const callerOf = (partner: PartnerRow) => ({
    organizationId: options.organizationId,
    actor: actorOf(partner),
  });

  async function answered(make: () => Promise<WireAnswer>): Promise<WireAnswer> {
    try {
      return await make();
    } catch (error) {
      const known = HabeasError.from(error);
      if (known.code === 'INTERNAL')
        options.logger.error({ err: known.cause ?? known }, 'an OpenDSR call failed');
      if (known.code === 'IDEMPOTENCY_KEY_REUSED')
        return errorAnswer(
          400,
          'This subject_request_id came before with another request. Make a new one for a new request.',
        );
      return errorAnswer(statusOfError(known), known.message);
    }
  }

  async function found({ partner, id }: OpenDsrCall): Promise<ToldRequest & { readonly owner: PartnerRow }> {
    if (partner === undefined) throw unknownController();
    const row = await partnerRequests.find(partner, id);
    if (row === undefined)
      throw new HabeasError(
        'NOT_FOUND',
        'There is no request of this controller with this subject_request_id.',
      );
    return { ...(await follower.note(partner, row)), owner: partner };
  }

  async function receive({ partner, body, version }: Parameters<OpenDsr['receive']>[0]): Promise<WireAnswer> {
    if (partner === undefined) throw unknownController();
    // Nothing is begun that could not be acknowledged.
    options.certificate.sign('');
    const value = parseJson(body);
    if (value === undefined) return errorAnswer(400, 'The body is not JSON in UTF-8.');
    const asked = readRequest(value, { version, identities: options.identities, domain, now: clock.now() });
    if (isMistakes(asked)) return errorAnswer(400, 'The request cannot be carried out as it is.', asked);
    for (const url of asked.callbackUrls) checkCallbackUrl(url, partner.callback_origins);
    const { request } = await requests.receive(callerOf(partner), {
      right: asked.right,
      identities: asked.identities,
      regime: asked.regulation,
      dryRun: false,
      idempotencyKey: `opendsr/${partner.id}/${asked.subjectRequestId}`,
    });
    const row = await partnerRequests.keep({
      partner,
      wireId: asked.subjectRequestId,
      requestId: request.id,
      sameness: asked.subjectRequestId,
      status: openDsrStatus('received'),
      details: { callbackUrls: asked.callbackUrls, agentRequestId: null },
      expiresAt: null,
      now: clock.now(),
    });
    const answer = {
      controller_id: partner.partner_id,
      expected_completion_time: request.due_at,
      received_time: row.received_at.toISOString(),
      encoded_request: Buffer.from(body).toString('base64'),
      subject_request_id: row.wire_id,
    };
    return signedAnswer(201, answer, options);
  }

  async function cancel(call: OpenDsrCall): Promise<WireAnswer> {
    const { owner, row, request } = await found(call);
    if (request !== undefined && row.status === 'pending') {
      await requests.command(callerOf(owner), request.id, {
        type: 'cancel',
        reason: 'The controller cancelled it.',
      });
      await follower.note(owner, row);
    } else if (row.status !== 'cancelled') {
      return errorAnswer(400, `The request is ${row.status}; only a pending one can be cancelled.`);
    }
    const answer = {
      controller_id: owner.partner_id,
      received_time: clock.now().toISOString(),
      subject_request_id: row.wire_id,
      api_version: call.version,
    };
    return signedAnswer(202, answer, options);
  }

  return {
    discovery: (version) =>
      answered(async () =>
        signedAnswer(
          200,
          {
            api_version: version,
            supported_identities: Object.keys(options.identities).map((type) => ({
              identity_type: type,
              identity_format: 'raw',
            })),
            supported_subject_request_types: REQUEST_TYPES,
            processor_certificate: `https://${domain}/v2/certificate.pem`,
          },
          options,
        ),
      ),
    certificate: () =>
      answered(async () => ({
        status: 200,
        headers: { 'content-type': 'application/x-pem-file' },
        body: options.certificate.pem(),
      })),
    receive: (call) => answered(() => receive(call)),
    status: (call) =>
      answered(async () => {
        const told = await found(call);
        const { version } = call;
        return signedAnswer(200, statusBody(told, { status: told.row.status, version, domain }), options);
      }),
    cancel: (call) => answered(() => cancel(call)),
    results: (call) =>
      answered(async () => {
        const { owner, request } = await found(call);
        if (request === undefined || request.package === null)
          throw new HabeasError(
            'NOT_FOUND',
            'There are no results: not yet, not any more, or it is an erasure.',
          );
        const opened = await requests.openPackage(callerOf(owner), request.id, 'zip');
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

function unknownController(): HabeasError {
  return new HabeasError(
    'UNAUTHENTICATED',
    'Send the token of a registered controller: `Authorization: Bearer <token>`.',
  );
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function isMistakes(
  read: ReturnType<typeof readRequest>,
): read is Exclude<typeof read, { readonly right: unknown }> {
  return Array.isArray(read);
}
