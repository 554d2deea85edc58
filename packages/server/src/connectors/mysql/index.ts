export { isMysqlAddress, readAddress as readMysqlAddress } from './mysql-address.ts';
export { createMysqlConnector } from './mysql-connector.ts';
export { fromMysqlError } from './mysql-error.ts';
