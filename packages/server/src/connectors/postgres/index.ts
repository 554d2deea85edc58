export { createPostgresConnector } from './postgres-connector.ts';
export { fromPostgresError } from './postgres-error.ts';
