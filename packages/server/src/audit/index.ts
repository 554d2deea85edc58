export * from './audit-log.ts';
export * from './canonical-json.ts';
export * from './migrations.ts';
