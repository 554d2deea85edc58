export { createAzureConnector } from './azure/azure-connector.ts';
export { createS3Connector } from './s3/s3-connector.ts';
