/** One piece of work that others may join. */
export interface GatheredJob {
  /** Ends it alone; the work goes on while somebody needs it. */
  readonly signal: AbortSignal;
}

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly answer: PromiseWithResolvers<Result>;
}

/**
 * Does work for everybody who waits for it in one pass: what comes while a pass runs waits for the next one, which takes all of it. `act`
 * gives one result for each job, in their order; where it throws, all of the pass fail.
 */
export function gathered<Job extends GatheredJob, Result>(
  act: (jobs: readonly Job[], signal: AbortSignal) => Promise<readonly Result[]>,
): (job: Job) => Promise<Result> {
  let waiting: Waiting<Job, Result>[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const pass = waiting.filter(({ job }) => !job.signal.aborted);
      waiting = [];
      if (pass.length === 0) continue;
      const signal = allOf(pass.map(({ job }) => job.signal));
      try {
        const results = await act(
          pass.map(({ job }) => job),
          signal,
        );
        for (const [index, { answer }] of pass.entries()) answer.resolve(results[index] as Result);
      } catch (error) {
        for (const { answer } of pass) answer.reject(error);
      }
    }
    running = false;
  };
  return (job) => {
    job.signal.throwIfAborted();
    const answer = Promise.withResolvers<Result>();
    const end = () => answer.reject(job.signal.reason);
    job.signal.addEventListener('abort', end);
    waiting.push({ job, answer });
    if (!running) {
      running = true;
      // Those who ask in the same turn are taken together.
      setImmediate(() => void run());
    }
    return answer.promise.finally(() => job.signal.removeEventListener('abort', end));
  };
}

/** Aborted when all of them are. */
function allOf(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const look = () => {
    if (signals.every(({ aborted }) => aborted)) controller.abort(signals[0]?.reason);
  };
  for (const signal of signals) signal.addEventListener('abort', look, { signal: controller.signal });
  return controller.signal;
}
