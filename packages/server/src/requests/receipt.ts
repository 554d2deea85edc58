import { randomBytes } from 'node:crypto';
import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { type AuditTables, appendAudit, canonicalJson, type EntryProof } from '../audit/index.ts';
import { type Clock, type Database, HabeasError, sha256Hex } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import { inPairs, type RequestRow, type TaskRow } from './neighbourhood.ts';
import { readEvidence, type StoredEvidence } from './read-evidence.ts';
import { requestRow } from './read-requests.ts';
import { hasPackage, isChanging } from './rights.ts';
import { isEnded } from './snapshot.ts';
import { REQUEST_COLUMNS, type RequestTables, TASK_ROW_COLUMNS } from './tables.ts';

/** Signs bytes for the organization: a detached JWS and the key to check it with. */
export type SignReceipt = (
  organizationId: string,
  payload: Uint8Array,
) => Promise<{ readonly signature: string; readonly publicKey: Readonly<Record<string, unknown>> }>;

/** Proves an audit entry that was written just now; undefined: the log cannot have it yet. */
export type ProveEntry = (sequence: number) => Promise<EntryProof | undefined>;

export interface ReceiptContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly sign: SignReceipt;
}

type Receipt = api.ReceiptView['receipt'];

/** Bytes that nobody can guess: the log keeps the hash of a receipt after the words in it are forgotten. */
const SALT_BYTES = 16;

/**
 * The receipt of a finished request: made once and stored, and once more without the words of people that it quotes when the
 * request is forgotten. Each time its hash goes into the audit log in the same transaction; the proof of that is made anew
 * for whoever asks. Throws CONFLICT while the request goes on.
 */
export async function receiptOf(
  context: ReceiptContext,
  ref: RequestRef,
  prove: ProveEntry,
): Promise<api.ReceiptView> {
  const { db } = context;
  const request = await requestRow(db, ref);
  if (!isEnded(request.state) || request.completed_at === null) {
    throw new HabeasError(
      'CONFLICT',
      `Request ${ref.requestId} is ${request.state}; a receipt exists once it has ended.`,
    );
  }
  const stored = async () => {
    const row = await db
      .withTables<RequestTables>()
      .selectFrom('requests')
      .select('receipt')
      .where('organization_id', '=', ref.organizationId)
      .where('id', '=', ref.requestId)
      .executeTakeFirstOrThrow();
    return row.receipt;
  };
  let receipt = await stored();
  // Forgetting takes it away, once: it may come between.
  for (let made = 0; receipt === null && made < 2; made += 1) {
    await freezeReceipts(context, { organizationId: ref.organizationId, ids: [ref.requestId] });
    receipt = await stored();
  }
  if (receipt === null) throw new HabeasError('INTERNAL', `The receipt of ${ref.requestId} was not stored.`);
  const signed: SignedReceipt = JSON.parse(receipt);
  const sequence = await sequenceOf(db, ref, receiptHash(signed.receipt));
  const proved = await prove(sequence);
  return {
    ...signed,
    log: proved === undefined ? null : { entry: { ...proved.entry }, proof: proved.proof },
  };
}

type SignedReceipt = Omit<api.ReceiptView, 'log'>;

function receiptHash(receipt: Receipt): string {
  return sha256Hex(canonicalJson(receipt));
}

/** Where the entry is that holds the hash of the receipt. */
async function sequenceOf(db: Database, ref: RequestRef, hash: string): Promise<number> {
  const { rows } = await sql<{ readonly sequence: number }>`
    select sequence from audit_entries
    where organization_id = ${ref.organizationId} and subject = ${ref.requestId}
      and action = ${SIGNED} and details::jsonb ->> 'sha256' = ${hash}
    order by sequence desc limit 1`.execute(db);
  const [entry] = rows;
  if (entry !== undefined) return entry.sequence;
  throw new HabeasError(
    'AUDIT_LOG_DAMAGED',
    `The audit log has no entry of the receipt of ${ref.requestId}. Run: habeas audit verify`,
  );
}

/** Action of the entry that holds the hash of a receipt. */
const SIGNED = 'receipt.signed';

/**
 * Makes and stores the receipts of requests that have ended and have none; a few statements, however many requests. They are
 * locked meanwhile, in one order: nobody forgets what a receipt is just quoting.
 */
