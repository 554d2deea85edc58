import { Code, ConnectError } from '@connectrpc/connect';
import { type ErrorCode, HabeasError } from '../../foundation/index.ts';

/** The codes of what is found on the way to a service; such a text begins with the address. */
const ON_THE_WAY: ReadonlySet<ErrorCode> = new Set([
  'SYSTEM_UNREACHABLE',
  'SYSTEM_TIMEOUT',
  'SYSTEM_GARBAGE',
  'ADDRESS_NOT_APPROVED',
]);

/** An answer that breaks the contract. The message goes on from "<service> ": "answered with …". Never quotes the answer. */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
}

export interface FailureContext {
  /** Such as `accounts (team identity) at pd.svc:1337`. */
  readonly who: string;
  /** The rpc. */
  readonly rpc: string;
  /** How long the call was allowed to take, in milliseconds. */
  readonly timeout: number;
}

/** Brings whatever a call failed with to one of our codes. What the service wrote is the cause only: it may hold personal data. */
export function explainFailure(error: unknown, { who, rpc, timeout }: FailureContext): HabeasError {
  if (error instanceof HabeasError) return byName(error, who);
  const made = (code: ErrorCode, message: string, retryable: boolean) =>
    new HabeasError(code, message, { cause: error, retryable });
  const garbage = (what: string) =>
    made('SYSTEM_GARBAGE', `${who} ${what}. Its ${rpc} breaks the contract.`, false);
  if (error instanceof UnusableAnswer) return garbage(error.message);
  const own = ownError(error);
  if (own !== undefined) return byName(own, who);
  const failure = ConnectError.from(error);
  if (!isAnswer(failure)) return explainBrokenCall(failure, { made, garbage, who, rpc, timeout });
  switch (failure.code) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return made(
        'SYSTEM_REFUSED',
        `${who} refused our token for ${rpc}. Check that it knows the public key of this server, that its clock is right, and that it goes by that name.`,
        false,
      );
    case Code.DeadlineExceeded:
      return made('SYSTEM_TIMEOUT', `${who} gave up ${rpc} because it took too long.`, true);
    case Code.Unavailable:
      return made('SYSTEM_UNREACHABLE', `${who} is not available for ${rpc}.`, true);
    case Code.Unimplemented:
      return made('SYSTEM_REFUSED', `${who} does not offer ${rpc}, which the contract asks for.`, false);
    case Code.NotFound:
    case Code.InvalidArgument:
    case Code.FailedPrecondition:
    case Code.AlreadyExists:
    case Code.OutOfRange:
      return made('SYSTEM_REFUSED', `${who} refused ${rpc} (${Code[failure.code]}).`, false);
    case Code.Canceled:
    case Code.Aborted:
    case Code.ResourceExhausted:
    case Code.Internal:
    case Code.Unknown:
    case Code.DataLoss:
      return made('SYSTEM_FAILED', `${who} failed during ${rpc} (${Code[failure.code]}).`, true);
    default:
      return failure.code satisfies never;
  }
}

/** The header by which the HTTP transport marks an error as the service's own. */
export const ANSWERED_STATUS = 'http-status';

/** Whether the service said this, and not our side of the connection. */
function isAnswer(failure: ConnectError): boolean {
  return failure.metadata.has('grpc-status') || failure.metadata.has(ANSWERED_STATUS);
}

/** What our side makes of a call that brought no answer of the contract. */
function explainBrokenCall(
  failure: ConnectError,
  context: FailureContext & {
    readonly made: (code: ErrorCode, message: string, retryable: boolean) => HabeasError;
    readonly garbage: (what: string) => HabeasError;
  },
): HabeasError {
  const { made, garbage, who, rpc, timeout } = context;
  const reason = nodeCode(failure);
  const unreachable = made(
    'SYSTEM_UNREACHABLE',
    `${who} could not be reached for ${rpc}, or the connection broke (${reason ?? Code[failure.code]}).`,
    true,
  );
  if (failure.code === Code.DeadlineExceeded) {
    return made('SYSTEM_TIMEOUT', `${who} did not answer ${rpc} within ${timeout} ms.`, true);
  }
  const broken = [Code.Unavailable, Code.Canceled, Code.Aborted].includes(failure.code);
  // nghttp2 reports bytes that are no HTTP/2 under this one code; all other codes of Node are about connections.
  if (broken || (reason !== undefined && reason !== 'ERR_HTTP2_ERROR')) return unreachable;
  if (/^HTTP (?:401|403)$/.test(failure.rawMessage)) {
    return made('SYSTEM_REFUSED', `Something before ${who} refused ${rpc} (${failure.rawMessage}).`, false);
  }
  if (/^HTTP 5\d\d$/.test(failure.rawMessage)) {
    return made('SYSTEM_FAILED', `${who} failed during ${rpc} (${failure.rawMessage}).`, true);
  }
  return garbage('answered with something that is not the gRPC that it is declared with, or is too large');
}

function nodeCode(failure: ConnectError): string | undefined {
  for (let at: unknown = failure, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return failure.cause instanceof Error ? failure.cause.name : undefined;
}

/** Whether the service answered with this code. */
export function answered(error: unknown, code: Code): boolean {
  const cause = error instanceof HabeasError ? error.cause : error;
  return cause instanceof ConnectError && isAnswer(cause) && cause.code === code;
}

/** A person looks for a service and its team, not for an address. */
function byName(error: HabeasError, who: string): HabeasError {
  if (!ON_THE_WAY.has(error.code) || error.message.startsWith(who)) return error;
  const { retryable, details } = error;
  return new HabeasError(error.code, `${who} at ${error.message}`, { cause: error, retryable, details });
}

/** An error of ours that came through a library: a refused address ends its socket with one. */
function ownError(error: unknown): HabeasError | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if (at instanceof HabeasError) return at;
  }
  return undefined;
}
