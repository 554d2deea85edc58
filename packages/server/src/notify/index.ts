export * from './migrations.ts';
export * from './outbox.ts';
