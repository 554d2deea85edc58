import { Gauge, type Registry } from '@prometheus-io/client';
import type { DueFigures, Requests } from '../requests/index.ts';

/** Gauges of the terms of open requests. One look at the database for each scrape; labels hold rights, laws and stages only. */
export function dueMetrics(registry: Registry, requests: Pick<Requests, 'dueFigures'>): void {
  let figures: Promise<DueFigures> | undefined;
  // All gauges of one scrape show one moment.
  const read = (): Promise<DueFigures> => {
    figures ??= requests.dueFigures().finally(() => {
      figures = undefined;
    });
    return figures;
  };
  new Gauge({
    name: 'habeas_requests_due',
    help: 'Open requests by how much of their term has passed: early, half, 80%, 95%, late, or stopped',
    labelNames: ['right', 'regime', 'stage'] as const,
    registers: [registry],
    async collect() {
      const { open } = await read();
      this.reset();
      for (const { right, regime, stage, count } of open) this.set({ right, regime, stage }, count);
    },
  });
  new Gauge({
    name: 'habeas_requests_unacknowledged',
    help: 'Open requests whose receipt was not confirmed within the term of the law',
    registers: [registry],
    async collect() {
      this.set((await read()).unacknowledged);
    },
  });
  new Gauge({
    name: 'habeas_requests_next_due_timestamp_seconds',
    help: 'When the next term of an open request ends; 0 without one',
    registers: [registry],
    async collect() {
      this.set(seconds((await read()).nextDueAt));
    },
  });
  new Gauge({
    name: 'habeas_requests_clock_stopped_timestamp_seconds',
    help: 'Since when the clock of an open request stands still that stands still for the longest time; 0 without one',
    registers: [registry],
    async collect() {
      this.set(seconds((await read()).stoppedSince));
    },
  });
}

function seconds(time: Date | null): number {
  return time === null ? 0 : time.getTime() / 1_000;
}
