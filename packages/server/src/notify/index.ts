export * from './feed.ts';
export * from './migrations.ts';
export { type OutboxEvent, publish, type StoredEvent } from './outbox.ts';
