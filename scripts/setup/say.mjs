const REPORT_MILLISECONDS = 5_000;

/** One line of progress. It goes to standard error, so that `--json` output stays clean. */
export function say(line) {
  process.stderr.write(`habeas: ${line}\n`);
}

/** Seconds since a `performance.now()`, such as `3.1 s`. */
export function since(start) {
  return `${((performance.now() - start) / 1_000).toFixed(1)} s`;
}

/** Says what is being done, every few seconds that it still is, and how long it took. */
export async function withProgress(what, act) {
  const start = performance.now();
  say(`${what}…`);
  const timer = setInterval(() => say(`${what}… ${since(start)}`), REPORT_MILLISECONDS);
  try {
    const result = await act();
    say(`${what}: done in ${since(start)}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** A failure that a person can do something about; printed without a stack. */
export class SetupError extends Error {}
