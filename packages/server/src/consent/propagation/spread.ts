import type pg from 'pg';
import type { PurposeBits } from '../purposes/index.ts';
import { inTransaction, isBehind, pruneChanges, registerTarget } from '../targets/index.ts';
import { type Destination, shapeOf } from './destination.ts';

export interface SpreadOptions {
  /** A connection to Habeas' own database. */
  readonly client: pg.ClientBase;
  readonly destination: Destination;
  readonly bits: PurposeBits;
  readonly now: Date;
}

/** How far a destination is in the notes of changes: beside databases, whose keys have no colon. */
export const cursorOf = ({ organizationId, key }: Pick<Destination, 'organizationId' | 'key'>) => ({
  organizationId,
  key: `destination:${key}`,
});

/**
 * Writes down what the destination has to be told: for each person whose signature changed since the last time the state that it has now,
 * if that is another one than what was written down before. The first time it is everybody, and again where the destination is told by other
 * names, about other purposes or of other people: then each state is another message. How far it has read moves on in the same transaction, and two
 * who do this at once take turns, so that no state is replaced by an earlier one.
 */
export async function spreadChanges({ client, destination, bits, now }: SpreadOptions): Promise<void> {
  const cursor = cursorOf(destination);
  await registerTarget(client, cursor);
  const { behind } = await isBehind(client, cursor);
  if (!behind && (await toldBy(client, destination)) === 'the same') return;
  await inTransaction(client, 'read committed', async () => {
    const { rows } = await client.query<{ before: string | null; snapshot: string }>(
      `select case when pg_snapshot_xmax(snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) then snapshot::text end as before,
         pg_current_snapshot()::text as snapshot
       from consent_targets where organization_id = $1 and target = $2 for update`,
      [cursor.organizationId, cursor.key],
    );
    const { before = null, snapshot = '' } = rows[0] ?? {};
    const told = await toldBy(client, destination);
    // What this transaction reads from here on is at least as new as the snapshot: what is newer is looked at again.
    await noteStates(client, {
      destination,
      bits,
      now,
      before: told === 'the same' ? before : null,
      isAnew: told === 'another shape',
    });
    await noteToldBy(client, destination);
    await client.query(
      'update consent_targets set snapshot = $3::pg_snapshot, as_of = $4 where organization_id = $1 and target = $2',
      [cursor.organizationId, cursor.key, snapshot, now],
    );
  });
  await pruneChanges(client, destination.organizationId);
}

type ToldBy = 'the same' | 'another shape' | 'other identities';

/** By what the destination was told the last time, beside what it is told by now. Where nobody wrote it down, states are compared. */
async function toldBy(client: pg.ClientBase, destination: Destination): Promise<ToldBy> {
  const { rows } = await client.query<{ shape: string; identities: string }>(
    'select shape, identities from consent_destinations where organization_id = $1 and destination = $2',
    [destination.organizationId, destination.key],
  );
  const [row] = rows;
  if (row !== undefined && row.shape !== shapeOf(destination)) return 'another shape';
  return row?.identities === identitiesOf(destination) ? 'the same' : 'other identities';
}

async function noteToldBy(client: pg.ClientBase, destination: Destination): Promise<void> {
  const { organizationId, key } = destination;
  await client.query(
    `insert into consent_destinations as d (organization_id, destination, shape, identities) values ($1, $2, $3, $4)
     on conflict (organization_id, destination) do update set shape = excluded.shape, identities = excluded.identities
     where (d.shape, d.identities) is distinct from (excluded.shape, excluded.identities)`,
    [organizationId, key, shapeOf(destination), identitiesOf(destination)],
  );
}

const identitiesOf = ({ identities }: Destination) => identities.toSorted().join(' ');

const SINCE = `select subject, min(changed_at) as changed_at from consent_changes
  where organization_id = $1 and changed_in >= pg_snapshot_xmin($8::pg_snapshot)
    and not pg_visible_in_snapshot(changed_in, $8::pg_snapshot) group by subject`;
