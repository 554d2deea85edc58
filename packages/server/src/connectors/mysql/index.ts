export { createMysqlConnector } from './mysql-connector.ts';
