import { createHmac, randomUUID } from 'node:crypto';
import type { AzureAccount } from '../src/connectors/objects/azure/azure-account.ts';
import { type Container, openContainer } from '../src/connectors/objects/azure/azure-container.ts';
import { openAzureStore } from '../src/connectors/objects/azure/azure-store.ts';
import { systemClock } from '../src/foundation/index.ts';
import { AZURITE_ACCOUNT, type AzuriteServer } from './azurite-server.ts';

const { signal } = new AbortController();

/** A container of its own at an Azurite, and what people other than Habeas do with it. */
export interface TestContainer {
  readonly name: string;
  /** As a connection has it. */
  readonly url: string;
  readonly options: { readonly account_key: string };
  put(
    blob: string,
    body: string | Buffer,
    headers?: Readonly<Record<string, string>>,
    query?: Readonly<Record<string, string>>,
  ): Promise<void>;
  call: Container['call'];
  /** Undefined: there is none. */
  get(blob: string): Promise<Buffer | undefined>;
  snapshot(blob: string): Promise<void>;
  /** Every blob with its content, after those of its snapshots and versions, oldest first. */
  versions(): Promise<Readonly<Record<string, readonly string[]>>>;
  store(url?: string): ReturnType<typeof openAzureStore>;
  /** A shared access signature for everything in the container. (Default: everything may be done) */
  sas(permissions?: string): string;
}

export async function makeContainer(azurite: AzuriteServer): Promise<TestContainer> {
  const name = `container-${randomUUID()}`;
  const account: AzureAccount = {
    endpoint: azurite.url,
    basePath: `/${AZURITE_ACCOUNT.name}`,
    container: name,
    name: AZURITE_ACCOUNT.name,
    auth: { kind: 'key', key: AZURITE_ACCOUNT.key },
    ca: undefined,
    softDeleteDays: undefined,
    oldVersionDays: undefined,
  };
  const container = openContainer({ key: 'test', account, clock: systemClock });
  const what = 'prepare a test';
  await container.call({ method: 'PUT', what, query: { restype: 'container' }, signal });
  const store: TestContainer['store'] = () => openAzureStore({ key: 'lake', account, clock: systemClock });
  return {
    name,
    url: `${azurite.url}${account.basePath}/${name}`,
    options: { account_key: AZURITE_ACCOUNT.key },
    call: container.call,
    async put(blob, body, headers = {}, query = {}) {
      const type = 'comp' in query ? {} : { 'x-ms-blob-type': 'BlockBlob' };
      await container.call({
        method: 'PUT',
        what,
        blob,
        headers: { ...type, ...headers },
        query,
        body: Buffer.from(body),
        signal,
      });
    },
    async get(blob) {
      const reply = await container.call({
        method: 'GET',
        what,
        blob,
        expected: ['BlobNotFound'],
        maxBytes: 1 << 28,
        signal,
      });
      return reply.status === 404 ? undefined : reply.body;
    },
    async snapshot(blob) {
      await container.call({ method: 'PUT', what, blob, query: { comp: 'snapshot' }, signal });
    },
    async versions() {
      const found: Record<string, { readonly at: string; readonly text: string }[]> = {};
      const opened = store();
      for await (const version of opened.versions('', signal)) {
        const bytes = await opened.open(version, signal).read(0, version.size);
        const own = found[version.key] ?? [];
        found[version.key] = own;
        own.push({ at: version.isLatest ? '~' : version.id, text: Buffer.from(bytes).toString('latin1') });
      }
      opened.close();
      return Object.fromEntries(
        Object.entries(found).map(([key, all]) => [
          key,
          all.sort((one, other) => (one.at < other.at ? -1 : 1)).map(({ text }) => text),
        ]),
      );
    },
    store,
    sas: (permissions = 'racwdxltmei') => sasOf(name, permissions),
  };
}

/** Create a service SAS, version 2020-12-06: for a container. */
function sasOf(container: string, permissions: string): string {
  const { name, key } = AZURITE_ACCOUNT;
  const [ends, version] = ['2090-01-01T00:00:00Z', '2020-12-06'];
  const text = [
    permissions,
    '',
    ends,
    `/blob/${name}/${container}`,
    ...['', '', ''],
    version,
    'c',
    ...['', '', '', '', '', '', ''],
  ].join('\n');
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
  const query = { sp: permissions, se: ends, sv: version, sr: 'c', sig: signature };
  return new URLSearchParams(query).toString();
}
