import { appendAudit } from '../../audit/index.ts';
import type { Clock, Database, Logger } from '../../foundation/index.ts';
import { inPairs } from '../neighbourhood.ts';
import type { RequestTables } from '../tables.ts';
import type { PackageStorage, PackageStorages } from './storage.ts';
import type { PackageTables } from './tables.ts';

const BATCH = 100;
/** A server that hung for this long may still store a part of a package that was removed meanwhile; then it is removed again. */
const LATE_MILLISECONDS = 86_400_000;

/** Which packages nobody may open any more. */
export type Discard =
  /** Those that people could have fetched until now. */
  | {
      readonly why: 'expired';
      readonly ids: readonly (readonly [organizationId: string, packageId: string])[];
    }
  /** Those of requests that ended, but for what a completed one made. */
  | {
      readonly why: 'ended';
      readonly requests: readonly (readonly [organizationId: string, requestId: string])[];
    }
  /** All of requests whose personal data is forgotten. */
  | {
      readonly why: 'forgotten';
      readonly requests: readonly (readonly [organizationId: string, requestId: string])[];
    };

/**
 * Destroys the keys of packages, in the transaction in which their time ends: from then on what is stored opens to nobody. The
 * stored bytes are removed afterwards by {@link removeDiscarded}, as often as it takes.
 */
export async function discardPackages(transaction: Database, discard: Discard, now: Date): Promise<void> {
  const tables = transaction.withTables<PackageTables & RequestTables>();
  let update = tables
    .updateTable('packages')
    .set({ state: 'discarded', sealed_key: null, discarded_at: now })
    .where('state', '<>', 'discarded');
  if (discard.why === 'expired') {
    if (discard.ids.length === 0) return;
    update = update.where('state', '=', 'ready').where(inPairs('organization_id', 'id', discard.ids));
  } else {
    if (discard.requests.length === 0) return;
    update = update.where(inPairs('organization_id', 'request_id', discard.requests));
  }
  if (discard.why === 'ended') {
    update = update.where((where) =>
      where.or([
        where('state', '=', 'building'),
        where.not(
          where.exists(
            where
              .selectFrom('requests as r')
              .select('r.id')
              .whereRef('r.organization_id', '=', 'packages.organization_id')
              .whereRef('r.id', '=', 'packages.request_id')
              .where('r.state', '=', 'completed'),
          ),
        ),
      ]),
    );
  }
  const gone = await update.returning(['organization_id', 'id', 'request_id']).execute();
  if (gone.length === 0) return;
  await tables
    .deleteFrom('package_parts')
    .where(
      inPairs(
        'organization_id',
        'package_id',
        gone.map((row) => [row.organization_id, row.id] as const),
      ),
    )
    .execute();
  await tables
    .updateTable('requests')
    .set({ package_blob: null })
    .where(
      inPairs(
        'organization_id',
        'id',
        gone.map((row) => [row.organization_id, row.request_id] as const),
      ),
    )
    .where('package_blob', 'is not', null)
    .execute();
  await appendAudit(
    transaction,
    gone.map((row) => ({
      organizationId: row.organization_id,
      actor: 'system',
      action: discard.why === 'expired' ? 'package.expired' : 'package.discarded',
      subject: row.request_id,
    })),
    now,
  );
}

/** Packages whose time is over. */
export async function expirePackages(db: Database, organizationId: string, now: Date): Promise<void> {
  const due = await db
    .withTables<PackageTables>()
    .selectFrom('packages')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('state', '=', 'ready')
    .where('expires_at', '<=', now)
    .limit(BATCH)
    .execute();
  if (due.length === 0) return;
  const ids = due.map(({ id }) => [organizationId, id] as const);
  await db.transaction().execute((transaction) => discardPackages(transaction, { why: 'expired', ids }, now));
}

export interface RemovePackagesOptions {
  readonly db: Database;
  readonly storages: PackageStorages;
  readonly clock: Clock;
  readonly organizationId: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Removes from the storage what was discarded, and once more a day later. The row goes only after that, so that a crash
 * between the two leaves nothing that nobody knows of.
 */
export async function removeDiscarded(options: RemovePackagesOptions): Promise<void> {
  const { db, organizationId, storages } = options;
  const now = options.clock.now();
  const late = new Date(now.getTime() - LATE_MILLISECONDS);
  const tables = db.withTables<PackageTables>();
  const due = await tables
    .selectFrom('packages')
    .select(['id', 'storage', 'removed_at'])
    .where('organization_id', '=', organizationId)
    .where('state', '=', 'discarded')
    .where((where) => where.or([where('removed_at', 'is', null), where('removed_at', '<=', late)]))
    .limit(BATCH)
    .execute();
  for (const row of due) {
    const storage = storages.all.find(({ kind }) => kind === row.storage);
    if (storage === undefined) {
      options.logger.warn(
        { package: row.id, storage: row.storage },
        'a package lies in a storage that is not configured any more; configure it until its packages are removed',
      );
      continue;
    }
    await storage.remove({ organizationId, packageId: row.id }, options.signal);
    const own = { organization_id: organizationId, id: row.id };
    if (row.removed_at === null) {
      await tables
        .updateTable('packages')
        .set({ removed_at: now })
        .where('organization_id', '=', own.organization_id)
        .where('id', '=', own.id)
        .execute();
    } else {
      await tables
        .deleteFrom('packages')
        .where('organization_id', '=', own.organization_id)
        .where('id', '=', own.id)
        .execute();
    }
  }
}

/**
 * Removes packages that lie in a storage and that no row tells of, as after a restore of the database. Only those that are older
 * than any package may get: an installation that shares the place by mistake must not lose what its people still wait for.
 */
export async function removeUnknown(
  options: RemovePackagesOptions & { readonly oldestMilliseconds: number },
): Promise<void> {
  const before = new Date(options.clock.now().getTime() - options.oldestMilliseconds - LATE_MILLISECONDS);
  for (const storage of options.storages.all) {
    try {
      await removeUnknownIn(storage, options, before);
    } catch (error) {
      options.logger.warn(
        { err: error, storage: storage.kind },
        'packages that nobody knows could not be looked for; it is tried again',
      );
    }
  }
}

async function removeUnknownIn(
  storage: PackageStorage,
  options: RemovePackagesOptions,
  before: Date,
): Promise<void> {
  const { db, organizationId, signal } = options;
  for await (const { packageId, modifiedAt } of storage.list(organizationId, signal)) {
    if (modifiedAt > before) continue;
    const known = await db
      .withTables<PackageTables>()
      .selectFrom('packages')
      .select('id')
      .where('organization_id', '=', organizationId)
      .where('id', '=', packageId)
      .executeTakeFirst();
    if (known !== undefined) continue;
    await storage.remove({ organizationId, packageId }, signal);
    options.logger.warn({ package: packageId, storage: storage.kind }, 'removed a package that nobody knows');
  }
}
