import type { Database } from '../foundation/index.ts';
import { entryBytes, type LoggedEntry } from './append-audit.ts';
import { NotVerified, type OpenedCheckpoint, openCheckpoint, type TrustedKey } from './habeas-verify.mjs';
import { readLogged, type StoredEntry } from './logged-entry.ts';
import { EMPTY_ROOT, HASH_BYTES, leafHashOf } from './merkle.ts';
import { readTiles } from './read-tiles.ts';
import type { AuditTables } from './tables.ts';
import { appendToTiles, type FindTile, rootOf, TILE_WIDTH } from './tiles.ts';

export interface VerifyLogOptions {
  readonly db: Database;
  readonly organizationId: string;
  /** Who may have signed checkpoints. */
  readonly trust: readonly TrustedKey[];
  /** Checkpoints that were published, as signed notes: the log must continue each. */
  readonly published?: readonly string[];
}

/** The first thing that is wrong with a log. */
export interface LogFault {
  readonly what:
    | 'entry-changed'
    | 'entry-removed'
    | 'entry-inserted'
    | 'tree-changed'
    | 'checkpoint-changed'
    | 'checkpoint-continues-another'
    | 'log-missing';
  readonly text: string;
  /** The first bad entry: its number in the log, from 0 on. */
  readonly index: number | null;
  /** Where it is, or was, stored. */
  readonly sequence: number | null;
}

export interface LogVerdict {
  /** Entries of the log that were recomputed and are right. */
  readonly entries: number;
  /** Entries of the newest checkpoint. */
  readonly signed: number;
  readonly fault: LogFault | undefined;
}

const TILES_AT_ONCE = 64;

/**
 * Recomputes a log from its entries: hashes every stored entry again, builds the tree again, and compares it with the stored
 * tiles, with the newest checkpoint and with those that were published. Reads a batch at a time.
 */
export async function verifyLog(options: VerifyLogOptions): Promise<LogVerdict> {
  const { db, organizationId } = options;
  const log = await db
    .withTables<AuditTables>()
    .selectFrom('audit_logs')
    .select(['size', 'integrated_to', 'checkpoint', 'checkpoint_size'])
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  const notes = [...(options.published ?? []), ...(log?.checkpoint ? [log.checkpoint] : [])];
  const heads: OpenedCheckpoint[] = [];
  for (const note of notes) {
    const head = openOrFault(note, options.trust);
    if ('what' in head) return { entries: 0, signed: 0, fault: head };
    heads.push(head);
  }
  const signed = log?.checkpoint_size ?? 0;
  const size = log?.size ?? 0;
  const beyond = heads.find((head) => head.size > size);
  if (beyond !== undefined || (log === undefined && notes.length > 0))
    return { entries: 0, signed, fault: shortened(beyond?.size ?? 0, size) };
  const walk = createWalk(options, { size, integratedTo: log?.integrated_to ?? 0, heads });
  const fault = await walk.run();
  return { entries: walk.entries(), signed, fault };
}

function openOrFault(note: string, trust: readonly TrustedKey[]): OpenedCheckpoint | LogFault {
  try {
    return openCheckpoint(note, trust);
  } catch (error) {
    if (!(error instanceof NotVerified)) throw error;
    return {
      what: 'checkpoint-changed',
      text: `A checkpoint cannot be trusted: ${error.message}.`,
      index: null,
      sequence: null,
    };
  }
}

function shortened(signed: number, size: number): LogFault {
  const text = `A checkpoint was signed over ${signed} entries, and the log has ${size}: its end was removed, or the database is an older one.`;
  return { what: 'log-missing', text, index: size, sequence: null };
}

