import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { PDClient } from '@habeas/contract/pd';
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
    identities: scope.identities.map(({ type, value }) => ({ type, value })),
    dueTime: timestampFromDate(scope.dueTime),
    ...(scope.callback === undefined ? {} : { callback: { ...scope.callback } }),
  };
}

export function evidenceOf(ended: Ended, notes: readonly string[] = []): Evidence {
  const { matched, counts, retained, residuals } = ended;
  return { matched, counts, retained, residuals, notes };
}

/**
 * The operation of an earlier attempt, if the service still knows it and it did not fail; undefined: make the call (again), which by
 * its key is the same operation.
 */
export async function earlier(client: PdClient, scope: Scope, pageToken = '') {
  if (scope.operation === undefined) return undefined;
  try {
    const request = { name: scope.operation, pageSize: PAGE_SIZE, pageToken };
    const response = await client.call(getOperation, request, scope);
    const reading = client.read(response.operation, 'GetOperation');
    if (reading.state !== 'failed') return { response, reading };
    if (!reading.retryable) throw client.failed(reading, 'GetOperation');
    return undefined;
  } catch (error) {
    const forgotten = [Code.NotFound, Code.Unimplemented, Code.Aborted].some((code) => answered(error, code));
    if (forgotten) return undefined;
    throw error;
  }
}
