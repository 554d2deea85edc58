import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  durationFromMs,
  type Timestamp,
  timestampDate,
  timestampFromDate,
  type Value,
} from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Change,
  type DescribeResponseSchema,
  ObjectRequest_Kind,
  type OperationSchema,
  type PDClient,
  type RecordSchema,
  Operation_State as State,
} from '@habeas/contract/pd';
import type {
  FieldValue,
  OperationRpc,
  OperationState,
  OperationWork,
  StoredOperation,
} from './operation-store.ts';
import type { Operations, OperationView } from './operations.ts';
import type { Description, PersonalDataHandlers } from './personal-data.ts';

/** Records in one answer when Habeas does not say how many it wants, and the most it can get. */
const DEFAULT_PAGE_SIZE = 500;
const MAX_PAGE_SIZE = 5_000;
const MAX_IDENTITIES = 100;
const MAX_TEXT = 1_000;

const STATES: Readonly<Record<OperationState, State>> = {
  QUEUED: State.QUEUED,
  RUNNING: State.RUNNING,
  SUCCEEDED: State.SUCCEEDED,
  NO_MATCH: State.NO_MATCH,
  RETAINED: State.RETAINED,
  FAILED: State.FAILED,
};

interface PersonCall {
  readonly requestId: string;
  readonly idempotencyKey: string;
  readonly identities: readonly { readonly type: string; readonly value: string }[];
  readonly dueTime?: Timestamp | undefined;
  readonly dryRun: boolean;
  readonly callback?: { readonly url: string; readonly secret: string } | undefined;
}

