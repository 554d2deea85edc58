import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';

/**
 * Removes found keys and collected rows that nobody needs: what a server that hung stored after its request had ended, and what
 * attempts left that died before they could clear up. Goes from blob to blob along the index, however many pieces each has.
 *
 *     request_blobs   a/items/t1/1 ×1000   a/items/t1/2 ×900   b/keys/t7/1 ×3
 *                     └ not t1's result,   └ t1's result       └ request b has ended
 *                       and t1 is past it
 */
export async function sweepWorkingCopies(db: Database, organizationId: string): Promise<void> {
  await sql`
    with recursive blobs as (
      (select request_id, blob from request_blobs
       where organization_id = ${organizationId} order by request_id, blob limit 1)
      union all
      select next.request_id, next.blob
      from blobs
      cross join lateral (
        select b.request_id, b.blob from request_blobs b
        where b.organization_id = ${organizationId} and (b.request_id, b.blob) > (blobs.request_id, blobs.blob)
        order by b.request_id, b.blob limit 1
      ) as next
    ), useless as (
      select blobs.request_id, blobs.blob
      from blobs
      join requests r on r.organization_id = ${organizationId} and r.id = blobs.request_id
      left join tasks t on t.organization_id = ${organizationId} and t.id = split_part(blobs.blob, '/', 2)
      where r.completed_at is not null
        or (t.attempt >= split_part(blobs.blob, '/', 3)::integer
          and not (t.state = 'running' and t.attempt = split_part(blobs.blob, '/', 3)::integer)
          and not exists (
            select from tasks named
            where named.organization_id = ${organizationId} and named.request_id = blobs.request_id
              and blobs.blob = any (string_to_array(named.blob, ' '))
          ))
    )
    delete from request_blobs b
    using useless u
    where b.organization_id = ${organizationId} and b.request_id = u.request_id and b.blob = u.blob`.execute(
    db,
  );
}
