export * from './due-date.ts';
export * from './policy.ts';
