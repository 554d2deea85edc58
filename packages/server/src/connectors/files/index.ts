export { createFilesConnector } from './files-connector.ts';
