import { createHash } from 'node:crypto';
import type { Swept } from '../connector.ts';
import { isDenied } from '../files/file-system.ts';
import { findPaths, Turns } from '../files/find-paths.ts';
import type { OpenFolder } from '../files/open-root.ts';
import { searchPlans } from '../files/search-plan.ts';
import type { LogCollection } from './compile-logs.ts';
import { placeOf } from './place-of.ts';
import { hasEnded, writerName } from './writer-name.ts';

/** Ends the names of files that are being made. */
export const UNFINISHED = '.habeas-unfinished';

/** A file of another machine or container that was not written to for so long is nobody's any more. */
export const QUIET_MILLISECONDS = 10 * 60_000;

/** What this process is making at this moment. */
const inHand = new Set<string>();

/**
 * The name beside a file under which it is made anew: it says for which operation and by which process, so that a later try, of this
 * operation or of another one, can tell whether anybody still writes it. The caller ends it when the file is in its place, or gone.
 */
export function unfinishedName(path: string, idempotencyKey: string): Disposable & { readonly path: string } {
  const name = `${operationName(idempotencyKey)}.${writerName()}${UNFINISHED}`;
  inHand.add(name);
  return { path: `${path}.${name}`, [Symbol.dispose]: () => inHand.delete(name) };
}

export interface SweepOptions {
  readonly root: OpenFolder;
  readonly collections: readonly LogCollection[];
  readonly now: Date;
  readonly signal: AbortSignal;
  /** Whatever earlier attempts of these left is removed, because nobody takes those attempts' answers any more. (Default: none) */
  readonly idempotencyKeys?: readonly string[];
}

/**
 * Removes what processes left behind that ended while they wrote a file anew. Where one still writes, where nobody can tell yet, and
 * where it must not be removed, it stays and is counted. Removing what somebody writes does no harm: the old file is in its place until
 * the new one is complete, and without it the attempt fails and is made again.
 */
export async function sweepUnfinished(options: SweepOptions): Promise<Swept> {
  const { root, now, idempotencyKeys = [] } = options;
  const own = new Set(idempotencyKeys.map(operationName));
  let removed = 0;
  let left = 0;
  for (const path of await unfinishedPaths(options)) {
    const { place, name } = placeOf(root, path);
    using _ = place;
    const stat = place.last?.stat(name);
    if (place.last === undefined || stat === undefined) continue;
    const isQuiet = now.getTime() - stat.ctimeMs > QUIET_MILLISECONDS;
    const { operation, writer } = partsOf(name);
    const isNobodys = own.has(operation) || (!isInHand(name) && (hasEnded(writer) ?? isQuiet));
    if (!isNobodys) left += 1;
    else if (remove(place.last, name)) removed += 1;
    else left += 1;
  }
  return { removed, left };
}

function operationName(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 16);
}

function partsOf(name: string): { readonly operation: string; readonly writer: string } {
  const [writer = '', operation = ''] = name.slice(0, -UNFINISHED.length).split('.').reverse();
  return { operation, writer };
}

function isInHand(name: string): boolean {
  return [...inHand].some((own) => name.endsWith(own));
}

/** Says whether it is gone. Somebody else may have removed it. */
function remove(folder: OpenFolder, name: string): boolean {
  try {
    folder.unlink(name);
    folder.sync();
    return true;
  } catch (error) {
    if (isDenied(error)) return false;
    throw error;
  }
}

async function unfinishedPaths({
  root,
  collections,
  signal,
}: Pick<SweepOptions, 'root' | 'collections' | 'signal'>): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const pattern of collections.flatMap(({ paths }) => paths)) {
    const tokens = [
      ...pattern.tokens,
      { kind: 'literal' as const, text: '.' },
      { kind: 'star' as const },
      { kind: 'literal' as const, text: UNFINISHED },
    ];
    for (const plan of searchPlans({ ...pattern, tokens }, new Map()))
      for await (const path of findPaths(root, plan, new Turns(signal))) found.add(path);
  }
  return found;
}
