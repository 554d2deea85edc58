/** Lets at most `limit` go on at once, in the order in which they came. */
export function createTurns(limit: number): {
  /** Rejects with the reason of the signal when that is aborted before the turn has come. */
  take(signal: AbortSignal): Promise<void>;
  give(): void;
} {
  let free = limit;
  const waiting: (() => void)[] = [];
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          waiting.splice(waiting.indexOf(begin), 1);
          reject(signal.reason);
        };
        const begin = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        waiting.push(begin);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    give() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
