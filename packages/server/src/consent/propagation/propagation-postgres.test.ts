import { expect, it } from 'vitest';
import { HOUSE_MIGRATIONS, openConsent, openPropagation } from '../../../test/consent/propagation-house.ts';
import { createTestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { createPostgresConnector } from '../../connectors/index.ts';
import { newSecretKey, systemClock } from '../../foundation/index.ts';

// A shop in a PostgreSQL of its own, whose table of customers has a column for each objection.
const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: customers
        habeas:
          flags:
            objection: { ads: no_ads, stats: no_stats_since }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
`;

it('writes into the columns of a database what is not allowed, takes back the rest, and changes no other row', async () => {
  await using ends = new AsyncDisposableStack();
  const database = await createTestDatabase(HOUSE_MIGRATIONS);
  ends.defer(() => database.close());
  const shop = await createTestDatabase();
  ends.defer(() => shop.close());
  await shop.pool.query(
    `create table public.customers (id int primary key, email text not null, no_ads boolean, no_stats_since timestamptz);
     insert into public.customers (id, email) values (1, 'ann@example.com'), (2, 'bob@example.com')`,
  );
  const connector = createPostgresConnector({
    key: 'shop',
    url: shop.url,
    datasets: parseDatasets(DATASET, 'shop.yml'),
    clock: systemClock,
  });
  ends.defer(() => connector.close());
  const masterKey = newSecretKey();
  const consent = openConsent({ opened: database, masterKey });
  const say = async (choices: Readonly<Record<string, boolean>>, at: string) => {
    const [outcome] = await consent.record({ organizationId: 'acme', actor: 'key:back-end' }, [
      {
        event_id: at,
        identity: { type: 'email', value: 'ann@example.com' },
        said_at: at,
        choices,
        source: 'api',
      },
    ]);
    expect(outcome?.state).toBe('stored');
  };
  const propagation = openPropagation({
    opened: database,
    masterKey,
    destinations: [{ key: 'shop', system: 'shop', purposes: { analytics: 'stats', advertising: 'ads' } }],
    with: { systems: { connector: async () => connector } },
  });
  await propagation.start();
  ends.defer(() => propagation.stop());
  const customers = async () =>
    (
      await shop.pool.query(
        'select id, no_ads as ads, no_stats_since is not null as stats from public.customers order by id',
      )
    ).rows;
  const bob = { id: 2, ads: null, stats: false };

  await say({ analytics: false, advertising: false }, '2026-01-01T10:00:00Z');
  await eventually('both are noted', async () => (await propagation.list())[0]?.lag_seconds === 0);
  expect(await customers()).toEqual([{ id: 1, ads: true, stats: true }, bob]);
  await say({ analytics: true }, '2026-01-02T10:00:00Z');
  await eventually('one is taken back', async () => !(await customers())[0]?.stats);
  expect(await customers()).toEqual([{ id: 1, ads: true, stats: false }, bob]);
  await say({ advertising: true }, '2026-01-03T10:00:00Z');
  await eventually('the other, too', async () => (await customers())[0]?.ads === null);
  expect(await customers()).toEqual([{ id: 1, ads: null, stats: false }, bob]);
  expect(await propagation.list()).toMatchObject([{ error: null }]);
});
