import { queryOf } from '../../../src/connectors/objects/azure/blob-list.ts';
import { makeContainer, type TestContainer } from '../../azure-container.ts';
import type { AzuriteServer } from '../../azurite-server.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import { putRows, type StoredVersion, storeOfObjects } from './object-volume.ts';

const { signal } = new AbortController();

/** Whole blobs with metadata, rows in two formats, and snapshots of both. */
export async function openAzureStore({
  folder,
  people,
  azurite,
}: StoreOptions & { readonly azurite: AzuriteServer }): Promise<CanaryStore> {
  const container = await makeContainer(azurite);
  for (const { number, userId, mark } of people) {
    const blob = `avatars/${userId}.png`;
    await container.put(blob, `a picture of ${mark}`, { 'x-ms-meta-of': mark });
    if (number % 4 === 3) await container.snapshot(blob);
  }
  await putRows(container.put, people, container.snapshot);
  return storeOfObjects({
    key: 'archive',
    connection: { kind: 'azure', url: container.url, options: container.options },
    folder,
    versions: () => versionsOf(container),
  });
}

async function versionsOf(container: TestContainer): Promise<readonly StoredVersion[]> {
  const all: StoredVersion[] = [];
  const store = container.store();
  for await (const version of store.versions('', signal)) {
    const { key, isLatest, size } = version;
    const bytes = Buffer.from(await store.open(version, signal).read(0, size));
    const reply = await container.call({
      method: 'HEAD',
      what: 'look at what is left',
      blob: key,
      query: queryOf(version),
      signal,
    });
    const metadata = Object.entries(reply.headers).filter(([name]) => name.startsWith('x-ms-meta-'));
    all.push({ key, isLatest, about: JSON.stringify(metadata), bytes });
  }
  store.close();
  return all;
}
