export * from './feed.ts';
export * from './migrations.ts';
export { type OutboxEvent, pruneEvents, publish, type StoredEvent } from './outbox.ts';
