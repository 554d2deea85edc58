export { createClientTls } from './client-tls.ts';
export * from './conformance/index.ts';
export type { PdClientDescription } from './describe-service.ts';
export type { SignToken, TokenClaims } from './pd-call.ts';
export type { PdClientOptions } from './pd-client.ts';
export { createPdClientConnector, type PdClientConnector } from './pd-client-connector.ts';
