export * from './application.ts';
export type { HttpServer } from './operation.ts';
export { PORTAL_PATH, type Portal } from './portal/portal.ts';
export { DEFAULT_RATE_LIMITS } from './rate-limit.ts';
export { type CreateHttpServerOptions, createHttpServer } from './server.ts';
