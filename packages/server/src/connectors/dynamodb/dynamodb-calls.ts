import {
  type AwsAccount,
  type Clock,
  createOutbound,
  createSignedCalls,
  HabeasError,
  type HttpReply,
  pause,
} from '../../foundation/index.ts';

/** One operation: what it is asked and what it answers is JSON. Throttled ones are asked again. */
export interface DynamoDb {
  ask(operation: string, input: object, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>;
  close(): void;
}

const TIMEOUT_MILLISECONDS = 60_000;
const ANSWER_BYTES = 32 << 20;
const TRIES = 6;
const FIRST_PAUSE_MILLISECONDS = 100;
const BUSY: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'InternalServerError',
]);

export function createDynamoDb(options: {
  /** The connection, for texts of errors. */
  readonly key: string;
  readonly account: AwsAccount;
  readonly clock: Clock;
}): DynamoDb {
  const { key, account, clock } = options;
  // The address stands in the configuration, like those of databases.
  const outbound = createOutbound({ policy: () => true });
  const calls = createSignedCalls({ account, service: 'dynamodb', outbound, clock });
  return {
    async ask(operation, input, signal) {
      for (let turn = 1; ; turn += 1) {
        signal.throwIfAborted();
        const reply = await calls.call({
          method: 'POST',
          path: '/',
          headers: {
            'content-type': 'application/x-amz-json-1.0',
            'x-amz-target': `DynamoDB_20120810.${operation}`,
          },
          body: Buffer.from(JSON.stringify(input)),
          timeout: TIMEOUT_MILLISECONDS,
          maxBytes: ANSWER_BYTES,
          signal,
        });
        if (reply.status === 200) return JSON.parse(reply.body.toString());
        const code = codeOf(reply);
        const busy = reply.status >= 500 || BUSY.has(code);
        if (!busy || turn === TRIES) throw refused({ key, operation, code, busy });
        await pause(pauseAfter(turn), signal);
      }
    },
    close: () => calls.close(),
  };
}

/** Longer each time. */
export function pauseAfter(turn: number): number {
  return FIRST_PAUSE_MILLISECONDS * 2 ** Math.min(turn - 1, 6);
}

/** The one word of an error that is no quotation of ours: `ResourceNotFoundException`. */
function codeOf({ status, body }: HttpReply): string {
  try {
    const { __type: type }: { readonly __type?: unknown } = JSON.parse(body.toString());
    const [, code] = /([A-Za-z]{1,64})$/.exec(String(type)) ?? [];
    return code ?? String(status);
  } catch {
    return String(status);
  }
}

function refused(call: {
  readonly key: string;
  readonly operation: string;
  readonly code: string;
  readonly busy: boolean;
}): HabeasError {
  const { key, operation, code, busy } = call;
  if (busy)
    return new HabeasError(
      'SYSTEM_UNREACHABLE',
      `DynamoDB of ${key} cannot be used now: ${operation} answers ${code}.`,
      {
        retryable: true,
      },
    );
  if (code === 'ResourceNotFoundException')
    return new HabeasError(
      'SCHEMA_MISMATCH',
      `DynamoDB of ${key} has no table or index that ${operation} asks for. Correct the dataset, the address or the region.`,
    );
  return new HabeasError(
    'SYSTEM_REFUSED',
    `DynamoDB of ${key} does not take our calls: ${operation} answers ${code}. Check the region, the keys and what they may do (docs/connect-dynamodb.md).`,
    { retryable: code === 'AccessDeniedException' },
  );
}
