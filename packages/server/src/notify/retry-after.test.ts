import { afterEach, expect, it } from 'vitest';
import { receiveWebhooks } from '../../test/webhook-receiver.ts';
import { signStandardWebhook } from '../access/index.ts';
import { createOutbound, createOutboundPolicy, fixedClock } from '../foundation/index.ts';
import { createWebhookPoster, RetryAfter } from './send-webhook.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

it.each([
  ['120', 120],
  ['Mon, 01 Jun 2026 12:01:30 GMT', 90],
  // Whoever wants to be left alone for years is asked again after a day.
  ['99999999999999999999', 86_400],
  ['0', undefined],
  ['Mon, 01 Jun 2026 11:00:00 GMT', undefined],
  ['soon', undefined],
  [undefined, undefined],
])('reads Retry-After: %s', async (header, seconds) => {
  const receiver = await receiveWebhooks();
  ends.push(() => receiver[Symbol.asyncDispose]());
  receiver.answer = (response) =>
    response.writeHead(429, header === undefined ? {} : { 'retry-after': header }).end();
  const poster = createWebhookPoster({
    outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) }),
    clock: fixedClock('2026-06-01T12:00:00Z'),
    sign: signStandardWebhook,
  });
  ends.push(() => poster.close());
  const secret = Buffer.alloc(32, 7).toString('base64');
  const to = { name: 'crm', url: new URL(receiver.url), secret, formerSecrets: [] };
  const message = { id: 'm-1', body: '{}', contentType: 'application/json' };
  const error = await poster
    .post(to, message, AbortSignal.timeout(10_000))
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SYSTEM_REFUSED', retryable: true });
  const { cause } = error as Error;
  expect(cause instanceof RetryAfter ? cause.seconds : cause).toBe(seconds);
});
