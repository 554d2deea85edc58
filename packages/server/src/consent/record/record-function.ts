import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';

/**
 * How a function runs its statements, and those of functions that it calls: a thousand keys are looked up one by one, with plans that are made once. PostgreSQL would read all of
 * a table instead, because it believes that it is as small as it was, or that a page at another place takes four times as long.
 */
const LOOK_UP_ONE_BY_ONE = `set search_path from current set random_page_cost = 1 set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan`;

/**
 * Numbers those people that have none, from `first_new` on. Does nothing and gives their places if the values of some are not given sealed.
 */
const ADD_PEOPLE = `
create function add_consent_people(organization text, digests bytea[], types text[], sealed bytea[], inout numbers integer[],
  out first_new integer, out lacking integer[]) language plpgsql as $$
declare
  new_ones integer;
begin
  select count(*), array_agg(g.place) filter (where g.value is null) into new_ones, lacking
  from (select unnest(numbers) as subject, unnest(sealed) as value, generate_subscripts(numbers, 1) as place) as g where g.subject is null;
  if lacking is not null then return; end if;
  insert into consent_counters as c (organization_id, next_subject) values (organization, new_ones)
  on conflict (organization_id) do update set next_subject = c.next_subject + excluded.next_subject
  returning next_subject - new_ones into first_new;
  select array_agg(coalesce(n.subject, first_new + n.new_before::integer - 1) order by n.place) into numbers
  from (select g.subject, g.place, count(*) filter (where g.subject is null) over (order by g.place) as new_before
    from unnest(numbers) with ordinality as g(subject, place)) as n;
  insert into consent_identities (organization_id, digest, subject, type, sealed_value)
  select organization, g.digest, g.subject, g.type, g.value
  from (select unnest(digests) as digest, unnest(types) as type, unnest(sealed) as value, unnest(numbers) as subject) as g
  where g.subject >= first_new;
end $$`;

/** Of each statement what counts of it, and what of that still does: agreements to some purposes (`limits`) end after a time (`terms`, in milliseconds). */
const COUNTED = `
  select c.subject, c.said_at, c.value, c.mask & ~coalesce(
    bit_or(c.mask) over (partition by c.subject order by c.turn desc rows between unbounded preceding and 1 preceding), 0) as mask
  from (
    select s.subject, s.said_at, s.value, row_number() over w as turn,
      case when s.source = 'gpc'
        then s.mask & ~coalesce(bit_or(s.mask) filter (where s.source = 'gpc') over (w rows between unbounded preceding and 1 preceding), 0)
        when s.source = 'anonymous' and own_first
        then s.mask & ~coalesce(bit_or(s.mask) filter (where s.source not in ('gpc', 'anonymous')) over (partition by s.subject), 0)
        else s.mask end as mask
    from (select distinct unnest(people) as subject) as p
    cross join lateral (select * from consent_signals as c where c.organization_id = organization and c.subject = p.subject offset 0) as s
    window w as (partition by s.subject order by s.said_at, s.event_id)
  ) as c`;
const REPLACE = `on conflict (organization_id, subject) do update set known = excluded.known, granted = excluded.granted, latest = excluded.latest`;
/** One that is noted earlier stays: then it is looked at again. */
const NOTE_EARLIER = `on conflict (organization_id, subject) do update set expires_at = excluded.expires_at where e.expires_at > excluded.expires_at`;

/**
 * What all that people ever said comes to: fold.ts as two passes of a window. The first takes away what a browser repeats, and what was said before
 * somebody signed in where they chose as themselves and that goes first; the second what something later is about.
 */
const FOLD = `
create function fold_consent(organization text, people integer[], own_first boolean, at timestamptz, limits bigint[], terms bigint[])
returns void language plpgsql as $$
begin
  if cardinality(limits) = 0 then
    insert into consent_signatures (organization_id, subject, known, granted, latest)
    select organization, f.subject, bit_or(f.mask), bit_or(f.value & f.mask), max(f.said_at) from (${COUNTED}) as f group by f.subject
    ${REPLACE};
    return;
  end if;
  with folded as (
    select f.subject, bit_or(f.mask & ~e.ended) as known, bit_or(f.value & f.mask & ~e.ended) as granted, max(f.said_at) as latest, min(e.ends) as ends
    from (${COUNTED}) as f
    cross join lateral (
      select coalesce(bit_or(f.value & f.mask & v.mask) filter (where v.until <= at), 0) as ended,
        min(v.until) filter (where v.until > at and f.value & f.mask & v.mask <> 0) as ends
      from (select l.mask, f.said_at + l.term * interval '1 millisecond' as until from unnest(limits, terms) as l(mask, term)) as v
    ) as e
    group by f.subject
  ), noted as (
    insert into consent_expiries as e (organization_id, subject, expires_at)
    select organization, f.subject, f.ends from folded as f where f.ends is not null ${NOTE_EARLIER}
  )
  insert into consent_signatures (organization_id, subject, known, granted, latest)
  select organization, f.subject, f.known, f.granted, f.latest from folded as f
  ${REPLACE};
end $$`;

/** What signals add to signatures. Arrays are read in step, row by row; as functions in FROM each would be written down first. */
const STEPS = `(select unnest(places) as place, unnest(single) as alone, unnest(moments) as moment, unnest(masks) as mask, unnest(grants) as granted)`;

