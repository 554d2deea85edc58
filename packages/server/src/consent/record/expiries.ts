import { sql } from 'kysely';
import { type Database, int4Array, timestamptzArray } from '../../foundation/index.ts';
import type { MergeRule } from './fold.ts';

/** Notes when something of people's signatures expires. One that is noted earlier stays: then it is looked at again. */
export async function noteExpiries(
  transaction: Database,
  organizationId: string,
  expiries: readonly (readonly [subject: number, at: number])[],
): Promise<void> {
  if (expiries.length === 0) return;
  await sql`
    insert into consent_expiries as e (organization_id, subject, expires_at)
    select ${organizationId}, subject, expires_at
    from unnest(${int4Array(expiries.map(([subject]) => subject))}::integer[],
      ${timestamptzArray(expiries.map(([, at]) => at))}::timestamptz[]) as n(subject, expires_at)
    on conflict (organization_id, subject) do update set expires_at = excluded.expires_at
    where e.expires_at > excluded.expires_at`.execute(transaction);
}

export async function isAnyDue(db: Database, organizationId: string, now: Date): Promise<boolean> {
  const { rows } = await sql`
    select from consent_expiries where organization_id = ${organizationId} and expires_at <= ${now} limit 1`.execute(
    db,
  );
  return rows.length > 0;
}

/** Takes people of whom something has expired, some at once, and gives their numbers: their signatures have to be made anew. */
export async function takeExpired(
  transaction: Database,
  organizationId: string,
  { now, limit }: { readonly now: Date; readonly limit: number },
): Promise<readonly number[]> {
  const { rows } = await sql<{ subject: number }>`
    delete from consent_expiries where organization_id = ${organizationId} and subject in (
      select subject from consent_expiries where organization_id = ${organizationId} and expires_at <= ${now}
      order by expires_at limit ${limit})
    returning subject`.execute(transaction);
  return rows.map(({ subject }) => subject);
}

/** Says how `own_first` counts: another word has all that it came to made anew. */
const OWN_FIRST = 'own_first: Global Privacy Control by time';

/** Remembers how long agreements count and by which rule, and has everybody looked at again if it is another one than before. */
export async function noteValidities(
  transaction: Database,
  organizationId: string,
  options: { readonly days: ReadonlyMap<number, number>; readonly rule: MergeRule; readonly now: Date },
): Promise<void> {
  const { rule, now } = options;
  const days = [...options.days].toSorted(([one], [other]) => one - other);
  const wanted = JSON.stringify(rule === 'latest' ? days : [...days, OWN_FIRST]);
  const { rows } = await (wanted === '[]'
    ? sql`update consent_validities set days = ${wanted} where organization_id = ${organizationId} and days <> ${wanted} returning 1`
    : sql`
    insert into consent_validities as v (organization_id, days) values (${organizationId}, ${wanted})
    on conflict (organization_id) do update set days = excluded.days where v.days <> excluded.days
    returning 1`
  ).execute(transaction);
  if (rows.length === 0) return;
  await sql`
    insert into consent_expiries (organization_id, subject, expires_at)
    select organization_id, subject, ${now}::timestamptz from consent_signatures where organization_id = ${organizationId}
    on conflict (organization_id, subject) do update set expires_at = excluded.expires_at`.execute(
    transaction,
  );
}
