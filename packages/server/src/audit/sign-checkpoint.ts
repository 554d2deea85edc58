import { type Clock, type Database, HabeasError } from '../foundation/index.ts';
import { type OpenedCheckpoint, openCheckpoint, type TrustedKey } from './habeas-verify.mjs';
import { lockLog } from './integrate.ts';
import { EMPTY_ROOT } from './merkle.ts';
import { checkpointText, type SignLog, signNote } from './note.ts';
import { readTiles } from './read-tiles.ts';
import type { AuditTables } from './tables.ts';
import { rootOf, tilesOf } from './tiles.ts';

export interface SignCheckpointOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly origin: string;
  readonly clock: Clock;
  readonly sign: SignLog;
  /** Every key that ever signed for this log, as those have who verify it. */
  readonly ownKeys: () => Promise<readonly TrustedKey[]>;
  /** Checkpoints that others have: whatever the database holds, nothing is signed that does not continue each. */
  readonly published?: readonly string[];
}

/**
 * Signs what is in the tree, if anything came since the newest checkpoint, and gives the newest checkpoint. Only what was
 * committed before is signed, and never what does not continue the newest checkpoint: before it signs, the log looks whether
 * its tree still begins with the tree that it signed last, and with the published ones. Throws AUDIT_LOG_DAMAGED if it does not.
 */
export async function signCheckpoint(options: SignCheckpointOptions): Promise<string> {
  const { db, organizationId, clock, sign } = options;
  return db.transaction().execute(async (transaction) => {
    const log = await lockLog(transaction, options);
    if (log.checkpoint !== null && log.checkpoint_size === log.size) return log.checkpoint;
    for (const before of [log.checkpoint, ...(options.published ?? [])])
      if (before) await insistContinues(transaction, options, { size: log.size, before });
    const root = await treeRoot(transaction, organizationId, log.size);
    const checkpoint = await signNote(checkpointText(log.origin, log.size, root), log.origin, sign);
    await transaction
      .withTables<AuditTables>()
      .updateTable('audit_logs')
      .set({ checkpoint, checkpoint_size: log.size, checkpoint_at: clock.now() })
      .where('organization_id', '=', organizationId)
      .execute();
    return checkpoint;
  });
}

async function insistContinues(
  transaction: Database,
  { organizationId, ownKeys }: SignCheckpointOptions,
  log: { readonly size: number; readonly before: string },
): Promise<void> {
  const old = openOwn(log.before, await ownKeys());
  const continues =
    old.size <= log.size && old.root.equals(await treeRoot(transaction, organizationId, old.size));
  if (!continues) {
    throw new HabeasError(
      'AUDIT_LOG_DAMAGED',
      `The tree of the audit log does not begin with the ${old.size} entries of an earlier checkpoint any more; nothing is signed. Run: habeas audit verify`,
    );
  }
}

function openOwn(checkpoint: string, keys: readonly TrustedKey[]): OpenedCheckpoint {
  try {
    return openCheckpoint(checkpoint, keys);
  } catch (cause) {
    throw new HabeasError(
      'AUDIT_LOG_DAMAGED',
      'An earlier checkpoint of the audit log is not signed by this organization; nothing is signed. Run: habeas audit verify',
      { cause },
    );
  }
}

/** Root of the tree of the first entries, from the tiles that are stored. */
export async function treeRoot(db: Database, organizationId: string, size: number): Promise<Uint8Array> {
  if (size === 0) return EMPTY_ROOT;
  const all = { start: 0, end: size };
  return rootOf(all, await readTiles(db, organizationId, tilesOf([all])));
}
