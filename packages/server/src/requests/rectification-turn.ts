import { sql } from 'kysely';
import type { Identity } from '../catalog/index.ts';
import type { Clock, Database, SecretKey } from '../foundation/index.ts';
import { comparableIdentity } from './comparable-identity.ts';
import { openIdentity, openRequestKey, type RequestRef } from './identity-vault.ts';
import type { RequestTables } from './tables.ts';

export interface TurnOptions {
  readonly db: Database;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  /** Of the rectification that wants to change. */
  readonly ref: RequestRef;
  /** All that are known of the person. */
  readonly identities: readonly Identity[];
}

/**
 * Rectifications of one person take turns, in the order in which they came in: of two that contradict each other the later value is the
 * one that stands, and neither finds the other's value when it reads again. Gives the id of the request whose end this one has to
 * await; undefined: it is its turn, until it has ended. One that nobody has proved yet is awaited by nobody. Who has the turn is
 * written under a lock of the organization, so that two workers cannot take it at once.
 */
export async function takeTurn(options: TurnOptions): Promise<string | undefined> {
  const { db, ref, clock } = options;
  return db.transaction().execute(async (transaction) => {
    await lockTurns(transaction, ref.organizationId);
    const own = await transaction
      .withTables<RequestTables>()
      .selectFrom('requests')
      .select('turn_at')
      .where('organization_id', '=', ref.organizationId)
      .where('id', '=', ref.requestId)
      .executeTakeFirstOrThrow();
    if (own.turn_at !== null) return undefined;
    const first = await samePersonBefore(transaction, options);
    if (first !== undefined) return first;
    await transaction
      .withTables<RequestTables>()
      .updateTable('requests')
      .set({ turn_at: clock.now() })
      .where('organization_id', '=', ref.organizationId)
      .where('id', '=', ref.requestId)
      .execute();
    return undefined;
  });
}

/** The first open rectification of the same person that came before, or has its turn. */
async function samePersonBefore(
  transaction: Database,
  { ref, masterKey, identities }: TurnOptions,
): Promise<string | undefined> {
  const { organizationId, requestId } = ref;
  const rows = await transaction
    .withTables<RequestTables>()
    .selectFrom('requests as r')
    .innerJoin('request_keys as k', (on) =>
      on.onRef('k.organization_id', '=', 'r.organization_id').onRef('k.request_id', '=', 'r.id'),
    )
    .innerJoin('request_identities as i', (on) =>
      on.onRef('i.organization_id', '=', 'r.organization_id').onRef('i.request_id', '=', 'r.id'),
    )
    .select(['r.id', 'k.sealed_key', 'i.type', 'i.sealed_value'])
    .where('r.organization_id', '=', organizationId)
    .where('r.right_kind', '=', 'rectification')
    .where('r.dry_run', '=', false)
    .where('r.state', 'not in', ['verifying', 'completed', 'rejected', 'cancelled', 'expired'])
    .where('r.id', '!=', requestId)
    .where((request) => request.or([request('r.id', '<', requestId), request('r.turn_at', 'is not', null)]))
    .where('i.type', 'in', [...new Set(identities.map(({ type }) => type))])
    .orderBy('r.id')
    .execute();
  const wanted = new Set(identities.map(comparableIdentity));
  return rows.find(({ id, type, sealed_key: sealedKey, sealed_value: sealed }) => {
    const other = { organizationId, requestId: id };
    const key = openRequestKey(other, sealedKey, masterKey);
    return wanted.has(comparableIdentity(openIdentity(other, key, { type, sealed })));
  })?.id;
}

async function lockTurns(transaction: Database, organizationId: string): Promise<void> {
  const name = `rectifications of ${organizationId}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(transaction);
}
