import type { OperationRequest, OperationRpc } from './operation-store.ts';
import {
  type Answer,
  type ChangeHandlers,
  type Counted,
  Later,
  type PersonalDataCall,
  PersonalDataError,
  type PersonalDataHandlers,
  type Records,
} from './personal-data.ts';
import { plainJson } from './plain-json.ts';
import type { Spool } from './spool.ts';

export interface HandlerRun {
  readonly handlers: PersonalDataHandlers;
  readonly rpc: OperationRpc;
  readonly idempotencyKey: string;
  readonly request: OperationRequest;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Where records and identities go; absent for a dry run. */
  readonly spool: Spool | undefined;
  /** Called when the handler asked for time: ends when its turn has come. */
  readonly waitForTurn: () => Promise<void>;
}

/** Calls the team's handler and brings whatever it answers to counts. */
export async function runHandler(run: HandlerRun): Promise<Counted> {
  const { handlers, rpc } = run;
  const call = callFor(run);
  switch (rpc) {
    case 'Get':
      return spoolRecords(await settle(handlers.get(call), run), run.spool);
    case 'Delete':
      // A dry run never reaches `delete`, so that no handler can forget to look at a flag.
      return settle(run.dryRun ? handlers.verify(call) : handlers.delete(call), run);
    case 'Verify':
      return settle(handlers.verify(call), run);
    case 'ResolveIdentities': {
      let count = 0;
      for (const { type, value } of (await settle(handlers.resolveIdentities?.(call) ?? [], run)) ?? []) {
        await run.spool?.append(JSON.stringify({ type, value }));
        count += 1;
      }
      return { counts: count === 0 ? {} : { identities: count } };
    }
    case 'Rectify':
      return change(run, handlers.rectify, { ...call, changes: run.request.work?.changes ?? [] });
    case 'Restrict':
      return change(run, handlers.restrict, { ...call, lift: run.request.work?.lift ?? false });
    case 'Object': {
      const { kind = 'objection', purposes = [], lift = false } = run.request.work ?? {};
      return change(run, handlers.object, { ...call, kind, purposes, lift });
    }
    default:
      return rpc satisfies never;
  }
}

/** A dry run never reaches `change`. A handler that is gone since the call came, in a later version, has failed. */
async function change<Call extends PersonalDataCall>(
  run: HandlerRun,
  handlers: ChangeHandlers<Call> | undefined,
  call: Call,
): Promise<Counted> {
  if (handlers === undefined) {
    throw new PersonalDataError('NOT_OFFERED', `This service does not offer ${run.rpc} any more.`, {
      retryable: false,
    });
  }
  return settle(run.dryRun ? handlers.check(call) : handlers.change(call), run);
}

async function settle<Result>(answer: Answer<Result>, run: HandlerRun): Promise<Result> {
  const given = await answer;
  if (!(given instanceof Later)) return given;
  await run.waitForTurn();
  return given.work();
}

async function spoolRecords(records: Records, spool: Spool | undefined): Promise<Counted> {
  const counts: Record<string, number> = {};
  for await (const { collection, row } of records) {
    counts[collection] = (counts[collection] ?? 0) + 1;
    await spool?.append(plainJson({ collection, row }));
  }
  return { counts };
}

function callFor({ request, idempotencyKey, signal }: HandlerRun): PersonalDataCall {
  return {
    requestId: request.requestId,
    idempotencyKey,
    identities: request.identities,
    values: (type) =>
      request.identities.filter((identity) => identity.type === type).map((identity) => identity.value),
    dueTime: request.dueTime === null ? undefined : new Date(request.dueTime),
    signal,
    portability: request.work?.portability === true,
    later: (work) => new Later(work),
  };
}
