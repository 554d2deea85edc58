/** Lets at most `limit` go on at once, in the order in which they came. */
export function createTurns(limit: number): {
  take(): Promise<void>;
  give(): void;
} {
  let free = limit;
  const waiting: (() => void)[] = [];
  return {
    take() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    give() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
