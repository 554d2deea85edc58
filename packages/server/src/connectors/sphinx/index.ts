export { createSphinxConnector } from './sphinx-connector.ts';
