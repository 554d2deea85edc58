import { randomUUID } from 'node:crypto';
import { Code } from '@connectrpc/connect';
import { type GetResponse, PDClient, type Identity as WireIdentity } from '@habeas/contract/pd';
import type { Identity } from '../../catalog/index.ts';
import { HabeasError, pause } from '../../foundation/index.ts';
import type {
  Capability,
  CollectSources,
  CollectStep,
  EraseMode,
  Health,
  LocatedScope,
  Outcome,
  Residue,
  RunningOperation,
  Scope,
} from '../connector.ts';
import type { ClientConnector } from '../systems.ts';
import { changeSubject } from './change-subject.ts';
import { describeService, type PdClientDescription } from './describe-service.ts';
import { downloadRecords } from './download-records.ts';
import { answered } from './explain-failure.ts';
import { callOf, type Ended, earlier, evidenceOf, PAGE_SIZE } from './operation-calls.ts';
import { createPdClient, type PdClient, type PdClientOptions } from './pd-client.ts';
import type { OperationReading } from './read-operation.ts';
import { toldText } from './told-text.ts';

/** What acts on a service that answers the contract. */
export interface PdClientConnector extends ClientConnector {
  describe(signal: AbortSignal): Promise<PdClientDescription>;
}

const CAPABILITIES: ReadonlySet<Capability> = new Set([
  'resolve',
  'collect',
  'portability',
  'erase',
  'rectify',
  'restrict',
  'object',
  'verify',
]);
/** How long work that has to be waited for within one call may take: reading a store again is not a matter of days. */
const WAIT_MILLISECONDS = 60_000;
const MAX_IDENTITIES = 1_000;
const MAX_VALUE = 1_000;

const { get, delete: erase, verify, resolveIdentities, getOperation } = PDClient.method;

/**
 * A connector over the gRPC or HTTP/JSON contract. Every method throws HabeasErrors only: SYSTEM_UNREACHABLE and SYSTEM_TIMEOUT may be
 * tried again with the same scope (the contract makes the second attempt the same operation), SYSTEM_REFUSED, SYSTEM_GARBAGE and
 * ADDRESS_NOT_APPROVED need a person, SYSTEM_FAILED as the service says.
 */
export function createPdClientConnector(options: PdClientOptions): PdClientConnector {
  const client = createPdClient(options);
  return {
    capabilities: CAPABILITIES,
    check: () => checkService(client, options),
    describe: (signal) => describeService(client, signal),
    resolve: (scope) => resolveSubject(client, scope),
    collect: (scope, sources = 'all') => collectRecords(client, scope, sources),
    erase: (scope, mode) => eraseSubject(client, scope, mode),
    change: (scope, work, mode) => changeSubject(client, scope, { system: options.service, work, mode }),
    verify: (scope) => verifyErased(client, scope),
    cancel: (operation) => cancelOperation(client, operation),
    async close() {
      client.close();
    },
  };
}

async function checkService(client: PdClient, options: PdClientOptions): Promise<Health> {
  try {
    const found = await describeService(client, AbortSignal.timeout(options.timeoutMilliseconds));
    const other = found.service !== undefined && found.service !== options.service;
    const problems = [
      ...found.problems,
      ...(other
        ? [`It calls itself by another name than ${options.service}; its tokens must be for its own name.`]
        : []),
    ];
    return {
      ok: problems.length === 0,
      message: `${client.who} answers over ${options.protocol}.`,
      problems,
    };
  } catch (error) {
    const { message } = HabeasError.from(error, 'SYSTEM_FAILED');
    return { ok: false, message, problems: [message] };
  }
}

async function eraseSubject(client: PdClient, scope: LocatedScope, mode: EraseMode): Promise<Outcome> {
  const before = await earlier(client, scope);
  const reading =
    before?.reading ??
    client.read(
      (await client.call(erase, { ...callOf(scope), dryRun: mode === 'dry-run' }, scope)).operation,
      erase.name,
    );
  if (reading.state === 'pending') return reading;
  if (reading.state === 'failed') throw client.failed(reading, erase.name);
  return { state: 'done', evidence: evidenceOf(reading) };
}

