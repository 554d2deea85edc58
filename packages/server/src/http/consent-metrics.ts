import { Gauge, type Registry } from '@prometheus-io/client';
import type { Application } from './application.ts';

/** How far the databases in which consent is enforced are behind. */
export function consentMetrics(
  registry: Registry,
  { consentTargets, clock }: Pick<Application, 'consentTargets' | 'clock'>,
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
}
