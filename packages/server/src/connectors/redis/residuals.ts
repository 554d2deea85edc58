import { HabeasError } from '../../foundation/index.ts';
import type { Residual } from '../connector.ts';
import { textsOf } from './find-elements.ts';
import type { RedisClient } from './redis-client.ts';

const UNKNOWN: Residual = {
  what: 'Snapshots (RDB), the append-only file (AOF) and copies of them, until they are written anew or recycled.',
  until: null,
  copy: 'disk',
};

/** XDEL marks an entry; it is never written away from the others of its node (`stream-node-max-entries`). */
export const ENTRIES: Residual = {
  what: 'Erased entries of a stream: nobody can read them, and their bytes stay in the stream, its snapshots and its append-only file until all entries beside them are erased or trimmed (XTRIM).',
  until: null,
  copy: 'stream-entries',
};

/**
 * Copies that Redis itself keeps on disk, by its settings, and when the last of them is written anew. `CONFIG` is often forbidden; then
 * it is not known.
 */
export async function residualsOf(
  client: RedisClient,
  { now, erased, signal }: { readonly now: Date; readonly erased: number; readonly signal: AbortSignal },
): Promise<readonly Residual[]> {
  let settings: ReadonlyMap<string, string>;
  try {
    settings = await settingsOf(client, signal);
  } catch (error) {
    // Refused, or a command that this server does not have. A connection that was lost is tried again like any other.
    if (error instanceof HabeasError && error.code !== 'SYSTEM_UNREACHABLE') return [UNKNOWN];
    throw error;
  }
  const residuals: Residual[] = [];
  if (settings.get('appendonly') === 'yes')
    residuals.push({
      what: 'The append-only file has what was erased until it is rewritten (BGREWRITEAOF).',
      until: null,
      copy: 'append-only-file',
    });
  const after = snapshotAfter(settings.get('save') ?? '', erased);
  if (after !== undefined)
    residuals.push({
      what: 'The snapshot (RDB) on disk, until the next one is written.',
      until: after === null ? null : new Date(now.getTime() + after * 1_000).toISOString(),
      copy: 'snapshot',
    });
  return residuals;
}

/**
 * Seconds until so many changes are surely in a snapshot, by `save 3600 1 300 100`; null: so few may wait for ever; undefined: Redis
 * makes no snapshots.
 */
export function snapshotAfter(save: string, changes: number): number | null | undefined {
  const numbers = save
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
  if (numbers.length === 0) return undefined;
  let least: number | null = null;
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    const [seconds = 0, most = 0] = numbers.slice(at, at + 2);
    if (changes >= most && (least === null || seconds < least)) least = seconds;
  }
  return least;
}

async function settingsOf(client: RedisClient, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>();
  for (const name of ['appendonly', 'save']) {
    const [, value = ''] = textsOf(await client.ask(['CONFIG', 'GET', name], signal));
    settings.set(name, value);
  }
  return settings;
}
