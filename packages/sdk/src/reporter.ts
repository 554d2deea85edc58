import type { OperationStore } from './operation-store.ts';
import { sendReport } from './report.ts';

export interface Reporter {
  /** Reports the end of the operation now, and again after each delay until Habeas takes it. */
  schedule(name: string): void;
  close(): Promise<void>;
}

export interface ReporterOptions {
  readonly store: OperationStore;
  readonly now: () => Date;
  /** Waits before each further try, in milliseconds. After the last one Habeas finds the state by polling. */
  readonly delays: readonly number[];
  readonly signal: AbortSignal;
}

export function createReporter(options: ReporterOptions): Reporter {
  const { store, now, delays, signal } = options;
  const timers = new Set<NodeJS.Timeout>();
  const sending = new Set<Promise<void>>();

  const send = async (name: string): Promise<void> => {
    const operation = await store.find(name);
    if (operation === undefined || operation.report === null) return;
    const { url, secret, attempts } = operation.report;
    const { idempotencyKey, state } = operation;
    const taken = await sendReport({
      url,
      secret,
      operation: name,
      idempotencyKey,
      state,
      now: now(),
      signal,
    });
    if (signal.aborted && !taken) return;
    const delay = delays[attempts];
    if (taken || delay === undefined) {
      await store.change(name, { report: null });
      return;
    }
    await store.change(name, { report: { url, secret, attempts: attempts + 1 } });
    wait(name, delay);
  };
  const start = (name: string) => {
    if (signal.aborted) return;
    const attempt = send(name)
      // The store failed: the report is still in it, and the next start of the service sends it.
      .catch(() => undefined)
      .finally(() => sending.delete(attempt));
    sending.add(attempt);
  };
  const wait = (name: string, milliseconds: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      start(name);
    }, milliseconds).unref();
    timers.add(timer);
  };

  return {
    schedule: start,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all(sending);
    },
  };
}
