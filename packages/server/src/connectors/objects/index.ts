export { createS3Connector } from './s3/s3-connector.ts';
