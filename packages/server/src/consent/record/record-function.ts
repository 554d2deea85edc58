import { sql } from 'kysely';
import type { Migrations } from '../../foundation/index.ts';

/**
 * How a function runs its statements: a thousand keys are looked up one by one, with plans that are made once. PostgreSQL would read all of
 * a table instead, because it believes that it is as small as it was, or that a page at another place takes four times as long.
 */
const LOOK_UP_ONE_BY_ONE = `set search_path from current set random_page_cost = 1 set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan`;

/** Numbers people, those that are new from the next number on; does nothing and gives their places if new ones' values are not given sealed. */
const NUMBER_PEOPLE = `
create function number_consent_people(organization text, digests bytea[], types text[], sealed bytea[],
  out numbers integer[], out lacking integer[]) language plpgsql ${LOOK_UP_ONE_BY_ONE} as $$
declare
  there integer[];
  new_ones integer;
  first_new integer;
begin
  -- A lookup for each, whatever PostgreSQL believes about a table that is new: offset 0 keeps it from making a join of it.
  select array_agg(n.subject order by n.place), count(*) filter (where n.subject is null),
    array_agg(n.place::integer) filter (where n.subject is null and n.value is null)
  into there, new_ones, lacking
  from (
    select g.place, g.value, (select i.subject from consent_identities as i where i.organization_id = organization and i.digest = g.digest) as subject
    from unnest(digests, sealed) with ordinality as g(digest, value, place) offset 0
  ) as n;
  if lacking is not null then return; end if;
  numbers := coalesce(there, '{}');
  if new_ones > 0 then
    insert into consent_counters as c (organization_id, next_subject) values (organization, new_ones)
    on conflict (organization_id) do update set next_subject = c.next_subject + excluded.next_subject
    returning next_subject - new_ones into first_new;
    select array_agg(coalesce(n.subject, first_new + n.new_before::integer - 1) order by n.place) into numbers
    from (select g.subject, g.place, count(*) filter (where g.subject is null) over (order by g.place) as new_before
      from unnest(there) with ordinality as g(subject, place)) as n;
    insert into consent_identities (organization_id, digest, subject, type, sealed_value)
    select organization, g.digest, g.subject, g.type, g.value from unnest(digests, types, sealed, numbers) as g(digest, type, value, subject)
    where g.subject >= first_new;
  end if;
end $$`;

/**
 * What all that people ever said comes to: fold.ts as two passes of a window. The first takes away what a browser repeats, the second
 * what something later is about.
 */
const FOLD = `
create function fold_consent(organization text, people integer[], own_first boolean) returns void language plpgsql ${LOOK_UP_ONE_BY_ONE} as $$
begin
  insert into consent_signatures (organization_id, subject, known, granted, latest)
  select organization, f.subject, bit_or(f.mask), bit_or(f.value & f.mask & ~f.later), max(f.said_at)
  from (
    select c.subject, c.said_at, c.mask, c.value,
      coalesce(bit_or(c.mask) over (partition by c.subject order by c.turn desc rows between unbounded preceding and 1 preceding), 0) as later
    from (
      select s.subject, s.said_at, s.value, row_number() over w as turn,
        case when s.source = 'gpc'
          then s.mask & ~coalesce(bit_or(s.mask) filter (where s.source = 'gpc') over (w rows between unbounded preceding and 1 preceding), 0)
          else s.mask end as mask
      from (select distinct unnest(people) as subject) as p
      cross join lateral (select * from consent_signals as c where c.organization_id = organization and c.subject = p.subject offset 0) as s
      window w as (partition by s.subject order by own_first and s.source <> 'anonymous', s.said_at, s.event_id collate "C")
    ) as c
  ) as f
  group by f.subject
  on conflict (organization_id, subject) do update set known = excluded.known, granted = excluded.granted, latest = excluded.latest;
end $$`;

/**
 * Stores signals that are all new, and what they come to; one that is not new ends the statement as a violation of the key. Each comes with the
 * place of its identity, and whether nothing but what was said last counts for what it adds (\`single\`): it is the only one of its identity
 * here, and none that a browser says by itself or said before a person signed in.
 * Does nothing and gives the places of new people whose values are not given sealed.
 */
const RECORD = `
create function record_consent(organization text, received timestamptz, own_first boolean, digests bytea[], types text[], sealed bytea[],
  places integer[], single boolean[], ids text[], moments timestamptz[], masks bigint[], grants bigint[], sources text[], notices text[],
  out lacking integer[]) language plpgsql ${LOOK_UP_ONE_BY_ONE} as $$
declare
  people integer[];
  gone integer[];
begin
  -- Whoever stores signals of an organization takes a turn, to the end of their transaction: each person has one writer.
  perform pg_advisory_xact_lock(hashtextextended('consent signals of ' || organization, 0));
  select p.numbers, p.lacking into people, lacking from number_consent_people(organization, digests, types, sealed) as p;
  if lacking is not null then return; end if;
  insert into consent_signals (organization_id, event_id, subject, said_at, received_at, mask, value, source, notice)
  select organization, g.id, people[g.place], g.moment, received, g.mask, g.granted, g.source, g.notice::jsonb
  from unnest(places, ids, moments, masks, grants, sources, notices) as g(place, id, moment, mask, granted, source, notice);
  with done as (
    insert into consent_signatures as s (organization_id, subject, known, granted, latest)
    select organization, people[g.place], g.mask, g.granted, g.moment
    from unnest(places, single, moments, masks, grants) as g(place, alone, moment, mask, granted) where g.alone
    on conflict (organization_id, subject) do update
    set known = s.known | excluded.known, granted = (s.granted & ~excluded.known) | excluded.granted, latest = excluded.latest
    where s.latest < excluded.latest
    returning s.subject
  ) select coalesce(array_agg(subject), '{}') into gone from done;
  if cardinality(gone) = cardinality(people) then return; end if;
  perform fold_consent(organization, array(
    select n.subject from unnest(people) as n(subject) where n.subject not in (select unnest(gone))), own_first);
end $$`;

export const recordFunctions: Migrations = {
  '0039-record-consent': {
    async up(db) {
      for (const text of [NUMBER_PEOPLE, FOLD, RECORD]) await sql.raw(text).execute(db);
    },
  },
};
