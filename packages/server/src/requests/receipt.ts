import type { api } from '@habeas/contract';
import { type AuditTables, canonicalJson } from '../audit/index.ts';
import { type Database, HabeasError } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { TaskRow } from './neighbourhood.ts';
import { requestRow } from './read-requests.ts';
import { isEnded } from './snapshot.ts';
import { type RequestTables, TASK_ROW_COLUMNS } from './tables.ts';

/** Signs bytes for the organization: a detached JWS and the key to check it with. */
export type SignReceipt = (
  organizationId: string,
  payload: Uint8Array,
) => Promise<{ readonly signature: string; readonly publicKey: Readonly<Record<string, unknown>> }>;

type Receipt = api.ReceiptView['receipt'];

/** What a finished request can show for itself, signed. Throws CONFLICT while the request goes on. */
export async function makeReceipt(
  db: Database,
  ref: RequestRef,
  sign: SignReceipt,
): Promise<api.ReceiptView> {
  const request = await requestRow(db, ref);
  if (!isEnded(request.state) || request.completed_at === null) {
    throw new HabeasError(
      'CONFLICT',
      `Request ${ref.requestId} is ${request.state}; a receipt exists once it has ended.`,
    );
  }
  const tasks = await db
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .select(TASK_ROW_COLUMNS)
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .orderBy('position')
    .execute();
  const bySystem = Map.groupBy(
    tasks.filter((task) => task.system !== null),
    (task) => task.system ?? '',
  );
  const evidence = (task: TaskRow): api.EvidenceView | undefined =>
    task.evidence === null ? undefined : JSON.parse(task.evidence);
  const receipt: Receipt = {
    version: 1,
    organization: ref.organizationId,
    request_id: request.id,
    right: request.right_kind,
    dry_run: request.dry_run,
    state: request.state,
    received_at: request.received_at.toISOString(),
    completed_at: request.completed_at.toISOString(),
    plan_hash: request.plan_hash ?? '',
    policy_version: request.policy_version ?? '',
    systems: [...bySystem].map(([system, own]) => systemEntry(system, own, evidence)),
    retained: [...bySystem].flatMap(([system, own]) =>
      retained(own, evidence).map((entry) => ({ ...entry, system })),
    ),
    residuals: [...bySystem].flatMap(([system, own]) =>
      own.flatMap((task) => evidence(task)?.residuals ?? []).map((entry) => ({ ...entry, system })),
    ),
    audit_leaf_hashes: await auditLeaves(db, ref),
  };
  const { signature, publicKey } = await sign(ref.organizationId, Buffer.from(canonicalJson(receipt)));
  return { receipt, signature, public_key: { ...publicKey } };
}

function systemEntry(
  system: string,
  tasks: readonly TaskRow[],
  evidence: (task: TaskRow) => api.EvidenceView | undefined,
): Receipt['systems'][number] {
  const acted = tasks.find(
    (task) => task.kind === 'erase' || task.kind === 'collect' || task.kind === 'ticket',
  );
  const verified = tasks.find((task) => task.kind === 'verify' && task.state === 'succeeded');
  return {
    system,
    tasks: tasks.map((task) => ({
      key: task.key,
      kind: task.kind,
      state: task.state,
      ended_at: task.ended_at?.toISOString() ?? null,
      note: task.note,
    })),
    counts: (acted === undefined ? undefined : evidence(acted))?.counts ?? {},
    verified_at: verified?.ended_at?.toISOString() ?? null,
    attested: acted?.kind === 'ticket',
  };
}

/** The verification saw last what is kept; without one, the word of the erasure stands. */
function retained(
  tasks: readonly TaskRow[],
  evidence: (task: TaskRow) => api.EvidenceView | undefined,
): readonly api.EvidenceView['retained'][number][] {
  const source =
    tasks.find((task) => task.kind === 'verify' && task.evidence !== null) ??
    tasks.find((task) => task.kind === 'erase');
  return (source === undefined ? undefined : evidence(source))?.retained ?? [];
}

/** Leaves of the audit log about this request: what a Merkle proof of the log can be asked for. */
async function auditLeaves(db: Database, ref: RequestRef): Promise<string[]> {
  const rows = await db
    .withTables<AuditTables & RequestTables>()
    .selectFrom('audit_entries as a')
    .select('a.leaf_hash')
    .where('a.organization_id', '=', ref.organizationId)
    .where((where) =>
      where.or([
        where('a.subject', '=', ref.requestId),
        where(
          'a.subject',
          'in',
          where
            .selectFrom('tasks as t')
            .select('t.id')
            .where('t.organization_id', '=', ref.organizationId)
            .where('t.request_id', '=', ref.requestId),
        ),
      ]),
    )
    .orderBy('a.sequence')
    .execute();
  return rows.map((row) => Buffer.from(row.leaf_hash).toString('hex'));
}
