import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import type { Identity } from '../catalog/index.ts';
import { createGroup, type Database, HabeasError, kept, type SecretKey } from '../foundation/index.ts';
import { openChanges } from './change-vault.ts';
import { openIdentity, openRequestKey, type RequestRef } from './identity-vault.ts';
import type { RequestRow, TaskRow } from './neighbourhood.ts';
import type { ClaimedTask } from './places.ts';
import { REQUEST_COLUMNS, TASK_ROW_COLUMNS } from './tables.ts';

/** What the work of a task needs beside its row. */
export interface Work {
  /** The request's key. */
  readonly key: SecretKey;
  /** In the order in which they became known. */
  readonly identities: readonly Identity[];
  /** Names of the blobs that hold the keys of the task's system, or null. */
  readonly located: string | null;
  /** Of a system that is asked for identities once more: digests of those that it was asked with before, or told. */
  readonly askedBefore: ReadonlySet<string> | undefined;
  /** The new values of a rectification; empty for every other right. */
  readonly changes: readonly api.FieldChange[];
  /** The frozen datasets and rules of the task's system, if it has any. */
  readonly inputs: string | undefined;
}

/** The rows of a task that was claimed, and of its request. */
export interface LoadedWork {
  readonly task: TaskRow;
  readonly request: RequestRow;
  /** Throws KEY_DESTROYED if the request was forgotten. */
  open(): Promise<Work>;
}

const GROUP_LIMIT = 64;

interface WorkRow {
  readonly sealed_key: Uint8Array | null;
  readonly identities: readonly { readonly type: string; readonly sealed: string }[] | null;
  readonly located: string | null;
  readonly asked: string | null;
  readonly changes: Uint8Array | null;
}

/** Datasets and rules that plans froze are kept in memory for so many plans that differ in them. */
const MOST_INPUTS = 100;

/**
 * Reads what claimed tasks need; tasks that start together are read together. undefined where the claim holds no longer: the task
 * was cancelled, or taken over.
 */
export function createWorkLoader(
  db: Database,
  masterKey: SecretKey,
): (claimed: ClaimedTask) => Promise<LoadedWork | undefined> {
  const inputsByHash = new Map<string, Promise<string>>();
  const load = createGroup<ClaimedTask, LoadedRows | undefined>({
    limit: GROUP_LIMIT,
    keyOf: ({ taskId }) => taskId,
    run: async (claimed) => {
      const { rows } = await selectWork(db, claimed);
      const byId = new Map(rows.map((row) => [row['task.id'], row]));
      return claimed.map(({ taskId }) => byId.get(taskId));
    },
  });
  const loadInputs = (organizationId: string, hash: string): Promise<string> => {
    const name = `${organizationId}/${hash}`;
    const known = inputsByHash.get(name);
    const loading = known ?? selectInputs(db, organizationId, hash);
    if (known === undefined) loading.catch(() => inputsByHash.delete(name));
    // The one that was asked for last is the last of the map.
    inputsByHash.delete(name);
    inputsByHash.set(name, loading);
    const [oldest] = inputsByHash.keys();
    if (inputsByHash.size > MOST_INPUTS && oldest !== undefined) inputsByHash.delete(oldest);
    return loading;
  };

  return async (claimed) => {
    const row = await load(claimed);
    if (row === undefined) return undefined;
    const task = pick<TaskRow>(row, 'task');
    if (task.state !== 'running' || task.attempt !== claimed.attempt) return undefined;
    return { task, request: pick<RequestRow>(row, 'request'), open: () => openWork(task, row) };
  };

  async function openWork(task: TaskRow, row: WorkRow): Promise<Work> {
    const ref: RequestRef = { organizationId: task.organization_id, requestId: task.request_id };
    if (row.sealed_key === null) {
      throw new HabeasError(
        'KEY_DESTROYED',
        `The personal data of request ${ref.requestId} was forgotten: its key was destroyed.`,
      );
    }
    const key = openRequestKey(ref, row.sealed_key, masterKey);
    return {
      key,
      identities: (row.identities ?? []).map(({ type, sealed }) =>
        openIdentity(ref, key, { type, sealed: Buffer.from(sealed, 'base64') }),
      ),
      located: row.located,
      askedBefore: row.asked === null ? undefined : new Set<string>(JSON.parse(row.asked)),
      changes: row.changes === null ? [] : openChanges(ref, key, row.changes),
      inputs: task.inputs === null ? undefined : await loadInputs(ref.organizationId, task.inputs),
    };
  }
}

/** Columns of two tables in one row: each under its table's word. */
type LoadedRows = WorkRow & Readonly<Record<`task.${string}` | `request.${string}`, unknown>>;

/** As a text that is made once: put together for each task, it would cost more than the database needs to read the rows. */
function columns(table: string, word: string, names: readonly string[]) {
  return sql.raw(names.map((name) => `${table}."${name}" as "${word}.${name}"`).join(', '));
}

const TASK = columns('t', 'task', TASK_ROW_COLUMNS);
const REQUEST = columns('r', 'request', REQUEST_COLUMNS);

function pick<Row>(row: LoadedRows, word: 'task' | 'request'): Row {
  const own = Object.entries(row).filter(([name]) => name.startsWith(`${word}.`));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(word.length + 1), value])) as Row;
}

/** What is one value of one row stands in a query of its own: of so many joins PostgreSQL weighs every order, for longer than it reads. */
function selectWork(db: Database, claimed: readonly ClaimedTask[]) {
  const organizations = claimed.map(({ organizationId }) => organizationId);
  const ofRequest = (alias: string) =>
    sql`${sql.ref(`${alias}.organization_id`)} = t.organization_id and ${sql.ref(`${alias}.request_id`)} = t.request_id`;
  return sql<LoadedRows>`
    ${kept} select ${TASK}, ${REQUEST},
      (select k.sealed_key from request_keys k where ${ofRequest('k')}) as sealed_key,
      (select c.sealed from request_changes c where ${ofRequest('c')}) as changes,
      (select l.blob from tasks l where ${ofRequest('l')} and l.key = 'locate:' || t.system) as located,
      (select a.contents from tasks a
       where ${ofRequest('a')} and t.key = 'resolve-again:' || t.system and a.key = 'resolve:' || t.system) as asked,
      (select jsonb_agg(jsonb_build_object('type', i.type, 'sealed', encode(i.sealed_value, 'base64')) order by i.position)
       from request_identities i where ${ofRequest('i')}) as identities
    from unnest(${organizations}::text[], ${claimed.map(({ taskId }) => taskId)}::text[]) as wanted (organization_id, id)
    join tasks t on t.organization_id = wanted.organization_id and t.id = wanted.id
    join requests r on r.organization_id = t.organization_id and r.id = t.request_id`.execute(db);
}

async function selectInputs(db: Database, organizationId: string, hash: string): Promise<string> {
  const { rows } = await sql<{ content: string }>`
    select content from plan_inputs where organization_id = ${organizationId} and hash = ${hash}`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new HabeasError('INTERNAL', `The frozen datasets ${hash} of a plan are gone.`);
  return row.content;
}
