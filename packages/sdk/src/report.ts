import { createHmac } from 'node:crypto';
import type { OperationState } from './operation-store.ts';

/** How long to wait before each further try, in milliseconds: Standard Webhooks 1.0 recommends such a schedule. */
export const REPORT_DELAYS: readonly number[] = [
  5_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000, 21_600_000, 43_200_000,
];
const TIMEOUT_MILLISECONDS = 10_000;

export interface Report {
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
  readonly operation: string;
  readonly idempotencyKey: string;
  readonly state: OperationState;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * Tells Habeas that an operation ended, signed after Standard Webhooks 1.0. The id is the operation's name, the same in every
 * try, so that the receiver can tell a second delivery. Answers whether Habeas took it.
 */
export async function sendReport(report: Report): Promise<boolean> {
  const body = JSON.stringify({
    operation: report.operation,
    idempotency_key: report.idempotencyKey,
    state: report.state,
  });
  const timestamp = Math.floor(report.now.getTime() / 1_000).toString();
  const key = Buffer.from(report.secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key)
    .update(`${report.operation}.${timestamp}.${body}`)
    .digest('base64');
  try {
    const response = await fetch(report.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'webhook-id': report.operation,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      },
      body,
      signal: AbortSignal.any([report.signal, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // Not delivered for whatever reason of the network: the schedule decides about the next try, and polling finds the state anyway.
    return false;
  }
}