const GO_ON = `update consent_signatures as s
    set known = s.known | g.mask, granted = (s.granted & ~g.mask) | g.granted, latest = greatest(s.latest, g.moment)
    from ${STEPS} as g
    where g.alone and s.organization_id = organization and s.subject = people[g.place]
      and (s.latest < g.moment or (s.known | limited) & g.mask = 0)`;
/**
 * Of so few signals it is only counted whose signatures went on: to return their numbers and put them together takes as long as all that is done for two
 * signals. Where somebody is left, those are the rows that this transaction wrote, if it wrote nothing before (`unwritten`).
 */
const FEW = 64;

/**
 * Stores signals that are all new, what they come to, and audit entries; one that is not new ends the statement as a violation of the key. Each comes with the
 * place of its identity, when the first agreement in it ends, and whether nothing but what was said last counts for what it adds (`single`): it is
 * the only one of its identity here, none that a browser says by itself or said before a person signed in, and nothing in it has expired.
 * Does nothing and gives the places of new people whose values are not given sealed.
 */
const RECORD = `
create function record_consent(organization text, received timestamptz, own_first boolean, limits bigint[], terms bigint[],
  digests bytea[], types text[], sealed bytea[], places integer[], single boolean[], ids text[], moments timestamptz[], masks bigint[], grants bigint[],
  sources text[], notices text[], ends timestamptz[], audit_organizations text[], audit_ids text[], audit_actors text[], audit_actions text[],
  audit_subjects text[], audit_details text[], audit_leaves bytea[], out lacking integer[]) language plpgsql ${LOOK_UP_ONE_BY_ONE} as $$
declare
  turn boolean;
  limited bigint := 0;
  people integer[];
  first_new integer;
  added integer := 0;
  later integer;
  gone integer[];
  unwritten boolean := pg_current_xact_id_if_assigned() is null;
begin
  -- Whoever stores signals of an organization takes a turn, to the end of their transaction: each person has one writer.
  -- An expression is computed at once; to perform it as a statement would take longer than all that it does.
  turn := pg_advisory_xact_lock(hashtextextended('consent signals of ' || organization, 0)) is not null;
  -- A lookup for each, whatever PostgreSQL believes about a table that is new.
  people := array(
    select (select i.subject from consent_identities as i where i.organization_id = organization and i.digest = g.digest)
    from (select unnest(digests) as digest) as g);
  if array_position(people, null) is not null then
    select p.numbers, p.first_new, p.lacking into people, first_new, lacking from add_consent_people(organization, digests, types, sealed, people) as p;
    if lacking is not null then return; end if;
  end if;
  turn := append_audit(received, audit_organizations, audit_ids, audit_actors, audit_actions, audit_subjects, audit_details, audit_leaves) is not null;
  insert into consent_signals (organization_id, event_id, subject, said_at, received_at, mask, value, source, notice)
  select organization, g.id, people[g.place], g.moment, received, g.mask, g.granted, g.source, g.notice::jsonb
  from (select unnest(places) as place, unnest(ids) as id, unnest(moments) as moment, unnest(masks) as mask, unnest(grants) as granted,
    unnest(sources) as source, unnest(notices) as notice) as g;
  -- A row that is there is locked, written and looked at twice by an insert that may find it: who is new is known.
  if first_new is not null then
    insert into consent_signatures (organization_id, subject, known, granted, latest)
    select organization, people[g.place], g.mask, g.granted, g.moment from ${STEPS} as g
    where g.alone and people[g.place] >= first_new;
    get diagnostics added = row_count;
  end if;
  if cardinality(limits) > 0 then
    limited := (select bit_or(l.mask) from unnest(limits) as l(mask));
    insert into consent_expiries as e (organization_id, subject, expires_at)
    select organization, people[g.place], g.until from unnest(places, single, ends) as g(place, alone, until)
    where g.alone and g.until is not null ${NOTE_EARLIER};
  end if;
  if added = cardinality(people) then return; end if;
  -- What is said late counts as it is where nobody has said anything about these purposes, unless it may be that something said about them has expired.
  if cardinality(places) > ${FEW} or not unwritten then
    with done as (${GO_ON} returning s.subject) select array_agg(subject) into gone from done;
    if added + coalesce(cardinality(gone), 0) = cardinality(people) then return; end if;
  else
    ${GO_ON};
    get diagnostics later = row_count;
    if added + later = cardinality(people) then return; end if;
    gone := array(select s.subject from consent_signatures as s
      where s.organization_id = organization and s.subject = any(people) and s.xmin = pg_current_xact_id()::xid);
    -- The number of a transaction comes again after four billion others. To fold somebody who went on comes to the same.
    if cardinality(gone) <> added + later then gone := '{}'; end if;
  end if;
  perform fold_consent(organization, array(
    select people[g.place] from ${STEPS} as g
    where (g.alone and people[g.place] >= first_new) is not true and people[g.place] not in (select unnest(gone))
  ), own_first, received, limits, terms);
end $$`;

export const recordFunctions: Migrations = {
  // Made anew by the last one.
  '0039-record-consent': { up: async () => undefined },
  '0092-record-consent': { up: async () => undefined },
  '0094-record-consent': { up: async () => undefined },
  '0108-record-consent': { up: async () => undefined },
  '0110-record-consent': { up: async () => undefined },
  '0111-record-consent': {
    async up(db) {
      for (const name of ['record_consent', 'fold_consent', 'number_consent_people', 'add_consent_people'])
        await sql.raw(`drop function if exists ${name}`).execute(db);
      for (const text of [ADD_PEOPLE, FOLD, RECORD]) await sql.raw(text).execute(db);
    },
  },
};
