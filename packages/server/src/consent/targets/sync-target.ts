import type pg from 'pg';
import { inTransaction } from './in-transaction.ts';
import { NOTED_TABLES } from './migrations.ts';
import { readSignatures } from './read-signatures.ts';
import { identityTypes, type Target } from './target.ts';
import type { ChangeableTarget, TargetStore, Watermark } from './target-store.ts';

export interface SyncOptions {
  readonly target: Target;
  /** A connection to Habeas' own database. */
  readonly source: pg.ClientBase;
  readonly changeable: ChangeableTarget;
  readonly openValue: (type: string, sealed: Buffer) => string;
  /** Compare everything, too. */
  readonly reconcile?: boolean;
}

export interface SyncResult {
  /** Signatures that were changed. */
  readonly changed: number;
  /** Signatures and bits that were other than what they had been set to; undefined: not everything was compared. */
  readonly drift: number | undefined;
  /** The state of Habeas that the target has now, exactly. */
  readonly watermark: Watermark;
}

/**
 * Brings the target to the state that Habeas has in one snapshot: changed signatures only, or everything where it was never filled or
 * lost its way. Target and watermark change in one transaction, so that a job sees one state, and which.
 */
export async function syncTarget(options: SyncOptions): Promise<SyncResult> {
  const { target, source, changeable } = options;
  await registerTarget(source, target);
  const result = await inTransaction(source, 'repeatable read read only', () =>
    changeable.change((store) => syncWithin(options, store)),
  );
  await source.query(
    `update consent_targets set snapshot = $3::pg_snapshot, as_of = $4, reconciled_at = case when $5 then $4 else reconciled_at end
     where organization_id = $1 and target = $2`,
    [
      target.organizationId,
      target.key,
      result.watermark.snapshot,
      result.watermark.asOf,
      result.drift !== undefined,
    ],
  );
  await pruneChanges(source, target.organizationId);
  return result;
}

async function syncWithin(
  { target, source, openValue, reconcile = false }: SyncOptions,
  store: TargetStore,
): Promise<SyncResult> {
  const purposes = await store.installedPurposes(target);
  const known = await source.query<{ snapshot: string; as_of: Date; before: string | null }>(
    `select pg_current_snapshot()::text as snapshot, now() as as_of, (select snapshot::text from consent_targets where organization_id = $1 and target = $2
       and pg_snapshot_xmax(snapshot) <= pg_snapshot_xmax(pg_current_snapshot())) as before`,
    [target.organizationId, target.key],
  );
  const { snapshot = '', as_of: asOf = new Date(), before = null } = known.rows[0] ?? {};
  const installed = await store.watermark(target);
  const since = installed?.snapshot;
  const types = identityTypes(target);
  const isWhole = since !== undefined && since === before && (await store.isFilled(types, purposes));
  let changed = 0;
  let drift: number | undefined;
  // What changed is brought over first, so that whatever differs then is drift.
  for (const complete of isWhole ? (reconcile ? [false, true] : [false]) : [true]) {
    await store.begin();
    const read = { organizationId: target.organizationId, types, purposes, openValue };
    for await (const rows of readSignatures(source, { ...read, since: complete ? undefined : since }))
      await store.give(rows);
    for (const type of types) {
      const merged = await store.merge({ type, purposes, isNumber: target.numbers.has(type) }, { complete });
      changed += merged.changed;
      if (complete && isWhole) drift = (drift ?? 0) + merged.changed + merged.wrong;
    }
  }
  const watermark = { snapshot, asOf };
  await store.mark(watermark);
  return { changed, drift: isWhole ? drift : 0, watermark };
}

/** From when changes are noted for it, or at all: the lock of the change waits until whoever is writing has ended. */
export async function registerTarget(
  source: pg.ClientBase,
  { organizationId, key }: Pick<Target, 'organizationId' | 'key'>,
): Promise<void> {
  const { rows } = await source.query(
    'select from consent_targets where organization_id = $1 and target = $2',
    [organizationId, key],
  );
  if (rows.length > 0) return;
  await inTransaction(source, 'read committed', async () => {
    for (const table of NOTED_TABLES) await source.query(`alter table ${table} enable trigger user`);
    await source.query(
      'insert into consent_targets (organization_id, target) values ($1, $2) on conflict do nothing',
      [organizationId, key],
    );
  });
}

/** Removes changes that all targets have; also while a transaction elsewhere on the server, which is older than they are, stays open. */
export async function pruneChanges(source: pg.ClientBase, organizationId: string): Promise<void> {
  await source.query(
    `delete from consent_changes as c where organization_id = $1 and not exists (
       select from consent_targets as t where t.organization_id = $1
       and (t.snapshot is null or not pg_visible_in_snapshot(c.changed_in, t.snapshot)))`,
    [organizationId],
  );
}

/** Whether anything changed since the target was last brought up to date, as Habeas remembers it. */
export async function isBehind(
  source: pg.ClientBase,
  { organizationId, key }: Pick<Target, 'organizationId' | 'key'>,
): Promise<{
  readonly behind: boolean;
  readonly asOf: Date | undefined;
  readonly reconciledAt: Date | undefined;
}> {
  const { rows } = await source.query<{ behind: boolean; as_of: Date | null; reconciled_at: Date | null }>(
    `select as_of, reconciled_at, snapshot is null or pg_snapshot_xmax(snapshot) > pg_snapshot_xmax(pg_current_snapshot()) or exists (
       select from consent_changes as c where c.organization_id = $1
       and c.changed_in >= pg_snapshot_xmin(t.snapshot) and not pg_visible_in_snapshot(c.changed_in, t.snapshot)) as behind
     from consent_targets as t where organization_id = $1 and target = $2`,
    [organizationId, key],
  );
  const [row] = rows;
  if (row === undefined) return { behind: true, asOf: undefined, reconciledAt: undefined };
  return { behind: row.behind, asOf: row.as_of ?? undefined, reconciledAt: row.reconciled_at ?? undefined };
}

/** Notes no more changes for targets that the configuration does not have. Those whose names have a colon are no databases. */
export async function forgetOtherTargets(
  source: Pick<pg.Pool, 'query'>,
  { organizationId, keys }: { readonly organizationId: string; readonly keys: readonly string[] },
): Promise<void> {
  await source.query(
    `delete from consent_targets where organization_id = $1 and target <> all($2) and target not like '%:%'`,
    [organizationId, keys],
  );
  await source.query(
    `delete from consent_changes as c where organization_id = $1
     and not exists (select from consent_targets as t where t.organization_id = c.organization_id)`,
    [organizationId],
  );
}
