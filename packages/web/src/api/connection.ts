import { useSyncExternalStore } from 'react';

/** How the server answers. One truth for the whole page: every call reports to it. */
export type Connection = 'good' | 'slow' | 'lost';

const PROBE_MILLISECONDS = 3_000;
/** Who waits for so long wants to know that it still goes on. */
const SLOW_MILLISECONDS = 5_000;

let lost = false;
/** Calls that have waited for too long. */
let slow = 0;
let now: Connection = 'good';
let probe: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tell(): void {
  const next = lost ? 'lost' : slow > 0 ? 'slow' : 'good';
  if (next === now) return;
  now = next;
  for (const listener of listeners) listener();
}

function reportAnswered(): void {
  clearInterval(probe);
  probe = undefined;
  lost = false;
  tell();
}

function reportLost(): void {
  lost = true;
  tell();
  probe ??= setInterval(() => {
    fetch('/health').then(reportAnswered, () => undefined);
  }, PROBE_MILLISECONDS);
}

/** Watches one call. What was given up by the page itself says nothing about the server. */
export async function watched(call: () => Promise<Response>, signal?: AbortSignal): Promise<Response> {
  let isSlow = false;
  const timer = setTimeout(() => {
    isSlow = true;
    slow += 1;
    tell();
  }, SLOW_MILLISECONDS);
  try {
    const answer = await call();
    reportAnswered();
    return answer;
  } catch (cause) {
    if (signal?.aborted !== true) reportLost();
    throw cause;
  } finally {
    clearTimeout(timer);
    if (isSlow) slow -= 1;
    tell();
  }
}

/** Calls `then` each time the server answers again after it did not. Gives a function that ends it. */
export function onBack(then: () => void): () => void {
  let wasLost = lost;
  return subscribe(() => {
    if (wasLost && !lost) then();
    wasLost = lost;
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => now);
}
