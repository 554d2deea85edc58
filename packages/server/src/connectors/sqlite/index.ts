export { createSqliteConnector } from './sqlite-connector.ts';
