import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { PDClient } from '@habeas/contract/pd';
import { namesThings } from '../../catalog/index.ts';
import type { Evidence, Scope } from '../connector.ts';
import { answered } from './explain-failure.ts';
import type { PdClient } from './pd-client.ts';
import type { OperationReading } from './read-operation.ts';

export type Ended = Extract<OperationReading, { state: 'ended' }>;

export const PAGE_SIZE = 5_000;

const { getOperation } = PDClient.method;

/** The fields that every call about a person has. */
export function callOf(scope: Scope) {
  return {
    requestId: scope.requestId,
    idempotencyKey: scope.idempotencyKey,
    // Names of things in other stores are no business of a service.
    identities: scope.identities
      .filter(({ type }) => !namesThings(type))
      .map(({ type, value }) => ({ type, value })),
    dueTime: timestampFromDate(scope.dueTime),
    ...(scope.callback === undefined ? {} : { callback: { ...scope.callback } }),
  };
}

export function evidenceOf(ended: Ended, notes: readonly string[] = []): Evidence {
  const { matched, counts, retained, residuals } = ended;
  return { matched, counts, retained, residuals, notes };
}

/** Answers to a name that a service does not know. */
const UNKNOWN: readonly Code[] = [Code.NotFound, Code.Unimplemented, Code.Aborted];
/** Answers of services that do not expect to be asked by a key. */
const UNKNOWN_BY_KEY: readonly Code[] = [
  ...UNKNOWN,
  Code.InvalidArgument,
  Code.FailedPrecondition,
  Code.Internal,
];

/**
 * The operation of an earlier attempt, if the service still knows it and it did not fail; undefined: make the call (again), which by
 * its key is the same operation. An attempt whose answer was lost is asked after by its key before the call is repeated.
 */
export async function earlier(client: PdClient, scope: Scope, pageToken = '') {
  const { operation, idempotencyKey, retried } = scope;
  if (operation === undefined && retried === undefined) return undefined;
  try {
    const named = operation === undefined ? { name: '-', idempotencyKey } : { name: operation };
    const request = { ...named, pageSize: PAGE_SIZE, pageToken };
    const response = await client.call(getOperation, request, scope);
    const reading = client.read(response.operation, 'GetOperation');
    if (reading.state !== 'failed') return { response, reading };
    if (!reading.retryable) throw client.failed(reading, 'GetOperation');
    return undefined;
  } catch (error) {
    const unknown = operation === undefined ? UNKNOWN_BY_KEY : UNKNOWN;
    if (unknown.some((code) => answered(error, code))) return undefined;
    throw error;
  }
}
