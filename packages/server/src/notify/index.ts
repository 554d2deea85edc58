export * from './feed.ts';
export * from './migrations.ts';
export * from './outbox.ts';
