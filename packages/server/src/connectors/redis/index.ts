export { createRedisConnector } from './redis-connector.ts';
