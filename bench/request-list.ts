import type { api } from '@habeas/contract';
import { type OpenDatabase, openDatabase } from '../packages/server/src/foundation/index.ts';
import { listRequests } from '../packages/server/src/requests/list-requests.ts';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { prepareState } from './habeas-state.ts';
import { createDatabase } from './on-database.ts';
import { seededRandom } from './seeded-random.ts';
import { median, quantile, timed } from './statistics.ts';

const ROWS = 100_000;
const ROUNDS = 300;
const LIMIT = 50;
const DATABASE = 'request_list';
const ORGANIZATION = 'acme';

/** How long a page of a list of 100,000 requests takes, whatever it is filtered and ordered by. */
export const requestList: Benchmark = {
  name: 'request-list',
  about: `filter a list of ${ROWS} requests`,
  async run(bench) {
    const postgres = await bench.postgres();
    await createDatabase(postgres.superuserUrl(), DATABASE);
    const databaseUrl = postgres.superuserUrl(DATABASE);
    await prepareState({ databaseUrl, organizationId: ORGANIZATION, dataDir: bench.folder('request-list') });
    const opened = openDatabase({ url: databaseUrl });
    try {
      bench.say('storing the requests');
      await store(opened);
      const random = seededRandom(bench.seed);
      const times: number[] = [];
      const plain: number[] = [];
      const caller = { organizationId: ORGANIZATION, actor: 'key:bench' };
      let slowest = { milliseconds: 0, query: '' };
      for (let round = 0; round < ROUNDS; round += 1) {
        const query = anyQuery(random);
        const { milliseconds } = await timed(() =>
          listRequests(opened.db, caller, { ...query, limit: LIMIT }),
        );
        times.push(milliseconds);
        if (milliseconds > slowest.milliseconds) slowest = { milliseconds, query: JSON.stringify(query) };
        plain.push((await timed(() => firstPage(opened))).milliseconds);
      }
      return [
        judge({
          name: 'request-list',
          value: quantile(times, 0.95),
          unit: 'ms',
          baseline: quantile(plain, 0.95),
          goal: { value: 150 },
          measured: `a page of ${LIMIT} of ${ROWS} requests by a random filter of one to three parts, half of them in the order of their deadlines; p95 of ${ROUNDS}`,
          against: 'the newest page without any filter, as one select of the same columns by the primary key',
          notes: [
            `median ${median(times).toFixed(1)} ms, of the select ${median(plain).toFixed(1)} ms; the slowest ${slowest.milliseconds.toFixed(0)} ms: ${slowest.query}`,
          ],
        }),
      ];
    } finally {
      await opened.close();
    }
  },
};

/** Most have ended well, a few in each other state; one of a hundred laws and teams is rare. */
async function store({ pool }: OpenDatabase): Promise<void> {
  await pool.query(
    `insert into requests (organization_id, id, right_kind, state, dry_run, identity_types, received_at, due_at,
      completed_at, regime, subject_kind, owner, received_by, plan)
    select $1, 'req_' || lpad(n::text, 26, '0'),
      (array['access', 'erasure', 'erasure', 'portability', 'rectification'])[1 + n % 5],
      case when n > 95000 then (array['running', 'waiting', 'approving', 'blocked', 'held'])[1 + n % 5]
        when n % 500 = 0 then 'rejected' when n % 501 = 0 then 'expired' else 'completed' end,
      false, '{email}', at, at + interval '30 days', case when n > 95000 then null else at + interval '9 days' end,
      case when n % 1000 = 7 then 'lgpd' when n % 3 = 0 then 'ccpa' else 'gdpr' end, 'customer',
      case when n % 2000 = 3 then 'legal' when n % 2 = 0 then 'privacy' end, 'key:bench', repeat('x', 6000)
    from (select n, now() - interval '1 year' + n * interval '5 minutes' as at from generate_series(1, ${ROWS}) n) rows`,
    [ORGANIZATION],
  );
  await pool.query('analyze requests');
}

function anyQuery(random: () => number): api.RequestFilter {
  const some = <Item>(...items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const moment = () => new Date(Date.now() - random() * 365 * 86_400_000).toISOString();
  const parts: readonly (() => api.RequestFilter)[] = [
    () => ({ state: some('running', 'blocked', 'completed', 'rejected', 'expired', 'cancelled') }),
    () => ({ right: some('access', 'erasure', 'rectification', 'objection') }),
    () => ({ open: some('true', 'false') }),
    () => ({ regime: some('gdpr', 'lgpd', 'quebec-25') }),
    () => ({ owner: some('privacy', 'legal', 'nobody') }),
    () => ({ due_before: moment() }),
    () => ({ received_from: moment() }),
    () => ({ received_before: moment() }),
    () => ({ id: some('req_', 'req_00000000000000000000000123', 'nothing') }),
  ];
  const chosen = Array.from({ length: some(1, 2, 3) }, () => some(...parts)());
  return Object.assign({ order: some('newest', 'due') }, ...chosen);
}

async function firstPage({ pool }: OpenDatabase): Promise<void> {
  const { rows } = await pool.query(
    `select id, right_kind, state, received_at, due_at, completed_at, regime, owner, identity_types, reason from requests
    where organization_id = $1 order by id desc limit ${LIMIT}`,
    [ORGANIZATION],
  );
  if (rows.length !== LIMIT) throw new Error('The requests are missing.');
}
