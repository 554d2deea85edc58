import { Gauge, type Registry } from '@prometheus-io/client';
import type { Application } from './application.ts';

/** How far the databases in which consent is enforced, and the systems that are told of it, are behind. */
export function consentMetrics(
  registry: Registry,
  { consentTargets, propagation, clock }: Pick<Application, 'consentTargets' | 'propagation' | 'clock'>,
): void {
  const labelNames = ['target'] as const;
  new Gauge({
    name: 'habeas_consent_sync_lag_seconds',
    help: 'Since when a consent target may not have all that people said; infinite before it first had',
    labelNames,
    registers: [registry],
    collect() {
      for (const { target, exactAt } of consentTargets.statuses()) {
        const lag = exactAt === undefined ? Infinity : (clock.now().getTime() - exactAt.getTime()) / 1_000;
        this.set({ target }, lag);
      }
    },
  });
  new Gauge({
    name: 'habeas_consent_drift',
    help: 'Signatures and bits of a consent target that somebody else had changed, found since this server started',
    labelNames,
    registers: [registry],
    collect() {
      for (const { target, drift } of consentTargets.statuses()) this.set({ target }, drift);
    },
  });
  const people = new Gauge({
    name: 'habeas_consent_propagation_people',
    help: 'People whose state a destination has not acknowledged: still to be sent, sent, or given up',
    labelNames: ['destination', 'state'] as const,
    registers: [registry],
  });
  new Gauge({
    name: 'habeas_consent_propagation_lag_seconds',
    help: 'Since when a destination may not have all that people said; 0: it has all; infinite before it was first told',
    labelNames: ['destination'] as const,
    registers: [registry],
    async collect() {
      for (const { key: destination, lag_seconds, waiting, sent, given_up } of await propagation.list()) {
        this.set({ destination }, lag_seconds ?? Infinity);
        for (const [state, count] of Object.entries({ waiting, sent, given_up }))
          people.set({ destination, state }, count);
      }
    },
  });
}
