import { type Database, HabeasError } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { RequestRow } from './neighbourhood.ts';
import type { Plan } from './plan.ts';
import { REQUEST_COLUMNS, type RequestTables } from './tables.ts';

/** Throws NOT_FOUND outside the organization too, so that nobody learns what others have. */
export async function requestRow(db: Database, ref: RequestRef): Promise<RequestRow> {
  const row = await db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select(REQUEST_COLUMNS)
    .where('organization_id', '=', ref.organizationId)
    .where('id', '=', ref.requestId)
    .executeTakeFirst();
  if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no request ${ref.requestId}.`);
  return row;
}

/** The frozen plan; undefined while there is none. */
export async function requestPlan(db: Database, ref: RequestRef): Promise<Plan | undefined> {
  const row = await db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select('plan')
    .where('organization_id', '=', ref.organizationId)
    .where('id', '=', ref.requestId)
    .executeTakeFirst();
  if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no request ${ref.requestId}.`);
  return row.plan === null ? undefined : JSON.parse(row.plan);
}
