import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { api } from '@habeas/contract';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../database.ts';
import { openHabeasHouse } from '../habeas-house.ts';
import { apiOf } from './api.ts';

const SHOP = `dataset:
  - fides_key: shop
    collections:
      - name: customers
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
        habeas: { on_erase: delete }
      - name: photos
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [system.operations], fides_meta: { primary_key: true } }
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] }
          - { name: file, data_categories: [user.content.photo] }
`;

const UPLOADS = `dataset:
  - fides_key: uploads
    collections:
      - name: photos
        habeas: { on_erase: delete, files: { path: "photos/{file:word}.jpg", derived: "thumbs/{stem}_small.jpg" } }
        fields:
          - name: file
            data_categories: [user.content.photo]
            fides_meta: { references: [{ dataset: shop, field: photos.file, direction: from }] }
`;

/** More than a person has identities. */
const MORE = 1_200;

test('a file that a row of a database names is found by a reference, and the row is there until the file is gone', async () => {
  await using store = await createTestDatabase();
  await using house = await openHabeasHouse();
  await store.pool.query(
    `create table public.customers (id int primary key, email text not null);
     create table public.photos (id int primary key, customer_id int references public.customers, file text not null);
     insert into public.customers values (1, 'ann@example.com'), (2, 'bob@example.com');
     insert into public.photos values (1, 1, 'a1'), (2, 1, 'a2'), (3, 2, 'b1');
     insert into public.photos select 100 + n, 1, 'more' || n from generate_series(1, ${MORE}) n`,
  );
  const tree = join(house.folder, 'tree');
  for (const folder of ['photos', 'thumbs']) mkdirSync(join(tree, folder), { recursive: true });
  const more = Array.from({ length: MORE }, (_, n) => `more${n + 1}`);
  for (const name of ['a1', 'a2', 'b1', ...more]) {
    writeFileSync(join(tree, 'photos', `${name}.jpg`), name);
    writeFileSync(join(tree, 'thumbs', `${name}_small.jpg`), name);
  }
  writeFileSync(join(house.folder, 'shop.yml'), SHOP);
  writeFileSync(join(house.folder, 'uploads.yml'), UPLOADS);
  writeFileSync(
    join(house.folder, 'habeas.yaml'),
    JSON.stringify({
      connections: [
        { key: 'shop', kind: 'postgres', team: 'shop', url: store.url, datasets: ['shop.yml'] },
        { key: 'tree', kind: 'files', team: 'media', url: `file://${tree}`, datasets: ['uploads.yml'] },
      ],
      requests: { retries: { max_failures: 1 } },
    }),
  );
  const checked = await house.run(['check', '--json']);
  expect(checked.out).not.toContain('reference-leaves-connection');

  const habeas = apiOf(await house.serve().then(({ url, key = '' }) => ({ url, key })));
  const { id } = await habeas.ask({
    right: 'erasure',
    identities: [{ type: 'email', value: 'ann@example.com' }],
  });
  await habeas.until(id, 'completed', 60);
  const plan = await habeas.get<api.PlanView>(`/api/v1/requests/${id}/plan`);
  expect(plan.tasks.find(({ key }) => key === 'erase:shop')?.depends_on).toContain('verify:tree');
  const audit = await habeas.get<{ items: readonly api.AuditEntryView[] }>('/api/v1/audit?limit=500');
  const at = (type: string, task: string) =>
    audit.items.find((entry) => entry.action === type && entry.details.task === task)?.sequence ?? 0;
  expect(at('task.started', 'erase:shop')).toBeGreaterThan(at('task.succeeded', 'verify:tree'));
  expect(await rowsOf(store)).toEqual(['b1']);
  const there = (path: string) => existsSync(join(tree, path));
  expect(
    ['photos/a1.jpg', 'thumbs/a1_small.jpg', 'photos/a2.jpg', 'thumbs/a2_small.jpg'].filter(there),
  ).toEqual([]);
  expect(more.filter((name) => there(`photos/${name}.jpg`))).toEqual([]);
  expect(['photos/b1.jpg', 'thumbs/b1_small.jpg'].filter(there)).toHaveLength(2);
});

async function rowsOf(store: Awaited<ReturnType<typeof createTestDatabase>>): Promise<readonly string[]> {
  const { rows } = await store.pool.query<{ file: string }>('select file from public.photos order by file');
  return rows.map(({ file }) => file);
}
