export { createAzureConnector } from './azure/azure-connector.ts';
export type { RandomAccess } from './row-format.ts';
export { bucketOf, openS3Object } from './s3/open-s3-object.ts';
export { createS3Connector } from './s3/s3-connector.ts';
