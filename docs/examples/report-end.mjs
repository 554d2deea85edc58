// A service tells Habeas that an operation ended: a signed POST after Standard Webhooks 1.0.
import { createHmac } from 'node:crypto';

/** `callback` came with the call. Gives whether Habeas took it; if not, try again later: Habeas also asks by itself. */
export async function reportEnd({ callback, operation, idempotencyKey, state }) {
  const body = JSON.stringify({ operation, idempotency_key: idempotencyKey, state });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const key = Buffer.from(callback.secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${operation}.${timestamp}.${body}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'webhook-id': operation,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
  const answer = await fetch(callback.url, { method: 'POST', headers, body, redirect: 'manual' });
  return answer.ok;
}