interface PageAsked {
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface PdRoutesOptions {
  readonly service: string;
  readonly handlers: PersonalDataHandlers;
  readonly operations: Operations;
  /** What to tell as retry_after while an operation goes on, in milliseconds. */
  readonly retryAfter: number;
}

/** The contract's rpcs over the team's handlers. */
export function pdRoutes({
  service,
  handlers,
  operations,
  retryAfter,
}: PdRoutesOptions): ServiceImpl<typeof PDClient> {
  const submit = async (
    rpc: OperationRpc,
    call: PersonCall,
    context: HandlerContext,
    work?: OperationWork,
  ): Promise<OperationView> => {
    checkCall(call);
    const view = await operations.submit({
      rpc,
      idempotencyKey: call.idempotencyKey,
      dryRun: call.dryRun,
      request: {
        requestId: call.requestId,
        identities: call.identities.map(({ type, value }) => ({ type, value })),
        dueTime: call.dueTime === undefined ? null : timestampDate(call.dueTime).toISOString(),
        ...(work === undefined ? {} : { work }),
      },
      callback: call.callback === undefined ? undefined : checkedCallback(call.callback),
      deadline: context.timeoutMs(),
    });
    if (view !== undefined) return view;
    throw invalid('this idempotency_key was used for another call');
  };
  const toOperation = (operation: StoredOperation) => operationMessage(operation, retryAfter);
  const answer = ({ operation }: OperationView) => ({ operation: toOperation(operation) });
  return {
    async get(call, context) {
      const work = call.portability ? { portability: true as const } : undefined;
      const view = await submit('Get', call, context, work);
      return { ...answer(view), ...(await recordsPage(view, call)) };
    },
    async delete(call, context) {
      return answer(await submit('Delete', call, context));
    },
    async verify(call, context) {
      return answer(await submit('Verify', call, context));
    },
    async rectify(call, context) {
      if (handlers.rectify === undefined) throw notOffered('Rectify');
      if (call.changes.length === 0) throw invalid('changes must have an entry');
      return answer(await submit('Rectify', call, context, { changes: call.changes.map(changeOf) }));
    },
    async restrict(call, context) {
      if (handlers.restrict === undefined) throw notOffered('Restrict');
      return answer(await submit('Restrict', call, context, { lift: call.lift }));
    },
    async object(call, context) {
      if (handlers.object === undefined) throw notOffered('Object');
      const { lift, purposes } = call;
      const work = { kind: kindOf(call.kind), purposes: [...new Set(purposes)].sort(), lift };
      return answer(await submit('Object', call, context, work));
    },
    async resolveIdentities(call, context) {
      if (handlers.resolveIdentities === undefined) {
        throw new ConnectError('this service resolves no identities', Code.Unimplemented);
      }
      const view = await submit('ResolveIdentities', call, context);
      return { ...answer(view), identities: await identitiesOf(view) };
    },
    async getOperation(call) {
      const view = await (call.idempotencyKey === ''
        ? operations.find(call.name)
        : operations.findByKey(call.idempotencyKey));
      if (view === undefined) throw unknownOperation();
      return view.operation.rpc === 'ResolveIdentities'
        ? { ...answer(view), identities: await identitiesOf(view) }
        : { ...answer(view), ...(await recordsPage(view, call)) };
    },
    async cancelOperation({ name, idempotencyKey }) {
      const view = await operations.cancel(idempotencyKey === '' ? { name } : { idempotencyKey });
      if (view === undefined) throw unknownOperation();
      return answer(view);
    },
    async *download(asked) {
      const view = await operations.find(asked.name);
      if (view === undefined) throw unknownOperation();
      yield* downloaded(view, asked);
    },
    async describe() {
      const given = typeof handlers.describe === 'function' ? await handlers.describe() : handlers.describe;
      return descriptionMessage(service, given, handlers);
    },
  };
}

function descriptionMessage(
  service: string,
  given: Description,
  handlers: PersonalDataHandlers,
): MessageInitShape<typeof DescribeResponseSchema> {
  return {
    service,
    dataCategories: [...given.dataCategories],
    identityTypesNeeded: [...given.identitiesNeeded],
    identityTypesResolved: [...(given.identitiesResolved ?? [])],
    rights: [
      'access',
      'erasure',
      ...(given.portability === true ? ['portability'] : []),
      ...(handlers.rectify === undefined ? [] : ['rectification']),
      ...(handlers.restrict === undefined ? [] : ['restriction']),
      ...(handlers.object === undefined ? [] : ['objection']),
    ],
    limits: { maxConcurrentCalls: given.maxConcurrentCalls ?? 0, maxPageSize: MAX_PAGE_SIZE },
  };
}

function operationMessage(
  operation: StoredOperation,
  retryAfter: number,
): MessageInitShape<typeof OperationSchema> {
  const { name, state, result } = operation;
  const goesOn = state === 'QUEUED' || state === 'RUNNING';
  const end = (until: string | null) => (until === null ? {} : { until: timestampFromDate(new Date(until)) });
  return {
    name,
    state: STATES[state],
    ...(goesOn ? { retryAfter: durationFromMs(retryAfter) } : {}),
    ...(result === null || goesOn
      ? {}
      : {
          counts: { ...result.counts },
          retained: result.retained.map(({ category, count, reason, until }) => ({
            category,
            count,
            reason,
            ...end(until),
          })),
          residuals: result.residuals.map(({ what, until }) => ({ what, ...end(until) })),
          ...(result.error === null ? {} : { error: result.error }),
        }),
  };
}

async function recordsPage(view: OperationView, { pageSize, pageToken }: PageAsked) {
  if (view.operation.rpc !== 'Get') return {};
  if (view.gone) throw expired();
  const { spool } = view;
  if (spool === undefined) {
    if (pageToken !== '') throw expired();
    return {};
  }
  const token = /^(\w+)\.(\d{1,15})$/.exec(pageToken);
  if (pageToken !== '' && token?.[1] !== spool.id) throw expired();
  const size = Math.min(pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize, MAX_PAGE_SIZE);
  const page = await spool.page(Number(token?.[2] ?? 0), size).catch((error: unknown) => {
    throw error instanceof RangeError ? invalid('page_token is none that this service gave') : error;
  });
  return {
    records: page.lines.map((line): MessageInitShape<typeof RecordSchema> => JSON.parse(line)),
    nextPageToken: page.next === null ? '' : `${spool.id}.${page.next}`,
    ...(pageToken === '' && page.next !== null
      ? { download: { size: BigInt(spool.whole.bytes), sha256: spool.whole.sha256 } }
      : {}),
  };
}

/** The bytes of a result from an offset on. A reader that is slow keeps the result as long as it reads. */
async function* downloaded(
  view: OperationView,
  asked: { readonly offset: bigint; readonly sha256: string },
): AsyncGenerator<{ readonly data: Uint8Array<ArrayBuffer> }> {
  const { spool } = view;
  if (view.operation.rpc !== 'Get' || spool === undefined || spool.whole.sha256 !== asked.sha256)
    throw expired();
  if (asked.offset > BigInt(spool.whole.bytes)) throw invalid('offset is behind the end of the result');
  try {
    for await (const data of spool.chunks(Number(asked.offset))) {
      view.keep();
      yield { data };
    }
  } catch (error) {
    throw error instanceof RangeError ? expired() : error;
  }
}

async function identitiesOf(view: OperationView) {
  if (view.gone) throw expired();
  const identities: { type: string; value: string }[] = [];
  for (let offset: number | null = 0; offset !== null && view.spool !== undefined; ) {
    const page = await view.spool.page(offset, MAX_PAGE_SIZE);
    identities.push(...page.lines.map((line) => JSON.parse(line)));
    offset = page.next;
  }
  return identities;
}

function checkCall({ requestId, idempotencyKey, identities }: PersonCall): void {
  const texts: readonly (readonly [string, string])[] = [
    ['request_id', requestId],
    ['idempotency_key', idempotencyKey],
    ...identities.flatMap(({ type, value }): [string, string][] => [
      ['identities.type', type],
      ['identities.value', value],
    ]),
  ];
  for (const [field, text] of texts) {
    // NUL has no place in an identity, and PostgreSQL refuses it with an error that quotes the rest.
    if (text === '' || text.length > MAX_TEXT || text.includes('\0')) {
      throw invalid(`${field} must be a text of 1 to ${MAX_TEXT} characters without NUL`);
    }
  }
  if (identities.length === 0 || identities.length > MAX_IDENTITIES) {
    throw invalid(`identities must have 1 to ${MAX_IDENTITIES} entries`);
  }
}

const KINDS: ReadonlyMap<ObjectRequest_Kind, NonNullable<OperationWork['kind']>> = new Map([
  [ObjectRequest_Kind.OBJECTION, 'objection'],
  [ObjectRequest_Kind.OPT_OUT_OF_SALE, 'opt_out_of_sale'],
  [ObjectRequest_Kind.LIMIT_SENSITIVE_DATA, 'limit_sensitive_data'],
]);

function kindOf(kind: ObjectRequest_Kind): NonNullable<OperationWork['kind']> {
  const known = KINDS.get(kind);
  if (known === undefined) throw invalid('kind is none of the contract');
  return known;
}

function changeOf({ target, from, to }: Change): NonNullable<OperationWork['changes']>[number] {
  if (target === '' || target.length > MAX_TEXT) throw invalid('changes.target must be a text');
  return { target, ...(from === undefined ? {} : { from: fieldValue(from) }), to: fieldValue(to) };
}

function fieldValue(value: Value | undefined): FieldValue {
  const { kind } = value ?? {};
  switch (kind?.case) {
    case 'stringValue':
    case 'numberValue':
    case 'boolValue':
      return kind.value;
    case 'nullValue':
      return null;
    default:
      throw invalid('changes.from and changes.to must be a text, a number, a boolean or null');
  }
}

function unknownOperation(): ConnectError {
  return new ConnectError('there is no such operation', Code.NotFound);
}

function notOffered(rpc: string): ConnectError {
  return new ConnectError(`this service does not offer ${rpc}`, Code.Unimplemented);
}

function checkedCallback({ url, secret }: { readonly url: string; readonly secret: string }) {
  const scheme = URL.canParse(url) ? new URL(url).protocol : '';
  if ((scheme !== 'http:' && scheme !== 'https:') || secret === '') {
    throw invalid('callback must have an http or https url and a secret');
  }
  return { url, secret };
}

function invalid(text: string): ConnectError {
  return new ConnectError(text, Code.InvalidArgument);
}

function expired(): ConnectError {
  return new ConnectError(
    'the result is no longer here; make the call again with the same idempotency_key and without page_token or offset',
    Code.Aborted,
  );
}
