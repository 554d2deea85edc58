import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { api } from '@habeas/contract';
import { nanos } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { createTestDatabase } from '../database.ts';
import { openHabeasHouse } from '../habeas-house.ts';
import { startMemcached } from '../memcached-server.ts';
import { startNats } from '../nats-server.ts';
import { requireProgram } from '../requirements.ts';
import { startSphinx } from '../sphinx-server.ts';
import { apiOf } from './api.ts';

const programs = [
  requireProgram('searchd', '--help'),
  requireProgram('indexer', '--help'),
  requireProgram('memcached', '-V'),
  requireProgram('nats-server', '-v'),
];

const DATASETS = {
  shop: `dataset:
  - fides_key: shop
    collections:
      - name: customers
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true, identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
`,
  search: `dataset:
  - fides_key: search
    collections:
      - name: people
        habeas: { on_erase: delete }
        fields:
          - { name: author_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`,
  cache: `dataset:
  - fides_key: cache
    collections:
      - name: sessions
        habeas: { lifetime: { max_age: 24h }, derived_from: shop.customers }
        fields: [{ name: email, data_categories: [user.contact.email] }]
`,
  events: `dataset:
  - fides_key: events
    collections:
      - name: mails
        habeas: { lifetime: {}, derived_from: shop.customers }
        fields: [{ name: email, data_categories: [user.contact.email] }]
`,
} as const;

describe.skipIf(programs.includes(undefined))('copies of what a database has', () => {
  test('are erased after it or told with the date on which they end, and nobody gets a ticket', async () => {
    await using store = await createTestDatabase();
    await using sphinx = await startSphinx();
    await using memcached = await startMemcached();
    await using nats = await startNats();
    await using house = await openHabeasHouse();
    await store.pool.query(
      `create table public.customers (id int primary key, email text not null);
       insert into public.customers values (7, 'ann@example.com'), (77, 'bob@example.com')`,
    );
    await sphinx.run(
      `INSERT INTO people (id, body, email, author_id) VALUES (1, 'a', '', 7), (2, 'b', '', 77), (3, 'c', '', 7)`,
    );
    await nats.manager.streams.add({ name: 'mails', subjects: ['mails'], max_age: nanos(48 * 3_600_000) });
    const urls = { shop: store.url, search: sphinx.url, cache: memcached.url, events: nats.url };
    const kinds = { shop: 'postgres', search: 'sphinx', cache: 'memcached', events: 'nats' };
    for (const [key, text] of Object.entries(DATASETS)) writeFileSync(join(house.folder, `${key}.yml`), text);
    const connections = (['cache', 'events', 'search', 'shop'] as const).map((key) => ({
      key,
      kind: kinds[key],
      team: 'shop',
      url: urls[key],
      datasets: [`${key}.yml`],
    }));
    writeFileSync(
      join(house.folder, 'habeas.yaml'),
      JSON.stringify({ connections, requests: { retries: { max_failures: 1 } } }),
    );
    const checked = await house.run(['check']);
    expect(checked.exit).toBe(0);

    const habeas = apiOf(await house.serve().then(({ url, key = '' }) => ({ url, key })));
    const identities = [{ type: 'email', value: 'ann@example.com' }];
    const before = Date.now();
    const { id } = await habeas.ask({ right: 'erasure', identities });
    await habeas.until(id, 'completed');
    const plan = await habeas.get<api.PlanView>(`/api/v1/requests/${id}/plan`);
    const waits = (key: string) => plan.tasks.find((task) => task.key === key)?.depends_on;
    for (const copy of ['search', 'cache', 'events']) expect(waits(`erase:${copy}`)).toContain('verify:shop');
    expect(plan.tasks.filter(({ kind }) => kind === 'ticket')).toEqual([]);
    expect(plan.gaps.map(({ kind, system }) => [kind, system])).toEqual([
      ['not-verifiable', 'cache'],
      ['not-verifiable', 'events'],
    ]);
    expect((await sphinx.run('SELECT id FROM people')).map((row) => row.id)).toEqual(['2']);

    const { receipt } = await habeas.get<api.ReceiptView>(`/api/v1/requests/${id}/receipt`);
    const ends = (start: string) =>
      Date.parse(receipt.residuals.find(({ what }) => what.startsWith(start))?.until ?? '');
    for (const [start, hours] of [
      ['items of sessions', 24],
      ['messages of mails', 48],
      ['The binary log of searchd', 10],
    ] as const) {
      expect(ends(start)).toBeGreaterThanOrEqual(before + hours * 3_600_000);
      expect(ends(start)).toBeLessThanOrEqual(Date.now() + hours * 3_600_000);
    }
    const access = await habeas.ask({ right: 'access', identities });
    await habeas.until(access.id, 'completed');
    const given = await habeas.get<api.PlanView>(`/api/v1/requests/${access.id}/plan`);
    expect(given.tasks.filter(({ kind }) => kind === 'ticket')).toEqual([]);
  });
});