/** A service that does not offer it, or does not know the operation any more, has nothing that could be stopped. */
async function cancelOperation(client: PdClient, stopped: RunningOperation): Promise<void> {
  try {
    await client.call(PDClient.method.cancelOperation, { name: stopped.operation }, stopped);
  } catch (error) {
    const { retryable } = HabeasError.from(error, 'SYSTEM_FAILED');
    if (retryable) throw error;
  }
}

async function* collectRecords(
  client: PdClient,
  scope: Scope,
  sources: CollectSources,
): AsyncGenerator<CollectStep> {
  const portability = sources !== 'all' && (await tellsProvided(client, scope));
  const before = await earlier(client, scope);
  const page: ReadPage = (pageToken) =>
    before === undefined
      ? client.call(get, { ...callOf(scope), portability, pageSize: PAGE_SIZE, pageToken }, scope)
      : client.call(
          getOperation,
          { name: before.response.operation?.name ?? '', pageSize: PAGE_SIZE, pageToken },
          scope,
        );
  const first = before?.response ?? (await page(''));
  const reading = client.read(first.operation, get.name);
  if (reading.state === 'failed') throw client.failed(reading, get.name);
  if (reading.state === 'pending') {
    yield reading;
    return;
  }
  const counted = new Map<string, number>();
  for await (const { collection: told, row } of recordsOf(client, { scope, first, page })) {
    if (!reading.matched) throw client.garbage('answered NO_MATCH, but gave records', get.name);
    if (told === '' || row === undefined) {
      throw client.garbage('answered with a record that has no collection or no row', get.name);
    }
    const collection = toldText(told);
    counted.set(collection, (counted.get(collection) ?? 0) + 1);
    yield { state: 'item', item: { collection, row } };
  }
  const counts = Object.fromEntries(counted);
  const notes = differing(counts, reading.counts) ? ['The service counted other numbers than it gave.'] : [];
  yield { state: 'done', evidence: evidenceOf({ ...reading, counts }, notes) };
}

type Page = Pick<GetResponse, 'operation' | 'records' | 'nextPageToken' | 'download'>;
type ReadPage = (pageToken: string) => Promise<Page>;

interface Result {
  readonly scope: Scope;
  readonly first: Page;
  readonly page: ReadPage;
}

/** By Download where the service offers it, otherwise page by page. */
async function* recordsOf(
  client: PdClient,
  { scope, first, page }: Result,
): AsyncGenerator<Pick<GetResponse['records'][number], 'collection' | 'row'>> {
  const { download: offer, operation } = first;
  if (offer !== undefined && operation !== undefined && operation.name !== '') {
    let given = false;
    try {
      for await (const record of downloadRecords(client, {
        operation: operation.name,
        offer,
        signal: scope.signal,
      })) {
        given = true;
        yield record;
      }
      return;
    } catch (error) {
      // An offer that something between does not let through.
      if (given || !answered(error, Code.Unimplemented)) throw error;
    }
  }
  const seen = new Set<string>();
  for (let current = first; ; ) {
    yield* current.records;
    const next = current.nextPageToken;
    if (next === '') return;
    if (seen.has(next)) throw client.garbage('gave the same page twice', get.name);
    seen.add(next);
    current = await page(next);
    const reading = client.read(current.operation, get.name);
    if (reading.state === 'failed') throw client.failed(reading, get.name);
    if (reading.state === 'pending')
      throw client.garbage('answered that work goes on after it had given records', get.name);
  }
}

/** A service that does not know the field might refuse the call; one that names the right knows it. */
async function tellsProvided(client: PdClient, scope: Scope): Promise<boolean> {
  return (await describeService(client, scope.signal)).capabilities.includes('portability');
}

/** A service need not count what it gives; if it counts, the numbers should agree. */
function differing(got: Readonly<Record<string, number>>, told: Readonly<Record<string, number>>): boolean {
  const names = new Set([...Object.keys(got), ...Object.keys(told)]);
  return Object.keys(told).length > 0 && [...names].some((name) => (got[name] ?? 0) !== (told[name] ?? 0));
}

