import { createHmac, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { failure, toResult } from './operation-result.ts';
import {
  isFinal,
  type OperationChange,
  type OperationRequest,
  type OperationRpc,
  type OperationState,
  type OperationStore,
  type StoredOperation,
} from './operation-store.ts';
import { PersonalDataError, type PersonalDataHandlers } from './personal-data.ts';
import { createReporter } from './reporter.ts';
import { runHandler } from './run-handler.ts';
import { createSpool, type Spool } from './spool.ts';
import { createSpools } from './spools.ts';
import { createTurns } from './turns.ts';

/** What Habeas asks for. */
export interface Asked {
  readonly rpc: OperationRpc;
  readonly idempotencyKey: string;
  readonly dryRun: boolean;
  readonly request: OperationRequest;
  readonly callback: { readonly url: string; readonly secret: string } | undefined;
  /** When the caller stops waiting, in milliseconds from now; undefined when it did not say. */
  readonly deadline: number | undefined;
}

/** An operation as it is now, and its records or identities if there are any to read. */
export interface OperationView {
  readonly operation: StoredOperation;
  readonly spool: Spool | undefined;
  /** The result was too old to be kept: it has to be asked for again, with the same key. */
  readonly gone: boolean;
  /** Keeps the result for its whole time again. */
  keep(): void;
}

export interface OperationsOptions {
  readonly handlers: PersonalDataHandlers;
  readonly store: OperationStore;
  readonly now: () => Date;
  /** How long a call waits for its handler before it answers RUNNING, in milliseconds; less if its deadline is nearer. */
  readonly answerWithin: number;
  /** Most pieces of work at once that handlers asked time for. */
  readonly concurrency: number;
  /** How long a result can be read in pages after the last look at it, in milliseconds. */
  readonly keepResults: number;
  /** Waits between tries to report the end of an operation, in milliseconds. */
  readonly reportDelays: readonly number[];
  readonly onError: (
    error: unknown,
    during: { readonly rpc: OperationRpc; readonly requestId: string },
  ) => void;
}

export interface Operations {
  /** Does what is asked once per key. Answers after `answerWithin` at the latest. Undefined: the key was used for something else. */
  submit(asked: Asked): Promise<OperationView | undefined>;
  find(name: string): Promise<OperationView | undefined>;
  findByKey(idempotencyKey: string): Promise<OperationView | undefined>;
  /** Tells the handler to stop, and waits for that as long as a call waits for its handler. What has ended stays as it is. */
  cancel(
    named: { readonly name: string } | { readonly idempotencyKey: string },
  ): Promise<OperationView | undefined>;
  /** Goes on with what an earlier process left. */
  resume(): Promise<void>;
  /** Tells handlers to stop and waits for them for a moment; what has not ended goes on at the next start. */
  close(): Promise<void>;
}

/** A handler at work, and everyone who waits for it. */
interface Run {
  name: string | undefined;
  state: OperationState;
  /** Whether somebody was told that the work goes on, and so waits for a report. */
  toldToWait: boolean;
  readonly done: Promise<StoredOperation>;
  readonly cancelled: AbortController;
  /** Ends when the handler asked for time. */
  readonly asksForTime: Promise<void>;
}

/** The contract's 90 days. */
const KEEP_OPERATIONS_MILLISECONDS = 90 * 86_400_000;
const FORGET_EVERY_MILLISECONDS = 3_600_000;
const CLOSE_WITHIN_MILLISECONDS = 5_000;
const CANCELLED = new PersonalDataError('CANCELLED', 'Habeas cancelled the operation.');

export function createOperations(options: OperationsOptions): Operations {
  const { store, now } = options;
  const closing = new AbortController();
  const turns = createTurns(options.concurrency);
  const spools = createSpools({ milliseconds: options.keepResults });
  const reporter = createReporter({ store, now, delays: options.reportDelays, signal: closing.signal });
  const running = new Map<string, Run>();
  const forget = setInterval(() => forgetOld(), FORGET_EVERY_MILLISECONDS).unref();

  const forgetOld = async () => store.forget(new Date(now().getTime() - KEEP_OPERATIONS_MILLISECONDS));
  const hasItems = (operation: StoredOperation): boolean =>
    (operation.rpc === 'Get' || operation.rpc === 'ResolveIdentities') &&
    !operation.dryRun &&
    isFinal(operation.state) &&
    Object.keys(operation.result?.counts ?? {}).length > 0;
  const view = (operation: StoredOperation): OperationView => {
    const spool = spools.get(operation.name);
    const keep = () => void spools.get(operation.name);
    return { operation, spool, gone: spool === undefined && hasItems(operation), keep };
  };
  /** Not ended: whatever it will give is not there yet. */
  const going = (operation: StoredOperation): OperationView => ({
    operation,
    spool: undefined,
    gone: false,
    keep: () => undefined,
  });

  const work = async (stored: StoredOperation, asked: Asked, run: Run, askForTime: () => void) => {
    const keepsItems = (asked.rpc === 'Get' || asked.rpc === 'ResolveIdentities') && !asked.dryRun;
    const spool = keepsItems ? createSpool() : undefined;
    const signal = AbortSignal.any([closing.signal, run.cancelled.signal]);
    let hasTurn = false;
    const outcome = await runHandler({
      ...asked,
      handlers: options.handlers,
      signal,
      spool,
      waitForTurn: async () => {
        run.state = 'QUEUED';
        askForTime();
        await turns.take(signal);
        hasTurn = true;
        // The answer that the work is QUEUED leaves first: work may keep the event loop to itself.
        await setImmediate();
        signal.throwIfAborted();
        run.state = 'RUNNING';
        await store.change(stored.name, { state: 'RUNNING' });
      },
    })
      .then(toResult)
      .catch((error: unknown) => {
        // Work that was cut by the end of the process has not failed: the next process goes on with it.
        closing.signal.throwIfAborted();
        if (run.cancelled.signal.aborted) return { state: 'FAILED' as const, result: failure(CANCELLED) };
        options.onError(error, { rpc: asked.rpc, requestId: asked.request.requestId });
        return { state: 'FAILED' as const, result: failure(error) };
      })
      .finally(() => {
        if (hasTurn) turns.give();
      });
    if (spool !== undefined) {
      if (outcome.state === 'FAILED') await spool.close();
      else {
        await spool.end();
        spools.put(stored.name, spool);
      }
    }
    const report = run.toldToWait && asked.callback !== undefined ? { ...asked.callback, attempts: 0 } : null;
    const change: OperationChange = { ...outcome, request: null, report };
    await store.change(stored.name, change);
    if (report !== null) reporter.schedule(stored.name);
    return { ...stored, ...change };
  };

  /** One run per key and question; whoever comes while it goes on joins it. */
  const join = (asked: Asked, fingerprint: string, toldToWait: boolean): Run => {
    const id = `${fingerprint} ${asked.idempotencyKey}`;
    const known = running.get(id);
    if (known !== undefined) return known;
    let askForTime: () => void = () => undefined;
    const asksForTime = new Promise<void>((resolve) => {
      askForTime = resolve;
    });
    const lead = async (): Promise<StoredOperation> => {
      const report = asked.callback === undefined ? null : { ...asked.callback, attempts: 0 };
      const begun: StoredOperation = {
        name: `op_${randomUUID().replaceAll('-', '')}`,
        idempotencyKey: asked.idempotencyKey,
        rpc: asked.rpc,
        dryRun: asked.dryRun,
        fingerprint,
        state: 'QUEUED',
        request: asked.request,
        result: null,
        report,
        createdAt: now(),
      };
      const stored = await store.begin(begun);
      run.name = stored.name;
      if (stored.fingerprint !== fingerprint) return stored;
      if (isFinal(stored.state) && !view(stored).gone) return stored;
      if (stored.name !== begun.name) {
        await store.change(stored.name, { state: 'QUEUED', request: asked.request, report });
      }
      return work(stored, asked, run, askForTime);
    };
    const run: Run = {
      name: undefined,
      state: 'RUNNING',
      toldToWait,
      asksForTime,
      cancelled: new AbortController(),
      // Deferred by a microtask so that `run` exists when it begins.
      done: Promise.resolve()
        .then(lead)
        .finally(() => running.delete(id)),
    };
    running.set(id, run);
    // Callers see a failure through `done`; without a caller there is nobody to tell but the operator.
    run.done.catch((error: unknown) => {
      if (!closing.signal.aborted) {
        options.onError(error, { rpc: asked.rpc, requestId: asked.request.requestId });
      }
    });
    return run;
  };

  const fingerprintOf = (asked: Asked): string => {
    const identities = asked.request.identities
      .map(({ type, value }) => JSON.stringify([type, value]))
      .sort();
    const { work } = asked.request;
    const question = [asked.rpc, asked.request.requestId, asked.dryRun, identities];
    // Without work the text is what it was before calls had any, so that keys of then are still known.
    const text = JSON.stringify(work === undefined ? question : [...question, work]);
    return createHmac('sha256', store.fingerprintKey).update(text).digest('base64url');
  };

  return {
    async submit(asked) {
      const fingerprint = fingerprintOf(asked);
      const run = join(asked, fingerprint, false);
      const patience = Promise.withResolvers<undefined>();
      // A part of the caller's time is for the way back; it may be over already, and then what is left is negative.
      const left = Math.max(0, asked.deadline ?? Number.POSITIVE_INFINITY) * 0.8;
      const milliseconds = Math.min(options.answerWithin, left);
      const timer = setTimeout(() => patience.resolve(undefined), milliseconds);
      const wait = run.asksForTime.then(() => undefined);
      const ended = await Promise.race([run.done, patience.promise, wait]).finally(() => clearTimeout(timer));
      if (ended !== undefined) return ended.fingerprint === fingerprint ? view(ended) : undefined;
      run.toldToWait = true;
      // The store is slower than our patience only when it is stuck; then its error is the answer.
      const name = run.name ?? (await run.done).name;
      const stored = await store.find(name);
      if (stored === undefined) throw new Error('The store lost an operation that it had taken.');
      return isFinal(stored.state) || stored.state === 'FAILED'
        ? view(stored)
        : going({ ...stored, state: run.state });
    },
    async find(name) {
      const stored = await store.find(name);
      return stored === undefined ? undefined : view(stored);
    },
    async findByKey(key) {
      const stored = await store.findByKey?.(key);
      return stored === undefined ? undefined : view(stored);
    },
    async cancel(named) {
      const stored = await ('name' in named
        ? store.find(named.name)
        : store.findByKey?.(named.idempotencyKey));
      if (stored === undefined) return undefined;
      const run = [...running.values()].find(({ name }) => name === stored.name);
      if (run === undefined) return view(stored);
      run.cancelled.abort(CANCELLED);
      const patience = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => patience.resolve(undefined), options.answerWithin);
      const ended = await Promise.race([run.done, patience.promise]).finally(() => clearTimeout(timer));
      return ended === undefined ? going({ ...stored, state: run.state }) : view(ended);
    },
    async resume() {
      await forgetOld();
      for (const operation of await store.open()) {
        if (operation.request === null || (operation.state !== 'QUEUED' && operation.state !== 'RUNNING')) {
          reporter.schedule(operation.name);
          continue;
        }
        const { rpc, idempotencyKey, dryRun, request, report, fingerprint } = operation;
        join(
          { rpc, idempotencyKey, dryRun, request, callback: report ?? undefined, deadline: undefined },
          fingerprint,
          true,
        );
      }
    },
    async close() {
      clearInterval(forget);
      closing.abort(new Error('The service closes.'));
      const settled = Promise.allSettled([...running.values()].map((run) => run.done));
      const enough = Promise.withResolvers<void>();
      const timer = setTimeout(enough.resolve, CLOSE_WITHIN_MILLISECONDS);
      await Promise.race([settled, enough.promise]);
      clearTimeout(timer);
      await reporter.close();
      await spools.close();
      await store.close();
    },
  };
}
