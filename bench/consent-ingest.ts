import { setTimeout as delay } from 'node:timers/promises';
import { auditMigrations } from '../packages/server/src/audit/index.ts';
import {
  assignBits,
  consentMigrations,
  createSubjects,
  recordAtOnce,
  type Signal,
} from '../packages/server/src/consent/index.ts';
import { migrate, newSecretKey, openDatabase } from '../packages/server/src/foundation/index.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { createDatabase } from './on-database.ts';
import { seededRandom } from './seeded-random.ts';
import { median, timed } from './statistics.ts';

const PEOPLE = 100_000;
const BATCH = 1_000;
const BATCHES = 100;
const RUNS = 3;
const LATE = 0.25;
const ORGANIZATION = 'acme';
/** With each batch, as for a call of the REST API. */
const ENTRY = {
  organizationId: ORGANIZATION,
  actor: 'bench',
  action: 'consent.recorded',
  subject: ORGANIZATION,
};
const CODES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** How fast signals are stored together with what they come to. */
export const consentIngest: Benchmark = {
  name: 'consent-ingest',
  about: `store ${(BATCH * BATCHES * RUNS).toLocaleString('en')} signals of ${PEOPLE.toLocaleString('en')} people, a quarter of them late`,
  async run(bench) {
    const postgres = await bench.postgres();
    await createDatabase(postgres.superuserUrl(), 'consent_ingest');
    const opened = openDatabase({ url: postgres.superuserUrl('consent_ingest'), connections: 1 });
    try {
      await migrate(opened.db, { ...auditMigrations, ...consentMigrations });
      await opened.pool.query('create table bare_signals (like consent_signals including all)');
      const signals = signalsOf(bench);
      const purposes = await assignBits(opened.db, ORGANIZATION, CODES);
      const subjects = createSubjects({ organizationId: ORGANIZATION, masterKey: newSecretKey() });
      const options = { organizationId: ORGANIZATION, subjects, purposes, now: new Date(), entries: [ENTRY] };
      const exact: number[] = [];
      const bare: number[] = [];
      for (let run = 0; run < RUNS; run += 1) {
        bench.say(`run ${run + 1} of ${RUNS}`);
        const batches = Array.from({ length: BATCHES }, () => signals.next().value as readonly Signal[]);
        const stored = await timed(async () => {
          for (const batch of batches)
            if (!(await recordAtOnce(opened.db, batch, options))) throw new Error('A signal was not new.');
        });
        exact.push((stored.milliseconds * 1_000) / (BATCH * BATCHES));
        const plain = await timed(async () => {
          for (const batch of batches) await insertBare(opened.pool, batch);
        });
        bare.push((plain.milliseconds * 1_000) / (BATCH * BATCHES));
        await delay(0);
      }
      return [
        judge({
          name: 'consent-ingest',
          value: median(exact),
          unit: 'µs a signal',
          baseline: median(bare),
          goal: { value: 25 },
          measured: `one connection, transactions of ${BATCH} signals, ${LATE * 100} % of them said before others that are stored: the signal, its person, the person's signature, and an audit entry; median of ${RUNS}`,
          against: 'an insert of the same rows of signals alone, in the same transactions',
          notes: [
            `${(1e6 / median(exact)).toFixed(0)} signals a second; runs: ${exact.map((µs) => µs.toFixed(1)).join(', ')} µs`,
          ],
        }),
      ];
    } finally {
      await opened.close();
    }
  },
};

/** Batches of signals, without an end. */
function* signalsOf(bench: Bench): Generator<readonly Signal[]> {
  const random = seededRandom(bench.seed);
  const start = Date.now() - 86_400_000;
  let count = 0;
  for (;;) {
    yield Array.from({ length: BATCH }, () => {
      count += 1;
      const delayed = random() < LATE ? random() * 3_600_000 : 0;
      return {
        eventId: `event-${count}`,
        identity: { type: 'user_id', value: `user-${Math.floor(random() * PEOPLE)}` },
        saidAt: new Date(start + count * 50 - delayed),
        choices: { [CODES[count % CODES.length] ?? '']: random() < 0.7 },
        source: 'api',
      };
    });
  }
}

async function insertBare(
  pool: ReturnType<typeof openDatabase>['pool'],
  batch: readonly Signal[],
): Promise<void> {
  await pool.query(
    `insert into bare_signals (organization_id, event_id, subject, said_at, received_at, mask, value, source)
     select $1, event_id, 0, said_at, now(), 1, 1, 'api'
     from unnest($2::text[], $3::timestamptz[]) as fresh(event_id, said_at)`,
    [ORGANIZATION, batch.map(({ eventId }) => eventId), batch.map(({ saidAt }) => saidAt.toISOString())],
  );
}
