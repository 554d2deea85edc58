import { useSyncExternalStore } from 'react';

/** Whether the server answers. One truth for the whole page: every call reports to it. */
const PROBE_MILLISECONDS = 3_000;

let lost = false;
let probe: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function change(now: boolean): void {
  if (lost === now) return;
  lost = now;
  for (const listener of listeners) listener();
}

export function reportAnswered(): void {
  clearInterval(probe);
  probe = undefined;
  change(false);
}

export function reportLost(): void {
  change(true);
  probe ??= setInterval(() => {
    fetch('/health').then(reportAnswered, () => undefined);
  }, PROBE_MILLISECONDS);
}

/** Calls `then` each time the server answers again after it did not. Gives a function that ends it. */
export function onBack(then: () => void): () => void {
  return subscribe(() => {
    if (!lost) then();
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useConnectionLost(): boolean {
  return useSyncExternalStore(subscribe, () => lost);
}