export async function freezeReceipts(
  context: ReceiptContext,
  ended: { readonly organizationId: string; readonly ids: readonly string[] },
): Promise<void> {
  if (ended.ids.length === 0) return;
  await context.db.transaction().execute(async (transaction) => {
    const requests = await transaction
      .withTables<RequestTables>()
      .selectFrom('requests')
      .select(REQUEST_COLUMNS)
      .where('organization_id', '=', ended.organizationId)
      .where('id', 'in', [...ended.ids])
      .where('completed_at', 'is not', null)
      .where('receipt', 'is', null)
      .orderBy('id')
      .forNoKeyUpdate()
      .execute();
    if (requests.length > 0) await makeAndStore(transaction, requests, context);
  });
}

async function makeAndStore(
  transaction: Database,
  requests: readonly RequestRow[],
  { sign, clock }: ReceiptContext,
): Promise<void> {
  const keyOf = (row: { readonly organization_id: string; readonly request_id: string }) =>
    `${row.organization_id}/${row.request_id}`;
  const tasks = await transaction
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .select(TASK_ROW_COLUMNS)
    .where(
      inPairs(
        'organization_id',
        'request_id',
        requests.map((row) => [row.organization_id, row.id]),
      ),
    )
    .orderBy('position')
    .execute();
  const tasksOf = Map.groupBy(tasks, keyOf);
  const leaves = await auditLeaves(transaction, requests, tasks);
  const made = await Promise.all(
    requests.map(async (request) => {
      const own = tasksOf.get(`${request.organization_id}/${request.id}`) ?? [];
      const receipt = makeReceipt(request, own, [request.id, ...own.map(({ id }) => id)], leaves);
      const payload = Buffer.from(canonicalJson(receipt));
      const { signature, publicKey } = await sign(request.organization_id, payload);
      const view: SignedReceipt = { receipt, signature, public_key: { ...publicKey } };
      return {
        organization_id: request.organization_id,
        id: request.id,
        receipt: JSON.stringify(view),
        hash: receiptHash(receipt),
      };
    }),
  );
  await appendAudit(
    transaction,
    made.map((one) => ({
      organizationId: one.organization_id,
      actor: 'system',
      action: SIGNED,
      subject: one.id,
      details: { sha256: one.hash },
    })),
    clock.now(),
  );
  await sql`
    update requests as r set receipt = c.receipt
    from jsonb_to_recordset(${JSON.stringify(made)}::jsonb) as c (organization_id text, id text, receipt text)
    where r.organization_id = c.organization_id and r.id = c.id`.execute(transaction);
}

type Leaves = ReadonlyMap<string, readonly Leaf[]>;

type EvidenceOf = (task: TaskRow) => StoredEvidence | undefined;

interface Leaf {
  readonly sequence: number;
  readonly hash: string;
}

function makeReceipt(
  request: RequestRow,
  tasks: readonly TaskRow[],
  subjects: readonly string[],
  leaves: Leaves,
): Receipt {
  const bySystem = Map.groupBy(
    tasks.filter((task) => task.system !== null),
    (task) => task.system ?? '',
  );
  const evidence: EvidenceOf = (task) => (task.evidence === null ? undefined : readEvidence(task.evidence));
  const ofSystems = <Entry>(entries: (own: readonly TaskRow[]) => readonly Entry[]) =>
    [...bySystem].flatMap(([system, own]) => entries(own).map((entry) => ({ ...entry, system })));
  return {
    version: 3,
    salt: randomBytes(SALT_BYTES).toString('base64url'),
    organization: request.organization_id,
    request_id: request.id,
    right: request.right_kind,
    dry_run: request.dry_run,
    state: request.state,
    received_at: request.received_at.toISOString(),
    completed_at: (request.completed_at ?? request.received_at).toISOString(),
    plan_hash: request.plan_hash ?? '',
    policy_version: request.policy_version ?? '',
    systems: [...bySystem].map(([system, own]) => systemEntry(system, own, evidence)),
    retained: hasPackage(request.right_kind) ? [] : ofSystems((own) => retained(own, evidence)),
    residuals: ofSystems((own) => own.flatMap((task) => evidence(task)?.residuals ?? [])),
    audit_leaf_hashes: subjects
      .flatMap((subject) => leaves.get(`${request.organization_id}/${subject}`) ?? [])
      .sort((a, b) => a.sequence - b.sequence)
      .map(({ hash }) => hash),
  };
}

