export { createCourier } from './courier.ts';
export * from './create-notifications.ts';
export * from './feed.ts';
export * from './migrations.ts';
export { type OutboxEvent, pruneEvents, publish, type StoredEvent } from './outbox.ts';
export * from './person/index.ts';
export { receiversOf } from './receivers.ts';
export { sendTest, type TestResult } from './send-test.ts';
