export { createPostgresConnector } from './postgres-connector.ts';
