import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { type Database, HabeasError } from '../foundation/index.ts';
import type { Caller, Page } from './requests.ts';
import { REQUEST_COLUMNS, type RequestTables } from './tables.ts';
import { requestView } from './views.ts';

type Query = api.RequestFilter & { readonly cursor?: string | undefined; readonly limit: number };

const LONGEST_ID = 60;

/** A page of the organization's requests. Throws BAD_INPUT for a cursor that no page of this order gave. */
export async function listRequests(
  db: Database,
  caller: Caller,
  query: Query,
): Promise<Page<api.RequestView>> {
  let select = db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select(REQUEST_COLUMNS)
    .where('organization_id', '=', caller.organizationId)
    .limit(query.limit + 1);
  if (query.state !== undefined) select = select.where('state', '=', query.state);
  if (query.right !== undefined) select = select.where('right_kind', '=', query.right);
  if (query.regime !== undefined) select = select.where('regime', '=', query.regime);
  if (query.owner !== undefined) select = select.where('owner', '=', query.owner);
  if (query.open !== undefined)
    select = select.where('completed_at', query.open === 'true' ? 'is' : 'is not', null);
  if (query.due_before !== undefined) select = select.where('due_at', '<', new Date(query.due_before));
  if (query.received_from !== undefined)
    select = select.where('received_at', '>=', new Date(query.received_from));
  if (query.received_before !== undefined)
    select = select.where('received_at', '<', new Date(query.received_before));
  // Ids have small letters, digits and _ only; z sorts after all of them, in whatever language the database sorts.
  if (query.id !== undefined)
    select = select.where('id', '>=', query.id).where('id', '<=', query.id + 'z'.repeat(LONGEST_ID));
  if (query.order === 'due') {
    select = select.orderBy('due_at').orderBy('id');
    if (query.cursor !== undefined) {
      const { due, id } = dueCursor(query.cursor);
      select = select.where(sql<boolean>`(due_at, id) > (${due}, ${id})`);
    }
  } else {
    select = select.orderBy('id', 'desc');
    if (query.cursor !== undefined) select = select.where('id', '<', query.cursor);
  }
  const rows = await select.execute();
  const page = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? page.at(-1) : undefined;
  const next = query.order === 'due' ? last && `${last.due_at.toISOString()}~${last.id}` : last?.id;
  return { items: page.map(requestView), next: next ?? null };
}

function dueCursor(cursor: string): { readonly due: Date; readonly id: string } {
  const [at = '', id] = cursor.split('~');
  const due = new Date(at);
  if (id === undefined || Number.isNaN(due.getTime()))
    throw new HabeasError('BAD_INPUT', 'The cursor is of another order. Start again without it.');
  return { due, id };
}
