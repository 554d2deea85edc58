import { gzipSync } from 'node:zlib';
import { queryOf } from '../../../src/connectors/objects/azure/blob-list.ts';
import { makeContainer, type TestContainer } from '../../azure-container.ts';
import type { AzuriteServer } from '../../azurite-server.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import { once } from '../once.ts';
import type { MarkedPerson } from '../people.ts';
import {
  contentsOfVersions,
  eventsOf,
  exportVersions,
  ordersOf,
  type StoredVersion,
} from './object-volume.ts';

/** Whole blobs with metadata, rows in two formats, and snapshots of both. */
const DATASET = `
dataset:
  - fides_key: archive
    collections:
      - name: pictures
        habeas: { on_erase: delete, objects: { key: "avatars/{user_id}.*" } }
        fields: &user
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
      - name: events
        habeas: { on_erase: delete, objects: { key: "events/date=*/**", format: json-lines } }
        fields:
          - { name: user.id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: orders
        habeas: { on_erase: delete, objects: { key: "orders/*.csv", format: csv } }
        fields: *user
`;

const { signal } = new AbortController();

export async function openAzureStore({
  folder,
  people,
  azurite,
}: StoreOptions & { readonly azurite: AzuriteServer }): Promise<CanaryStore> {
  const container = await makeContainer(azurite);
  await fill(container, people);
  return {
    key: 'archive',
    connection: { kind: 'azure', url: container.url, options: container.options },
    dataset: DATASET,
    contents: async () => contentsOfVersions(await versionsOf(container), folder),
    stop: once(async () => exportVersions(await versionsOf(container), folder)),
    copies: [],
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function fill(container: TestContainer, people: readonly MarkedPerson[]): Promise<void> {
  for (const { number, userId, mark } of people) {
    const blob = `avatars/${userId}.png`;
    await container.put(blob, `a picture of ${mark}`, { 'x-ms-meta-of': mark });
    if (number % 4 === 3) await container.snapshot(blob);
  }
  const events = 'events/date=2026-01-01/a.jsonl';
  await container.put(events, eventsOf(people.slice(-3), 'first'));
  await container.snapshot(events);
  await container.put(events, eventsOf(people, 'before'));
  await container.snapshot(events);
  await container.put(events, eventsOf(people, 'login'));
  await container.put('events/date=2026-01-02/b.jsonl.gz', gzipSync(eventsOf(people, 'logout')));
  await container.put('orders/1.csv', ordersOf(people));
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
