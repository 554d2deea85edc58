import type { api } from '@habeas/contract';
import type { FieldChange } from '../connectors/index.ts';
import { type Database, open, type SecretKey, seal } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { RequestTables } from './tables.ts';

/** Stores the new values of rectifications: personal data, so sealed with the request's key like its identities. */
export async function addChanges(
  transaction: Database,
  asked: readonly {
    readonly ref: RequestRef;
    readonly key: SecretKey;
    readonly changes: readonly api.FieldChange[];
  }[],
): Promise<void> {
  if (asked.length === 0) return;
  await transaction
    .withTables<RequestTables>()
    .insertInto('request_changes')
    .values(
      asked.map(({ ref, key, changes }) => ({
        organization_id: ref.organizationId,
        request_id: ref.requestId,
        sealed: seal(key, Buffer.from(JSON.stringify(changes)), changesContext(ref)),
      })),
    )
    .execute();
}

/** The new values of a rectification; none of any other request. */
export async function loadChanges(
  db: Database,
  ref: RequestRef,
  key: SecretKey,
): Promise<readonly api.FieldChange[]> {
  const row = await db
    .withTables<RequestTables>()
    .selectFrom('request_changes')
    .select('sealed')
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .executeTakeFirst();
  return row === undefined ? [] : openChanges(ref, key, row.sealed);
}

export function openChanges(ref: RequestRef, key: SecretKey, sealed: Uint8Array): readonly api.FieldChange[] {
  return JSON.parse(open(key, sealed, changesContext(ref)).toString());
}

/** As connectors take them. */
export function fieldChanges(changes: readonly api.FieldChange[]): readonly FieldChange[] {
  return changes.map(({ target, from, to }) => ({ target, from, to }));
}

function changesContext(ref: RequestRef): string {
  return `changes ${ref.organizationId}/${ref.requestId}`;
}
