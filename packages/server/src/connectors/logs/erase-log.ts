import type { OpenFolder } from '../files/open-root.ts';
import type { CleanFiles } from './clean-files.ts';
import type { LogCollection } from './compile-logs.ts';
import { type Edit, editsOf } from './edit.ts';
import type { LogName } from './find-logs.ts';
import { linesIn, openLog } from './log-file.ts';
import type { Needle } from './needles.ts';
import { placeOf } from './place-of.ts';
import { overwriteLog, rewriteLog } from './rewrite.ts';
import type { FoundLine, Span } from './scan-lines.ts';

export interface EraseLogOptions {
  readonly root: OpenFolder;
  readonly name: LogName;
  readonly collection: LogCollection;
  readonly needles: readonly Needle[];
  readonly signal: AbortSignal;
  readonly mode: 'erase' | 'dry-run';
  /** Which files need not be read. (Default: none) */
  readonly clean?: CleanFiles | undefined;
  /** Of the operation, so that its next attempt knows what this one left. */
  readonly idempotencyKey: string;
  /** Numbers of the people whom a line names. */
  readonly whose: (line: FoundLine) => Pick<ReadonlyMap<number, unknown>, 'keys'>;
}

/** Erases the lines of one file that name one of the people, and counts them: how many are whose. */
export async function eraseLog(options: EraseLogOptions): Promise<ReadonlyMap<number, number>> {
  const { root, collection, needles, signal, mode, name, idempotencyKey, whose, clean } = options;
  const { place, name: last } = placeOf(root, name.path);
  using _ = place;
  const counts = new Map<number, number>();
  if (place.last === undefined) return counts;
  const path = place.last.pathTo(last);
  const inPlace = name.isLive;
  await using file = await openLog(path, mode === 'erase' && inPlace ? 'overwrite' : 'read');
  if (file === undefined || (!inPlace && clean?.has(file) === true)) return counts;
  const found = new Set<Needle>();
  const edits: Edit[] = [];
  const signs: Edit[] = [];
  for await (const line of linesIn(file, { needles, signal })) {
    for (const needle of line.needles) found.add(needle);
    for (const who of whose(line).keys()) counts.set(who, (counts.get(who) ?? 0) + 1);
    const own = editsOf(line, collection.erase, inPlace);
    if (inPlace && collection.erase === 'drop') {
      for (const edit of own) {
        const told = tellingParts(line, edit);
        edits.push(...around(edit, told));
        signs.push(...told);
      }
    } else if (inPlace) signs.push(...own);
    else edits.push(...own);
  }
  if (edits.length + signs.length === 0 || mode === 'dry-run') {
    if (!inPlace) await clean?.note(file, found);
    return counts;
  }
  signal.throwIfAborted();
  if (inPlace) await overwriteLog(file, edits, signs);
  else {
    await rewriteLog(path, file, { edits: apart(edits), signal, idempotencyKey });
    place.last.sync();
  }
  return counts;
}

/**
 * What a search needs to know the line again: the values with what has to stand around them. A line of JSON cannot be read any more
 * when some of it is gone.
 */
function tellingParts(line: FoundLine, edit: Edit): readonly Edit[] {
  const needles = [...line.needles];
  if (needles.some(({ member }) => member !== undefined)) return [edit];
  const before = Math.max(...needles.map(({ from }) => from));
  const after = Math.max(...needles.map(({ bytes, to }) => bytes.length - to));
  return apart(
    line.spans.map(({ from, to }) => ({
      ...edit,
      from: Math.max(edit.from, from - before),
      to: Math.min(edit.to, to + after),
    })),
  );
}

/** The parts of an edit that are in none of the spans. */
function around(edit: Edit, spans: readonly Span[]): readonly Edit[] {
  const parts: Edit[] = [];
  let at = edit.from;
  for (const { from, to } of spans) {
    if (from > at) parts.push({ ...edit, from: at, to: from });
    at = Math.max(at, to);
  }
  if (at < edit.to) parts.push({ ...edit, from: at });
  return parts;
}

/** Values may lie in each other, such as a number in an address: edits that overlap become one. */
function apart(edits: readonly Edit[]): readonly Edit[] {
  const joined: Edit[] = [];
  for (const edit of edits) {
    const last = joined.at(-1);
    if (last === undefined || edit.from >= last.to) joined.push(edit);
    else if (edit.to > last.to) joined[joined.length - 1] = { ...last, to: edit.to };
  }
  return joined;
}
