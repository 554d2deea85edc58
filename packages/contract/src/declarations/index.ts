export * from './looks-personal.ts';
