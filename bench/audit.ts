import { generateKeyPairSync, sign } from 'node:crypto';
import type pg from 'pg';
import {
  type AuditLog,
  appendAudit,
  auditMigrations,
  createAuditLog,
  openCheckpoint,
  parseProof,
  parseTrust,
  rootFromInclusion,
  type SignLog,
} from '../packages/server/src/audit/index.ts';
import {
  createLogger,
  type Database,
  migrate,
  openDatabase,
  systemClock,
} from '../packages/server/src/foundation/index.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { type Figure, judge } from './figure.ts';
import { createDatabase } from './on-database.ts';
import { seededRandom } from './seeded-random.ts';
import { median, quantile, timed } from './statistics.ts';

const ORGANIZATION = 'acme';
const ENTRIES = 1_000_000;
/** Entries of one transaction. */
const BATCH = 5_000;
const PROOFS = 500;

/** How fast the audit log takes entries, and what a proof of one in a million costs. */
export const audit: Benchmark = {
  name: 'audit',
  about: `append ${ENTRIES.toLocaleString('en')} audit entries, and prove single ones`,
  async run(bench) {
    const postgres = await bench.postgres();
    await createDatabase(postgres.url('postgres'), 'audit');
    const { db, pool, close } = openDatabase({ url: postgres.url('audit'), connections: 4 });
    try {
      await migrate(db, auditMigrations);
      await pool.query('create table bare_entries (like audit_entries including all)');
      const log = logOf(db);
      bench.say('appending');
      const append = await measureAppend({ db, pool, log, bench });
      bench.say('proving');
      return [append, ...(await measureProofs(pool, log, bench))];
    } finally {
      await close();
    }
  },
};

function logOf(db: Database): AuditLog {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const bytes = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const signLog: SignLog = async (message) => ({
    signature: sign(null, message, privateKey),
    publicKey: bytes,
  });
  return createAuditLog({
    db,
    organizationId: ORGANIZATION,
    origin: 'bench.example/audit',
    clock: systemClock,
    logger: createLogger({ level: 'warn' }),
    sign: signLog,
    publicKeys: async () => [bytes],
  });
}

/** Entries as a busy server writes them. */
function eventsOf(start: number) {
  return Array.from({ length: BATCH }, (_, at) => ({
    organizationId: ORGANIZATION,
    actor: 'service:shop',
    action: 'task.succeeded',
    subject: `tsk_${String(start + at).padStart(26, '0')}`,
    details: {
      request: `req_${String(start + at).padStart(26, '0')}`,
      task: 'erase:shop',
      records: at,
      attempt: 1,
    },
  }));
}

async function measureAppend(options: {
  readonly db: Database;
  readonly pool: pg.Pool;
  readonly log: AuditLog;
  readonly bench: Bench;
}): Promise<Figure> {
  const { db, pool, log, bench } = options;
  // As in a server: the log advances beside the work.
  log.start();
  const ours = await timed(async () => {
    for (let start = 0; start < ENTRIES; start += BATCH) {
      const events = eventsOf(start);
      await db.transaction().execute((transaction) => appendAudit(transaction, events, new Date()));
      if (start % 250_000 === 0) bench.say(`${(start + BATCH).toLocaleString('en')} entries`);
    }
    await log.advance();
  });
  await log.stop();
  const [, size] = (await log.checkpoint()).split('\n');
  if (Number(size) !== ENTRIES) throw new Error(`The log has ${size} entries.`);
  bench.say('copying the same rows bare');
  const bare = await timed(async () => {
    for (let start = 0; start < ENTRIES; start += BATCH) await insertBare(pool, start);
  });
  const perEntry = (milliseconds: number) => (milliseconds / ENTRIES) * 1_000;
  return judge({
    name: 'audit-append',
    value: perEntry(ours.milliseconds),
    unit: 'µs',
    baseline: perEntry(bare.milliseconds),
    goal: { value: 50 },
    measured: `one entry of ${ENTRIES.toLocaleString('en')}, in transactions of ${BATCH.toLocaleString('en')}: made, hashed, written, taken into the tree and signed, until a checkpoint has them all; one writer; 50 µs are 20,000 entries a second`,
    against:
      'the same rows with the same indexes, copied by one statement a batch within the database: nothing is made, hashed or signed',
    notes: [`${Math.round(1_000_000 / perEntry(ours.milliseconds)).toLocaleString('en')} entries a second`],
  });
}

/** Copies the rows of one batch. */
async function insertBare(pool: pg.Pool, start: number): Promise<void> {
  const { rowCount } = await pool.query(
    `insert into bare_entries (organization_id, id, at, actor, action, subject, details, leaf_hash)
     select organization_id, id, at, actor, action, subject, details, leaf_hash from audit_entries
     where organization_id = $1 and sequence > $2 and sequence <= $3`,
    [ORGANIZATION, start, start + BATCH],
  );
  if (rowCount !== BATCH) throw new Error('The baseline has other rows than the log.');
}

async function measureProofs(pool: pg.Pool, log: AuditLog, bench: Bench): Promise<readonly Figure[]> {
  const random = seededRandom(bench.seed);
  const { rows } = await pool.query<{ readonly leaf_hash: Buffer }>(
    'select leaf_hash from audit_entries order by sequence',
  );
  const trust = parseTrust((await log.verifierKeys()).join('\n'));
  const times: number[] = [];
  const reads: number[] = [];
  const lengths: number[] = [];
  for (let run = 0; run < PROOFS; run += 1) {
    const index = Math.floor(random() * ENTRIES);
    const { milliseconds, result } = await timed(() => log.proveEntry(index + 1));
    if (result === undefined || result.index !== index)
      throw new Error('An entry has no proof, or that of another one.');
    const proof = parseProof(result.proof);
    const { size, root } = openCheckpoint(proof.checkpoint, trust);
    const leaf = rows[index]?.leaf_hash ?? Buffer.alloc(0);
    if (rootFromInclusion({ leaf, index, size, hashes: proof.hashes })?.equals(root) !== true)
      throw new Error('A proof does not hold.');
    times.push(milliseconds);
    lengths.push(Buffer.byteLength(result.proof));
    const read = 'select details from audit_entries where organization_id = $1 and sequence = $2';
    reads.push((await timed(() => pool.query(read, [ORGANIZATION, index + 1]))).milliseconds);
  }
  const bareProof = 20 * Math.ceil((32 * 4) / 3);
  return [
    judge({
      name: 'audit-proof',
      value: quantile(times, 0.95),
      unit: 'ms',
      baseline: quantile(reads, 0.95),
      goal: { value: 5 },
      measured: `the proof of a random entry of ${ENTRIES.toLocaleString('en')}, from the database; p95 of ${PROOFS}; each was verified`,
      against: 'reading that one entry by its key; p95',
      notes: [`median ${median(times).toFixed(2)} ms`],
    }),
    judge({
      name: 'audit-proof-size',
      value: Math.max(...lengths),
      unit: 'B',
      baseline: bareProof,
      goal: { value: 1_500 },
      measured: 'the longest of those proofs, as C2SP tlog-proof with its checkpoint',
      against: 'the 20 hashes of a path in a tree of 2^20, in base64 without line ends',
    }),
  ];
}
