import { parseSync } from 'libpg-query';
import { createCatalog, enforceSql, loadParser } from '../packages/server/src/consent/index.ts';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { quantile } from './statistics.ts';

const ROUNDS = 2_000;

/** As analysts write them. */
const STATEMENTS = [
  'select event_site, count(distinct user_id) from user_events where at > $1 group by event_site',
  'select count(*) from user_events',
  'select p.name, e.n from profiles p left join user_events e on e.user_id = p.user_id and e.kind = $1 order by 1 limit 10',
  'with x as (select user_id, sum(n) as n from user_events group by 1) select count(*) from x join profiles using (user_id) where n > 3',
  'select s.site, (select count(*) from user_events e where e.event_site = s.site) from sites s',
  'select id, rank() over (partition by event_site order by n) from user_events where user_id in (select user_id from profiles)',
  'select user_id from user_events union select user_id from profiles except select user_id from profiles where country = $1',
];

/** What it costs to narrow a statement to the people who agreed. */
export const consentRewrite: Benchmark = {
  name: 'consent-rewrite',
  about: `narrow ${STATEMENTS.length} statements to the people who agreed, ${ROUNDS.toLocaleString('en')} times`,
  async run() {
    await loadParser();
    const table = (name: string) => ({ schema: 'public', name, kind: 'table' as const, partOf: [] });
    const snapshot = {
      searchPath: ['public'],
      relations: ['user_events', 'profiles', 'sites'].map(table),
      builtIn: ['count', 'sum', 'rank'],
      builtInOfOne: [],
      own: { functions: [], functionsOfOne: [], operators: [], types: [], unseen: [] },
    };
    const catalog = createCatalog(snapshot, {
      narrowed: ({ name }) =>
        name === 'sites'
          ? undefined
          : (row) => ` where exists (select from consent.agreed as a where a.user_id = ${row}.user_id)`,
      open: ({ name }) => name === 'sites',
      functions: [],
    });
    const enforced: number[] = [];
    const parsed: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const sql of STATEMENTS) {
        enforced.push(microseconds(() => enforceSql(sql, catalog)));
        parsed.push(microseconds(() => parseSync(sql)));
      }
    }
    return [
      judge({
        name: 'consent-rewrite',
        value: quantile(enforced, 0.5),
        unit: 'µs',
        baseline: quantile(parsed, 0.5),
        goal: { value: 150 },
        measured: `a statement read, narrowed, and compared with what was intended; p50 of ${ROUNDS * STATEMENTS.length}`,
        against: "the same statements read once by PostgreSQL's parser, p50",
        notes: [
          `p95 ${quantile(enforced, 0.95).toFixed(0)} µs, of reading alone ${quantile(parsed, 0.95).toFixed(0)} µs`,
        ],
      }),
    ];
  },
};

function microseconds(work: () => unknown): number {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1_000;
}
