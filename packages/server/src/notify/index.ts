export { createCourier } from './courier.ts';
export * from './create-notifications.ts';
export { createWebhooks, type Webhooks } from './dead-letters.ts';
export { escapeHtml } from './escape-html.ts';
export * from './feed.ts';
export { keepLeading } from './keep-leading.ts';
export * from './migrations.ts';
export { type OutboxEvent, pruneEvents, publish, type StoredEvent } from './outbox.ts';
export { readFrontier } from './outbox-frontier.ts';
export * from './person/index.ts';
export { type ProgramReceiver, receiversOf } from './receivers.ts';
export { RETRY_DELAYS, type RetryDelays, retryDelay } from './retry-delay.ts';
export { createMailSender } from './send-mail.ts';
export { sendTest, type TestResult } from './send-test.ts';
export {
  createWebhookPoster,
  RetryAfter,
  refused,
  type WebhookAddress,
  type WebhookPoster,
  type WebhookSenderOptions as WebhookPosterOptions,
} from './send-webhook.ts';
export { nextTryAfter, WEBHOOK_SCHEDULE } from './webhook-schedule.ts';