function systemEntry(
  system: string,
  tasks: readonly TaskRow[],
  evidence: EvidenceOf,
): Receipt['systems'][number] {
  const acted = tasks.find(
    (task) => isChanging(task.kind) || task.kind === 'collect' || task.kind === 'ticket',
  );
  // Nothing is verified unless every reading was: the last one stands for all.
  const readings = tasks.filter((task) => task.kind === 'verify');
  const verified = readings.every((task) => task.state === 'succeeded') ? readings.at(-1) : undefined;
  const told = acted === undefined ? undefined : evidence(acted);
  return {
    system,
    tasks: tasks.map((task) => ({
      key: task.key,
      kind: task.kind,
      state: task.state,
      ended_at: task.ended_at?.toISOString() ?? null,
      note: task.note,
    })),
    counts: told?.counts ?? {},
    ...(acted?.kind === 'erase'
      ? effectsOf(told, verified === undefined ? undefined : evidence(verified))
      : {}),
    verified_at: verified?.ended_at?.toISOString() ?? null,
    assurance: assuranceOf(acted, verified),
  };
}

/** What became of each collection; what is only marked as deleted is what the last reading saw. */
function effectsOf(
  told: StoredEvidence | undefined,
  read: StoredEvidence | undefined,
): Pick<StoredEvidence, 'effects'> {
  const effects = { ...told?.effects };
  for (const [name, { hidden = 0, ...seen }] of Object.entries(read?.effects ?? {}))
    if (hidden > 0) effects[name] = { ...(effects[name] ?? seen), hidden, level: 'hidden' };
  return Object.keys(effects).length === 0 ? {} : { effects };
}

/** How sure it is that a system did what the plan wanted of it. */
function assuranceOf(
  acted: TaskRow | undefined,
  verified: TaskRow | undefined,
): Receipt['systems'][number]['assurance'] {
  if (verified !== undefined) return 'verified';
  if (acted?.state !== 'succeeded') return 'none';
  return acted.kind === 'ticket' ? 'attested' : 'answered';
}

/**
 * The last reading saw what is kept; without one, the word of the erasure stands. What a person left out is kept too, and who
 * reads the receipt is told so.
 */
function retained(
  tasks: readonly TaskRow[],
  evidence: EvidenceOf,
): readonly api.EvidenceView['retained'][number][] {
  const source =
    tasks.findLast((task) => task.kind === 'verify' && task.evidence !== null) ??
    tasks.find((task) => isChanging(task.kind));
  const known = tasks.find((task) => task.kind === 'locate');
  const counts = (known === undefined ? undefined : evidence(known))?.counts ?? {};
  const leftOut = tasks
    .filter((task) => task.state === 'skipped' && LEFT_OUT[task.kind] !== undefined)
    // The first one says most: what was not erased is not read either.
    .slice(0, 1)
    .map((task) => ({
      collection: '*',
      // A skipped reading says nothing of how much is left.
      count: isChanging(task.kind) ? Object.values(counts).reduce((sum, count) => sum + count, 0) : 0,
      reason: `${LEFT_OUT[task.kind]}${task.note === null ? '' : `: ${task.note}`}`,
      until: null,
    }));
  return [...((source === undefined ? undefined : evidence(source))?.retained ?? []), ...leftOut];
}

/** What it means for an erasure or a change that a person left a task out. */
const LEFT_OUT: { readonly [Kind in api.TaskKind]?: string } = {
  erase: 'not erased, by decision of a person',
  rectify: 'not corrected, by decision of a person',
  restrict: 'not changed, by decision of a person',
  object: 'not changed, by decision of a person',
  ticket: 'nobody of the team said that it is done; left out by decision of a person',
  verify: 'not read again, by decision of a person',
};

/** Leaves of the audit log about requests and their tasks, by subject: what a Merkle proof of the log can be asked for. */
async function auditLeaves(
  db: Database,
  requests: readonly RequestRow[],
  tasks: readonly TaskRow[],
): Promise<Leaves> {
  const subjects = [...requests, ...tasks].map((row) => [row.organization_id, row.id] as const);
  const rows = await db
    .withTables<AuditTables>()
    .selectFrom('audit_entries')
    .select(['organization_id', 'subject', 'sequence', 'leaf_hash'])
    .where(inPairs('organization_id', 'subject', subjects))
    .execute();
  const leaves = rows.map((row) => ({
    subject: `${row.organization_id}/${row.subject}`,
    sequence: Number(row.sequence),
    hash: Buffer.from(row.leaf_hash).toString('hex'),
  }));
  return Map.groupBy(leaves, ({ subject }) => subject);
}