const EVERYBODY =
  'select subject, $5::timestamptz as changed_at from consent_signatures where organization_id = $1';

async function noteStates(
  client: pg.ClientBase,
  {
    destination: { organizationId, key, identities, purposes },
    bits,
    now,
    before,
    isAnew,
  }: Pick<SpreadOptions, 'destination' | 'bits' | 'now'> & {
    /** Up to where its changes are written down; null: look at everybody. */
    readonly before: string | null;
    /** Whether each state is another message than before. */
    readonly isAnew: boolean;
  },
): Promise<void> {
  const maskOf = (some: typeof purposes) =>
    some.reduce((all, { code }) => all | (1n << BigInt(bits.get(code) ?? 63)), 0n).toString();
  const mask = maskOf(purposes);
  const refusedByDefault = maskOf(purposes.filter(({ allowedByDefault }) => !allowedByDefault));
  await client.query(
    `with changed as (${before === null ? EVERYBODY : SINCE}), present as (
       select c.subject, c.changed_at, s.known & $3::bigint as known, s.granted & $3::bigint as granted, (
           select max(g.said_at) from consent_signals as g
           where g.organization_id = $1 and g.subject = c.subject and g.mask & $3::bigint <> 0
         ) as latest
       from changed as c join consent_signatures as s on s.organization_id = $1 and s.subject = c.subject
       where exists (select from consent_identities as i
         where i.organization_id = $1 and i.subject = c.subject and i.type = any($4::text[]))
     )
     insert into consent_deliveries as d
       (organization_id, destination, subject, known, granted, refused, said_at, made_at, changed_at, next_at)
     select $1, $2, p.subject, p.known, p.granted, (p.known & ~p.granted) | (~p.known & $6::bigint), p.latest, $5, p.changed_at, $5
     from present as p
     where p.known <> 0 or exists (select from consent_deliveries as o
       where o.organization_id = $1 and o.destination = $2 and o.subject = p.subject)
     on conflict (organization_id, destination, subject) do update set
       version = excluded.version, id = excluded.id, known = excluded.known, granted = excluded.granted,
       refused = d.refused | excluded.refused, said_at = excluded.said_at, made_at = excluded.made_at, next_at = excluded.next_at,
       changed_at = case when d.state = 'acknowledged' then excluded.changed_at else least(d.changed_at, excluded.changed_at) end,
       state = 'waiting', tries = 0, outage = false, operations = null, error = null
     where $7 or (d.known, d.granted) is distinct from (excluded.known, excluded.granted)`,
    [
      organizationId,
      key,
      mask,
      identities,
      now,
      refusedByDefault,
      isAnew,
      ...(before === null ? [] : [before]),
    ],
  );
  // Of whom nothing is kept any more, or nothing that the destination may know, nobody is told anything.
  await client.query(
    `delete from consent_deliveries as d where organization_id = $1 and destination = $2
     ${before === null ? '' : `and subject in (select subject from (${SINCE.replaceAll('$8', '$4')}) as changed)`}
     and not (exists (select from consent_signatures as s where s.organization_id = $1 and s.subject = d.subject)
       and exists (select from consent_identities as i
         where i.organization_id = $1 and i.subject = d.subject and i.type = any($3::text[])))`,
    [organizationId, key, identities, ...(before === null ? [] : [before])],
  );
}

/** Notes no more changes for destinations that the configuration does not have, and forgets what they were to be told. */
export async function forgetOtherDestinations(
  source: Pick<pg.Pool, 'query'>,
  { organizationId, keys }: { readonly organizationId: string; readonly keys: readonly string[] },
): Promise<void> {
  await source.query(
    `delete from consent_targets where organization_id = $1 and target like 'destination:%' and substr(target, 13) <> all($2)`,
    [organizationId, keys],
  );
  for (const table of ['consent_deliveries', 'consent_destinations'])
    await source.query(`delete from ${table} where organization_id = $1 and destination <> all($2)`, [
      organizationId,
      keys,
    ]);
}
