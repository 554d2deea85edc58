export { createLogsConnector } from './logs-connector.ts';
