/** Lets any number of waiters know that something happened. Rings that nobody waits for are counted, not queued. */
export interface Bell {
  /** How often it rang. Read it before looking at the state, and wait beyond it: no ring in between is missed. */
  readonly count: number;
  ring(): void;
  /** Resolves once it has rung more than `count` times, or after the time, or when the signal is aborted. */
  waitBeyond(
    count: number,
    until: { readonly signal: AbortSignal; readonly milliseconds?: number },
  ): Promise<void>;
}

export function createBell(): Bell {
  const waiters = new Set<() => void>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    ring() {
      count += 1;
      for (const wake of [...waiters]) wake();
    },
    async waitBeyond(seen, { signal, milliseconds }) {
      if (count > seen || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiters.delete(wake);
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = milliseconds === undefined ? undefined : setTimeout(wake, milliseconds);
        waiters.add(wake);
        signal.addEventListener('abort', wake);
      });
    },
  };
}
