import { setTimeout as delay } from 'node:timers/promises';
import { auditMigrations } from '../packages/server/src/audit/index.ts';
import {
  assignBits,
  consentMigrations,
  createSubjects,
  recordAtOnce,
  type Signal,
  targetMigrations,
} from '../packages/server/src/consent/index.ts';
import { migrate, newSecretKey, openDatabase } from '../packages/server/src/foundation/index.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { inFlight } from './limiter.ts';
import { createDatabase } from './on-database.ts';
import { processorTime } from './processor-time.ts';
import { seededRandom } from './seeded-random.ts';
import { median, timed } from './statistics.ts';

const PEOPLE = 100_000;
const BATCH = 1_000;
const BATCHES = 100;
/** As the pieces of a list: the next one is made ready while the connection has the one before. */
const AT_ONCE = 2;
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
      await migrate(opened.db, { ...auditMigrations, ...consentMigrations, ...targetMigrations });
      await opened.pool.query('create table bare_signals (like consent_signals including all)');
      await opened.pool.query('create table bare_signatures (like consent_signatures including all)');
      const signals = signalsOf(bench);
      const purposes = await assignBits(opened.db, ORGANIZATION, CODES);
      const subjects = createSubjects({ organizationId: ORGANIZATION, masterKey: newSecretKey() });
      const options = { organizationId: ORGANIZATION, subjects, purposes, now: new Date(), entries: [ENTRY] };
      const exact: number[] = [];
      const bare: number[] = [];
      /** Processor time, in microseconds a signal. */
      const spent = { exact: [] as number[], bare: [] as number[], withSignatures: [] as number[] };
      const perSignal = (milliseconds: number) => (milliseconds * 1_000) / (BATCH * BATCHES);
      for (let run = 0; run < RUNS; run += 1) {
        bench.say(`run ${run + 1} of ${RUNS}`);
        const batches = Array.from({ length: BATCHES }, () => signals.next().value as readonly Signal[]);
        let before = processorTime();
        const stored = await timed(() =>
          inFlight({ count: BATCHES, most: AT_ONCE }, async (n) => {
            if (!(await recordAtOnce(opened.db, batches[n] ?? [], options)))
              throw new Error('A signal was not new.');
          }),
        );
        exact.push(perSignal(stored.milliseconds));
        spent.exact.push(perSignal(processorTime() - before));
        before = processorTime();
        const plain = await timed(() =>
          inFlight({ count: BATCHES, most: AT_ONCE }, (n) => insertBare(opened.pool, batches[n] ?? [])),
        );
        bare.push(perSignal(plain.milliseconds));
        spent.bare.push(perSignal(processorTime() - before));
        before = processorTime();
        for (const batch of batches) await upsertBare(opened.pool, batch);
        spent.withSignatures.push(perSignal(processorTime() - before));
        await delay(0);
      }
      return [
        judge({
          name: 'consent-ingest',
          value: median(exact),
          unit: 'µs a signal',
          baseline: median(bare),
          goal: { value: 25 },
          measured: `one connection, the next batch made ready while the one before is stored, transactions of ${BATCH} signals, ${LATE * 100} % of them said before others that are stored: the signal, its person, the person's signature, and an audit entry; median of ${RUNS}`,
          against: 'an insert of the same rows of signals alone, in the same transactions',
          notes: [
            `${(1e6 / median(exact)).toFixed(0)} signals a second; runs: ${exact.map((µs) => µs.toFixed(1)).join(', ')} µs`,
            `processor time of PostgreSQL and Node together: ${median(spent.exact).toFixed(1)} µs a signal; the bare row ${median(spent.bare).toFixed(1)} µs, a bare upsert of a signature ${median(spent.withSignatures).toFixed(1)} µs`,
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

/** A row of a person for each signal: what can be left out of neither. The person's number is taken from the name, nobody is looked up. */
async function upsertBare(
  pool: ReturnType<typeof openDatabase>['pool'],
  batch: readonly Signal[],
): Promise<void> {
  await pool.query(
    `insert into bare_signatures as s (organization_id, subject, known, granted, latest)
     select distinct on (subject) $1, subject, 1, 1, said_at from unnest($2::integer[], $3::timestamptz[]) as fresh(subject, said_at)
     order by subject, said_at desc
     on conflict (organization_id, subject) do update
     set known = s.known | excluded.known, granted = excluded.granted, latest = greatest(s.latest, excluded.latest)`,
    [
      ORGANIZATION,
      batch.map(({ identity }) => Number(identity.value.slice('user-'.length))),
      batch.map(({ saidAt }) => saidAt.toISOString()),
    ],
  );
}
