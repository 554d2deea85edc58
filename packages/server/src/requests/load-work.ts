import { sql } from 'kysely';
import type { Identity } from '../catalog/index.ts';
import { type Database, HabeasError, type SecretKey } from '../foundation/index.ts';
import { createGroup } from './group.ts';
import { openIdentity, openRequestKey, type RequestRef } from './identity-vault.ts';
import type { TaskRow } from './neighbourhood.ts';

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
  /** The frozen datasets and rules of the task's system, if it has any. */
  readonly inputs: string | undefined;
}

const GROUP_LIMIT = 64;

interface WorkRow {
  readonly task_id: string;
  readonly sealed_key: Uint8Array | null;
  readonly identities: readonly { readonly type: string; readonly sealed: string }[] | null;
  readonly located: string | null;
  readonly asked: string | null;
}

/** Reads what tasks need; tasks that start together are read together. Throws KEY_DESTROYED if the request was forgotten. */
export function createWorkLoader(db: Database, masterKey: SecretKey): (task: TaskRow) => Promise<Work> {
  const inputsByHash = new Map<string, Promise<string>>();
  const loadRow = createGroup<TaskRow, WorkRow | undefined>({
    limit: GROUP_LIMIT,
    keyOf: (task) => task.id,
    run: async (tasks) => {
      const { rows } = await selectWork(db, tasks);
      const byId = new Map(rows.map((row) => [row.task_id, row]));
      return tasks.map((task) => byId.get(task.id));
    },
  });
  const loadInputs = (organizationId: string, hash: string): Promise<string> => {
    const name = `${organizationId}/${hash}`;
    const known = inputsByHash.get(name);
    if (known !== undefined) return known;
    const loading = selectInputs(db, organizationId, hash);
    loading.catch(() => inputsByHash.delete(name));
    inputsByHash.set(name, loading);
    return loading;
  };

  return async (task) => {
    const ref: RequestRef = { organizationId: task.organization_id, requestId: task.request_id };
    const row = await loadRow(task);
    if (row === undefined || row.sealed_key === null) {
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
      inputs: task.inputs === null ? undefined : await loadInputs(ref.organizationId, task.inputs),
    };
  };
}

function selectWork(db: Database, tasks: readonly TaskRow[]) {
  return sql<WorkRow>`
    select t.id as task_id, k.sealed_key, l.blob as located, a.contents as asked,
      (select jsonb_agg(jsonb_build_object('type', i.type, 'sealed', encode(i.sealed_value, 'base64')) order by i.position)
       from request_identities i
       where i.organization_id = t.organization_id and i.request_id = t.request_id) as identities
    from unnest(${tasks.map((task) => task.organization_id)}::text[], ${tasks.map((task) => task.id)}::text[]) as wanted (organization_id, id)
    join tasks t on t.organization_id = wanted.organization_id and t.id = wanted.id
    left join request_keys k on k.organization_id = t.organization_id and k.request_id = t.request_id
    left join tasks l on l.organization_id = t.organization_id and l.request_id = t.request_id and l.key = 'locate:' || t.system
    left join tasks a on a.organization_id = t.organization_id and a.request_id = t.request_id
      and t.key = 'resolve-again:' || t.system and a.key = 'resolve:' || t.system`.execute(db);
}

async function selectInputs(db: Database, organizationId: string, hash: string): Promise<string> {
  const { rows } = await sql<{ content: string }>`
    select content from plan_inputs where organization_id = ${organizationId} and hash = ${hash}`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new HabeasError('INTERNAL', `The frozen datasets ${hash} of a plan are gone.`);
  return row.content;
}
