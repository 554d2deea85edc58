export { createPostgresConnector, type PostgresConnectorOptions } from './postgres-connector.ts';
