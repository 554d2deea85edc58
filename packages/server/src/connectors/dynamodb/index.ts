export { createDynamoDbConnector } from './dynamodb-connector.ts';
