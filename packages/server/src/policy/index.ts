export * from './deadline.ts';
export * from './policy.ts';
