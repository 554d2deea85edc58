import { pause } from '../../foundation/index.ts';
import { type GatheredJob, gathered } from '../gathered.ts';
import type { Purged, SqlTransaction, StoreResiduals } from '../sql/index.ts';
import type { SqliteConnections } from './sqlite-connections.ts';

/** A reader may stay for hours; the evidence then says that it was there. */
const PATIENCE_MILLISECONDS = 10_000;
const LOOK_MILLISECONDS = 50;

/** What was deleted is overwritten in the file (`secure_delete`); pages that were rebuilt may hold older copies, and so may the WAL. */
export async function residualsOf(transaction: SqlTransaction): Promise<StoreResiduals> {
  const [row] = await transaction.rows('select journal_mode from pragma_journal_mode');
  const copies = {
    what: 'Copies of the file that somebody made: backups, snapshots of the disk.',
    until: null,
    copy: 'backups',
  };
  const pages = {
    what: 'Older copies of rows in free parts of pages, until they are written over or the file is vacuumed (`purge: vacuum`).',
    until: null,
    copy: 'table-files',
  };
  const log = {
    what: 'The write-ahead log beside the file, until it is checkpointed and begun anew.',
    until: null,
    copy: 'write-ahead-log',
  };
  return { files: row?.[0] === 'wal' ? [pages, log] : [pages], logs: [copies] };
}

/**
 * Writes the whole file anew from what is live, and empties the write-ahead log. Certain where SQLite says that it was done: a reader who
 * still needs the log keeps it, and is waited for a while. Erasures that end while one runs share the next.
 */
export function createVacuum(connections: SqliteConnections): () => Promise<Purged> {
  const vacuuming = gathered(async (erasures: readonly GatheredJob[]) => {
    const purged = await vacuum(connections);
    return erasures.map(() => purged);
  });
  // Nobody may end it: the erasure is committed, and what became of it has to be told.
  const { signal } = new AbortController();
  return () => vacuuming({ signal });
}

async function vacuum(connections: SqliteConnections): Promise<Purged> {
  const { signal } = new AbortController();
  const connection = await connections.take(signal);
  try {
    await connection.script([`pragma busy_timeout = ${PATIENCE_MILLISECONDS}`]);
    await connection.script(['vacuum']);
    // While it waits for readers nobody can write, so that it gives up soon, and others get their turn before it is tried again.
    await connection.script([`pragma busy_timeout = ${LOOK_MILLISECONDS}`]);
    const end = performance.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      const [row] = await connection.rows('pragma wal_checkpoint(truncate)', []);
      if (Number(row?.[0]) === 0) return { isProven: true, note: 'The file was vacuumed.' };
      if (performance.now() >= end)
        return {
          isProven: false,
          note: 'The file was vacuumed, but another program still reads from its write-ahead log, which has what was erased until it is checkpointed.',
        };
      await pause(LOOK_MILLISECONDS, signal);
    }
  } catch (error) {
    const { message } = connections.translate(error);
    return { isProven: false, note: `The erasure is done, but the file could not be vacuumed: ${message}` };
  } finally {
    await connections.giveBack(connection, true);
  }
}
