import type { Residual } from '../connector.ts';
import type { SqlTransaction, StoreResiduals, Text } from '../sql/index.ts';

/** What of the write-ahead log is kept, and for whom. Replicas and slots are counted; only some users may see the replicas. */
const SETTINGS = `
  select current_setting('archive_mode'), current_setting('checkpoint_timeout'),
         (select count(*)::text from pg_replication_slots),
         (select count(*)::text from pg_stat_replication),
         current_setting('wal_keep_size', true), current_setting('max_slot_wal_keep_size', true)`;

/**
 * Former row versions lie in the table files until they are vacuumed. The write-ahead log has them until its segments are written over: a segment
 * is let go by the second checkpoint after it at the earliest, and no setting says when at the latest: a server without writes makes no checkpoint, and a
 * segment that is let go keeps its bytes until it is written over (PostgreSQL, "WAL Configuration"). Only who runs the server knows how much it writes. ANALYZE copies values of rows into
 * a catalog that no VACUUM of their table touches.
 */
export async function readResiduals(transaction: SqlTransaction): Promise<StoreResiduals> {
  const [row] = await transaction.rows(SETTINGS);
  const [archive, checkpoint, slots, replicas, kept, slotLimit] = row ?? [];
  const residuals: Residual[] = [
    {
      what: `The write-ahead log, until its segments are written over: after two checkpoints (checkpoint_timeout is ${checkpoint}) at the earliest${keptIn(kept)}. No setting tells the latest day; it follows from how much the server writes: say it under \`residuals\` of the connection.`,
      until: null,
      copy: 'write-ahead-log',
    },
    {
      what: 'Frequent values and samples of columns in the statistics of the query planner (pg_statistic), until ANALYZE, and then in the free parts of its pages until they are written over.',
      until: null,
      copy: 'planner-statistics',
    },
  ];
  if (archive !== 'off')
    residuals.push({
      what: 'The archive of the write-ahead log (archive_mode is on), and the backups that go with it, until they are recycled.',
      until: null,
      copy: 'archive',
    });
  if (Number(slots) > 0)
    residuals.push({
      what: `What ${slots} replication ${Number(slots) === 1 ? 'slot has' : 'slots have'} not read yet of the write-ahead log${limitOf(slotLimit)}.`,
      until: null,
      copy: 'replication-slots',
    });
  if (Number(replicas) > 0)
    residuals.push({
      what: `${replicas} ${Number(replicas) === 1 ? 'replica, which has' : 'replicas, which have'} the erasure as soon as the write-ahead log is read there, and table files of the same kind.`,
      until: null,
      copy: 'replicas',
    });
  return {
    files: [
      {
        what: 'Former row versions in the table files, until VACUUM, and then in the free parts of pages until they are written over (`purge: vacuum full` writes the tables anew).',
        until: null,
        copy: 'table-files',
      },
    ],
    logs: residuals,
  };
}

/** PostgreSQL before 13 has other settings. */
function keptIn(size: Text | undefined): string {
  return size == null || size === '0' ? '' : `, and only once ${size} came after them (wal_keep_size)`;
}

function limitOf(size: Text | undefined): string {
  if (size == null) return '';
  return size === '-1'
    ? ', however much that is (max_slot_wal_keep_size sets no limit)'
    : `, up to ${size} (max_slot_wal_keep_size)`;
}
