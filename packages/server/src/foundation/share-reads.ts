/**
 * Lets callers share a read: one that comes while a read is running gets the next one, with all others that come until it begins.
 * So nobody gets an answer that is older than their question, and however many ask, at most one read runs and one waits.
 */
export function shareReads<Answer>(read: () => Promise<Answer>): () => Promise<Answer> {
  let running: Promise<unknown> | undefined;
  let next: Promise<Answer> | undefined;
  return () => {
    // A read begins a microtask later, so that questions of one moment share it.
    next ??= Promise.resolve(running?.catch(() => undefined)).then(() => {
      const begun = read();
      next = undefined;
      running = begun;
      const ended = () => {
        if (running === begun) running = undefined;
      };
      begun.then(ended, ended);
      return begun;
    });
    return next;
  };
}
