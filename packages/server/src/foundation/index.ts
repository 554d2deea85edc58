export * from './clock.ts';
export * from './config.ts';
export * from './crypto.ts';
export * from './database.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './logging.ts';
export * from './master-key.ts';
