import { createHmac } from 'node:crypto';
import { canonicalJson } from '../audit/index.ts';
import { type Database, deriveKey, HabeasError, type SecretKey } from '../foundation/index.ts';
import type { Asked } from './insert-requests.ts';
import type { RequestRow } from './neighbourhood.ts';
import { requestRow } from './read-requests.ts';
import type { ReceiveOptions } from './requests.ts';
import type { RequestTables } from './tables.ts';

/** Requests whose Idempotency-Key is new, or that have none. A key that another transaction is just using is waited for. */
export async function claimIdempotencyKeys(
  transaction: Database,
  asked: readonly Asked[],
  now: Date,
): Promise<readonly Asked[]> {
  // In one order in every process, so that two of them cannot wait for each other.
  const keyed = asked
    .filter(({ ask }) => ask.idempotencyKey !== undefined)
    .sort((a, b) => ((a.ask.idempotencyKey ?? '') < (b.ask.idempotencyKey ?? '') ? -1 : 1));
  if (keyed.length === 0) return asked;
  const claimed = await transaction
    .withTables<RequestTables>()
    .insertInto('idempotency_keys')
    .values(
      keyed.map(({ ref, ask, digest }) => ({
        organization_id: ref.organizationId,
        idempotency_key: ask.idempotencyKey ?? '',
        request_id: ref.requestId,
        body_digest: digest,
        created_at: now,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('request_id')
    .execute();
  const fresh = new Set(claimed.map((row) => row.request_id));
  return asked.filter(({ ref, ask }) => ask.idempotencyKey === undefined || fresh.has(ref.requestId));
}

/** The request that this Idempotency-Key made before. */
export async function replay(db: Database, asked: Asked): Promise<RequestRow> {
  const { organizationId } = asked.caller;
  const known = await db
    .withTables<RequestTables>()
    .selectFrom('idempotency_keys')
    .select(['request_id', 'body_digest'])
    .where('organization_id', '=', organizationId)
    .where('idempotency_key', '=', asked.ask.idempotencyKey ?? '')
    .executeTakeFirstOrThrow();
  if (!asked.digest.equals(known.body_digest)) {
    throw new HabeasError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key came before with another body. Send a new key for a new request.',
    );
  }
  return requestRow(db, { organizationId, requestId: known.request_id });
}

/** Callers choose their Idempotency-Keys, and some choose an e-mail address: what is stored is a keyed hash. */
export function withHashedKey(masterKey: SecretKey, ask: ReceiveOptions): ReceiveOptions {
  if (ask.idempotencyKey === undefined) return ask;
  const hmac = createHmac('sha256', deriveKey(masterKey, 'idempotency key'));
  return { ...ask, idempotencyKey: hmac.update(ask.idempotencyKey).digest('base64url') };
}

/** Keyed: the body holds an e-mail, and a plain hash of it could be guessed. */
export function bodyDigest(masterKey: SecretKey, ask: ReceiveOptions): Buffer {
  const body = {
    right: ask.right,
    dry_run: ask.dryRun,
    identities: ask.identities.map(({ type, value }) => ({ type, value })),
    ...(ask.regime === undefined ? {} : { regime: ask.regime }),
    ...(ask.subjectKind === undefined ? {} : { subject_kind: ask.subjectKind }),
    ...(ask.changes === undefined ? {} : { changes: ask.changes }),
    ...(ask.purposes === undefined ? {} : { purposes: ask.purposes }),
    ...(ask.lift === true ? { lift: true } : {}),
    ...(ask.language === undefined ? {} : { language: ask.language }),
  };
  return createHmac('sha256', deriveKey(masterKey, 'idempotency body')).update(canonicalJson(body)).digest();
}
