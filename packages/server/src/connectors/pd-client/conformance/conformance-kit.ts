import { randomUUID } from 'node:crypto';
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { durationMs, type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { type GetResponse, type Operation, PDClient, type Record as WireRecord } from '@habeas/contract/pd';
import type { Identity } from '../../../catalog/index.ts';
import { HabeasError, pause } from '../../../foundation/index.ts';
import { must, Violation } from '../../conformance/index.ts';
import { explainFailure } from '../explain-failure.ts';
import type { PdTransport, SignToken } from '../pd-call.ts';
import { type OperationReading, readOperation } from '../read-operation.ts';

export interface KitOptions {
  readonly service: string;
  readonly transport: PdTransport;
  readonly signToken: SignToken;
  readonly signExpiredToken: SignToken | undefined;
  readonly subject: readonly Identity[];
  readonly unknownSubject: readonly Identity[];
  /** For one call, in milliseconds. */
  readonly timeout: number;
  /** For an asynchronous operation to its end, in milliseconds. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/** The fields that calls about a person have. */
export interface PersonCall {
  readonly requestId: string;
  readonly idempotencyKey: string;
  readonly identities: { readonly type: string; readonly value: string }[];
  readonly dueTime: Timestamp;
  readonly dryRun?: boolean;
}

export interface CallSettings {
  /** The value of `authorization` instead of a good token; null sends none. */
  readonly authorization?: string | null;
  /** In milliseconds. */
  readonly timeout?: number;
}

/** Everything that a Get gave, over all its pages. */
export interface Got {
  readonly operation: Operation;
  readonly reading: Extract<OperationReading, { state: 'ended' }>;
  readonly records: readonly WireRecord[];
  /** How many records each page had. */
  readonly pages: readonly number[];
}

/** An operation at its end, and how it got there. */
export interface Ended {
  readonly operation: Operation;
  readonly reading: Extract<OperationReading, { state: 'ended' }>;
  /** How often GetOperation was asked; 0 when the first answer was the end. */
  readonly polls: number;
}

/** What cases ask the service with. */
export interface ConformanceKit extends KitOptions {
  /** What the erasure of the test person was, once it has begun: later cases look at it. */
  erasure: { readonly call: PersonCall; readonly operation: Operation; readonly wasOne: boolean } | undefined;
  /** A call about a person, with a request and a key of its own. */
  person(identities: readonly Identity[], more?: Partial<PersonCall>): PersonCall;
  call<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
    settings?: CallSettings,
  ): Promise<MessageShape<Output>>;
  /** The code that the service answered with instead of a result; undefined when it answered a result. Other failures are thrown. */
  refusal(call: Promise<unknown>): Promise<Code | undefined>;
  /** Polls until the operation ends. */
  end(operation: Operation | undefined): Promise<Ended>;
  get(call: PersonCall, pageSize?: number): Promise<Got>;
}

const MAX_PAGES = 10_000;
const MIN_PAUSE_MILLISECONDS = 50;
const MAX_PAUSE_MILLISECONDS = 5_000;

export function createKit(options: KitOptions): ConformanceKit {
  const call: ConformanceKit['call'] = async (method, request, settings = {}) => {
    const timeout = settings.timeout ?? options.timeout;
    const requestId =
      'requestId' in request && typeof request.requestId === 'string' ? request.requestId : undefined;
    const claims = { audience: options.service, requestId, method: method.name };
    const authorization =
      settings.authorization === undefined
        ? `Bearer ${await options.signToken(claims)}`
        : settings.authorization;
    const { signal } = options;
    try {
      return await options.transport.call(method, request, {
        authorization: authorization ?? undefined,
        timeout,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw explainFailure(error, { who: options.service, rpc: method.name, timeout });
    }
  };
  const read = (operation: Operation | undefined): OperationReading => {
    try {
      return readOperation(operation);
    } catch (error) {
      throw new Violation(
        error instanceof Error ? `The service ${error.message}.` : 'The operation cannot be read.',
      );
    }
  };
  const endOf = (reading: OperationReading): Extract<OperationReading, { state: 'ended' }> => {
    must(reading.state !== 'failed', 'The operation FAILED; the case needs one that ends well.');
    must(reading.state === 'ended', 'The operation had ended and then went on.');
    return reading;
  };
  const untilEnd = async (first: Operation | undefined): Promise<Ended> => {
    let operation = first;
    let reading = read(operation);
    let polls = 0;
    let waited = 0;
    while (reading.state === 'pending') {
      must(waited < options.patience, `The operation did not end within ${options.patience} ms.`);
      const asked = operation?.retryAfter === undefined ? 0 : durationMs(operation.retryAfter);
      const milliseconds = Math.min(Math.max(asked, MIN_PAUSE_MILLISECONDS), MAX_PAUSE_MILLISECONDS);
      await pause(milliseconds, options.signal);
      waited += milliseconds;
      const name = reading.operation;
      operation = (await call(PDClient.method.getOperation, { name })).operation;
      polls += 1;
      must(operation?.name === name, 'GetOperation answered with an operation of another name.');
      reading = read(operation);
    }
    const ended = endOf(reading);
    must(operation !== undefined, 'There is no operation.');
    return { operation, reading: ended, polls };
  };
  return {
    ...options,
    erasure: undefined,
    person: (identities, more = {}) => ({
      requestId: `conformance-${randomUUID()}`,
      idempotencyKey: randomUUID(),
      identities: identities.map(({ type, value }) => ({ type, value })),
      dueTime: timestampFromDate(new Date('2100-01-01T00:00:00Z')),
      ...more,
    }),
    call,
    async refusal(pending) {
      try {
        await pending;
        return undefined;
      } catch (error) {
        if (!(error instanceof HabeasError)) throw error;
        if (error.code === 'SYSTEM_TIMEOUT') return Code.DeadlineExceeded;
        if (error.cause instanceof ConnectError) return error.cause.code;
        throw error;
      }
    },
    end: untilEnd,
    async get(request, pageSize = 0) {
      const first = await call(PDClient.method.get, { ...request, pageSize });
      const { operation, reading, polls } = await untilEnd(first.operation);
      const page = async (pageToken: string): Promise<Pick<GetResponse, 'records' | 'nextPageToken'>> =>
        polls === 0
          ? call(PDClient.method.get, { ...request, pageSize, pageToken })
          : call(PDClient.method.getOperation, { name: operation.name, pageSize, pageToken });
      const records: WireRecord[] = [];
      const pages: number[] = [];
      let current = polls === 0 ? first : await page('');
      for (;;) {
        records.push(...current.records);
        pages.push(current.records.length);
        if (current.nextPageToken === '') return { operation, reading, records, pages };
        must(pages.length < MAX_PAGES, `Get has more than ${MAX_PAGES} pages; do they end?`);
        current = await page(current.nextPageToken);
      }
    },
  };
}

/** How a code is written in details. */
export function nameOfCode(code: Code | undefined): string {
  return code === undefined ? 'a result' : Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}
