import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { type Policy, termsOf } from '../policy/index.ts';
import type { RequestRow } from './neighbourhood.ts';
import type { RequestTables } from './tables.ts';

/**
 * What of a request was denied: the `whole`, because it was rejected; a `part`, because some data was kept or a person left out a task;
 * undefined: nothing, or nothing yet.
 */
export async function denialOf(
  db: Database,
  request: Pick<RequestRow, 'organization_id' | 'id' | 'state' | 'dry_run'>,
): Promise<'whole' | 'part' | undefined> {
  if (request.state === 'rejected') return 'whole';
  if (request.state !== 'completed' || request.dry_run) return undefined;
  const task = await db
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .select('id')
    .where('organization_id', '=', request.organization_id)
    .where('request_id', '=', request.id)
    .where((task) =>
      task.or([
        task('state', '=', 'skipped'),
        sql<boolean>`jsonb_array_length(evidence::jsonb -> 'retained') > 0`,
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return task === undefined ? undefined : 'part';
}

/** Why the law of a request knows no appeal against its denial to whom it was addressed; undefined: it knows one. */
export function noAppealBecause(
  request: Pick<RequestRow, 'appeal_of' | 'regime' | 'right_kind'>,
  policy: Pick<Policy, 'defaultRegime'>,
): string | undefined {
  if (request.appeal_of !== null) return 'it is an appeal itself';
  const regime = request.regime ?? policy.defaultRegime;
  if (termsOf(regime, { right: request.right_kind, appeal: true }) === undefined)
    return `its law (${regime}) knows no appeal to whom it was addressed; make a new request`;
  return undefined;
}

const DAY_MILLISECONDS = 86_400_000;

/**
 * The last moment at which an appeal against a request can be made for sure: the laws say "within a reasonable time" and no date,
 * so it is a day before Habeas forgets whom the request was about. undefined: there is nothing to appeal against.
 */
export async function appealUntil(
  db: Database,
  request: RequestRow,
  policy: Pick<Policy, 'defaultRegime'>,
): Promise<Date | undefined> {
  if (request.forget_at === null || noAppealBecause(request, policy) !== undefined) return undefined;
  if ((await denialOf(db, request)) === undefined) return undefined;
  return new Date(request.forget_at.getTime() - DAY_MILLISECONDS);
}
