export {
  createMemcachedConnector,
  createNatsConnector,
  createRabbitmqConnector,
} from './lifetimes-connector.ts';