async function resolveSubject(client: PdClient, scope: Scope): Promise<readonly Identity[]> {
  let found: readonly WireIdentity[];
  try {
    const first = await client.call(resolveIdentities, callOf(scope), scope);
    const reading = client.read(first.operation, resolveIdentities.name);
    const last = await waitForEnd(client, { reading, scope, rpc: resolveIdentities.name });
    found = last?.identities ?? first.identities;
  } catch (error) {
    if (answered(error, Code.Unimplemented)) return [];
    throw error;
  }
  if (found.length > MAX_IDENTITIES)
    throw client.garbage('resolved too many identities', resolveIdentities.name);
  const known = new Set(scope.identities.map(({ type, value }) => JSON.stringify([type, value])));
  return found.flatMap(({ type, value }): readonly Identity[] => {
    const usable = /^[a-z][a-z0-9_]{0,62}$/.test(type) && value !== '' && value.length <= MAX_VALUE;
    if (!usable || value.includes('\0')) {
      throw client.garbage('resolved something that is no identity', resolveIdentities.name);
    }
    const id = JSON.stringify([type, value]);
    if (known.has(id)) return [];
    known.add(id);
    return [{ type, value }];
  });
}

async function verifyErased(client: PdClient, scope: LocatedScope): Promise<Residue> {
  // Under the task's own key the service would answer what it answered before, and not read again.
  const call = {
    ...callOf(scope),
    callback: undefined,
    idempotencyKey: `${scope.idempotencyKey}.${randomUUID()}`,
  };
  let reading: OperationReading;
  try {
    reading = client.read((await client.call(verify, call, scope)).operation, verify.name);
  } catch (error) {
    if (!answered(error, Code.Unimplemented)) throw error;
    // Counting what Get would give reads the stores too. It counts what is kept as well, so that is taken off.
    reading = client.read((await client.call(get, { ...call, dryRun: true }, scope)).operation, get.name);
    const ended = await endOf(client, { reading, scope, rpc: get.name });
    return { remaining: withoutRetained(ended), retained: ended.retained };
  }
  const ended = await endOf(client, { reading, scope, rpc: verify.name });
  return { remaining: ended.counts, retained: ended.retained };
}

function withoutRetained({ counts, retained }: Ended): Record<string, number> {
  const remaining = { ...counts };
  for (const { collection, count } of retained) {
    if (remaining[collection] !== undefined)
      remaining[collection] = Math.max(0, remaining[collection] - count);
  }
  return remaining;
}

interface Waiting {
  readonly reading: OperationReading;
  readonly scope: Scope;
  readonly rpc: string;
}

/** Polls until the operation ends; undefined when it had ended already. Throws SYSTEM_TIMEOUT after a minute. */
async function waitForEnd(client: PdClient, waiting: Waiting) {
  const { scope, rpc } = waiting;
  let { reading } = waiting;
  let waited = 0;
  let response: Awaited<ReturnType<typeof poll>> | undefined;
  const poll = (name: string) => client.call(getOperation, { name }, scope);
  while (reading.state === 'pending') {
    const milliseconds = reading.retryAfterSeconds * 1_000;
    if (waited + milliseconds > WAIT_MILLISECONDS) {
      throw new HabeasError(
        'SYSTEM_TIMEOUT',
        `${client.who} did not end ${rpc} within ${WAIT_MILLISECONDS / 1_000} s.`,
        { retryable: true },
      );
    }
    await pause(milliseconds, scope.signal);
    waited += milliseconds;
    response = await poll(reading.operation);
    reading = client.read(response.operation, rpc);
  }
  if (reading.state === 'failed') throw client.failed(reading, rpc);
  return response;
}

async function endOf(client: PdClient, waiting: Waiting): Promise<Ended> {
  const last = await waitForEnd(client, waiting);
  const reading = last === undefined ? waiting.reading : client.read(last.operation, waiting.rpc);
  if (reading.state !== 'ended') throw client.garbage('changed an operation that had ended', waiting.rpc);
  return reading;
}
