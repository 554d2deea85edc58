export * from './application.ts';
export type { HttpServer } from './operation.ts';
export { type CreateHttpServerOptions, createHttpServer } from './server.ts';
