import type { ConnectionSettings } from '../../connection-kind.ts';
import type { Connector } from '../../connector.ts';
import { createObjectsConnector } from '../objects-connector.ts';
import { azureAccount } from './azure-account.ts';
import { openAzureStore } from './azure-store.ts';

/** Acts on the blobs of a container. `url`: the account and the container, as `https://acme.blob.core.windows.net/events`. */
export function createAzureConnector(settings: ConnectionSettings): Connector {
  const { key, clock } = settings;
  return createObjectsConnector(settings, openAzureStore({ key, clock, account: azureAccount(settings) }));
}