function createWalk(
  { db, organizationId }: VerifyLogOptions,
  log: { readonly size: number; readonly integratedTo: number; readonly heads: readonly OpenedCheckpoint[] },
) {
  const edge = new Map<string, Uint8Array>();
  const find: FindTile = ({ level, number }) => edge.get(`${level}/${number}`);
  let size = 0;
  let after = 0;

  /** The next tiles of hashes with the sequences that they are of. */
  const nextTiles = () =>
    db
      .withTables<AuditTables>()
      .selectFrom('audit_tiles')
      .select(['number', 'hashes', 'sequences'])
      .where('organization_id', '=', organizationId)
      .where('level', '=', 0)
      .where('number', '>=', Math.floor(size / TILE_WIDTH))
      .orderBy('number')
      .limit(TILES_AT_ONCE)
      .execute();

  function isWhole(tile: Awaited<ReturnType<typeof nextTiles>>[number], start: number): boolean {
    const width = tile.sequences?.length ?? 0;
    const isLast = start + width >= log.size;
    return (
      tile.number * TILE_WIDTH === start &&
      tile.hashes.length === width * HASH_BYTES &&
      (isLast || width === TILE_WIDTH)
    );
  }

  async function run(): Promise<LogFault | undefined> {
    while (size < log.size) {
      const fault = await verifyBatch();
      if (fault !== undefined) return fault;
    }
    const [late] = await readLogged(db, { organizationId, after, upTo: log.integratedTo, limit: 1 });
    return (late === undefined ? undefined : inserted(late, size)) ?? verifyHeads();
  }

  async function verifyBatch(): Promise<LogFault | undefined> {
    const tiles = await nextTiles();
    const start = size;
    const good = tiles.slice(
      0,
      countWhile(tiles, (tile, at) => isWhole(tile, start + at * TILE_WIDTH)),
    );
    if (good.length === 0) return treeChanged(start, 'a tile of it is gone, or has another length');
    const held = Buffer.concat(good.map(({ hashes }) => hashes));
    const sequences = good.flatMap((tile) => tile.sequences ?? []).map(Number);
    const count = Math.min(sequences.length, log.size - start);
    const expected = sequences.slice(0, count);
    const upTo = expected.at(-1) ?? after;
    const entries = await readLogged(db, { organizationId, after, upTo, limit: count + 1 });
    for (const [at, sequence] of expected.entries()) {
      const stored = entries[at];
      if (stored === undefined || stored.sequence > sequence) return removed(start + at, sequence);
      if (stored.sequence < sequence) return inserted(stored, start + at);
      const leaf = leafHashOf(entryBytes(stored.entry));
      if (!leaf.equals(held.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)))
        return changed(stored, start + at);
    }
    const fault = await grow(held.subarray(0, count * HASH_BYTES));
    after = upTo;
    return fault;
  }

  /** Adds hashes that the entries gave to our own tree, and compares what it becomes with what is stored. */
  async function grow(leaves: Uint8Array): Promise<LogFault | undefined> {
    const start = size;
    const end = start + leaves.length / HASH_BYTES;
    const stops = [...new Set([...log.heads.map((head) => head.size), end])].filter(
      (stop) => stop > start && stop <= end,
    );
    for (const stop of stops.sort((a, b) => a - b)) {
      const added = leaves.subarray((size - start) * HASH_BYTES, (stop - start) * HASH_BYTES);
      const tiles = appendToTiles({ size, find, leaves: added });
      const stored = await readTiles(db, organizationId, tiles);
      for (const tile of tiles) {
        edge.set(`${tile.level}/${tile.number}`, tile.hashes);
        const held = stored(tile)?.subarray(0, tile.hashes.length) ?? new Uint8Array(0);
        if (!Buffer.from(tile.hashes).equals(held))
          return treeChanged(
            tile.number * TILE_WIDTH ** (tile.level + 1),
            `tile ${tile.level}/${tile.number} does not fit its entries`,
          );
      }
      size = stop;
      const fault = verifyHeads();
      if (fault !== undefined) return fault;
      for (const { level, number } of tiles) {
        if (number < Math.floor(size / TILE_WIDTH ** (level + 1))) edge.delete(`${level}/${number}`);
      }
    }
    return undefined;
  }

  function verifyHeads(): LogFault | undefined {
    const root = size === 0 ? EMPTY_ROOT : rootOf({ start: 0, end: size }, find);
    if (log.heads.every((head) => head.size !== size || head.root.equals(root))) return undefined;
    const text = `The first ${size} entries are not those of the checkpoint that was signed over ${size} entries.`;
    return { what: 'checkpoint-continues-another', text, index: null, sequence: null };
  }

  return { run, entries: () => size };
}

function countWhile<Item>(items: readonly Item[], holds: (item: Item, at: number) => boolean): number {
  const first = items.findIndex((item, at) => !holds(item, at));
  return first < 0 ? items.length : first;
}

function describe({ id, at, action, subject }: LoggedEntry): string {
  return `${id} (${action} of ${subject}, ${at})`;
}

function changed({ entry, sequence }: StoredEntry, index: number): LogFault {
  const text = `Entry ${index} of the log, ${describe(entry)}, is not what it was when it was logged.`;
  return { what: 'entry-changed', text, index, sequence };
}

function inserted({ entry, sequence }: StoredEntry, index: number): LogFault {
  const text = `${describe(entry)} was put in before entry ${index} of the log, afterwards; the log does not have it.`;
  return { what: 'entry-inserted', text, index, sequence };
}

function removed(index: number, sequence: number): LogFault {
  const text = `Entry ${index} of the log, with the sequence ${sequence}, was removed.`;
  return { what: 'entry-removed', text, index, sequence };
}

function treeChanged(index: number, why: string): LogFault {
  const text = `The tree of the log is damaged from entry ${index} on: ${why}.`;
  return { what: 'tree-changed', text, index, sequence: null };
}
