import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withFolderLock } from './folder-lock.ts';
import { eventsFolder } from './seed.ts';

/** A type and a value that point at a person. Event lines know people by `user_id` only. */
export interface Identity {
  readonly type: string;
  readonly value: string;
}

export interface EventCount {
  /** Event files that were read. */
  readonly files: number;
  /** Lines of the person. */
  readonly lines: number;
  /** Lines that name the person but are not valid JSON; nobody touched them, a person has to look. */
  readonly unreadable: number;
}

export interface EventOptions {
  /** The folder of the service. */
  readonly folder: string;
  readonly identities: readonly Identity[];
}

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1 << 20;

/** Passes every line of the person to `onLine`, and counts them. */
export async function collectEvents(
  options: EventOptions & { readonly onLine?: (line: Buffer) => Promise<void> },
): Promise<EventCount> {
  const judge = createJudge(options.identities);
  const files = await eventFiles(options.folder);
  const count = { files: files.length, lines: 0, unreadable: 0 };
  for (const file of files) {
    for await (const line of readLines(file)) {
      const verdict = judge(line);
      if (verdict === 'unreadable') count.unreadable += 1;
      if (verdict !== 'theirs') continue;
      count.lines += 1;
      await options.onLine?.(line);
    }
  }
  return count;
}

/**
 * Removes every line of the person; all other lines stay as they are, byte for byte, and files without such a line are
 * not touched. A file is replaced as a whole, so that a crash leaves the old one or the new one.
 */
export async function removeEvents(options: EventOptions): Promise<EventCount> {
  const judge = createJudge(options.identities);
  // Two who rewrite one file at once would bring back what the other one removed.
  return withFolderLock(options.folder, async () => {
    const files = await eventFiles(options.folder);
    const count = { files: files.length, lines: 0, unreadable: 0 };
    for (const file of files) {
      const partial = `${file}.partial`;
      const before = count.lines;
      await copyLines(file, partial, (line) => {
        const verdict = judge(line);
        if (verdict === 'unreadable') count.unreadable += 1;
        if (verdict === 'theirs') count.lines += 1;
        return verdict !== 'theirs';
      });
      if (count.lines > before) await rename(partial, file);
      else await rm(partial);
    }
    return count;
  });
}

/** Says of a line whose it is. Looks for the bytes of the value first: almost every line is somebody else's. */
function createJudge(
  identities: readonly Identity[],
): (line: Buffer) => 'theirs' | 'not theirs' | 'unreadable' {
  const users = new Set(identities.filter(({ type }) => type === 'user_id').map(({ value }) => value));
  const needles = [...users].map((user) => Buffer.from(user));
  return (line) => {
    if (!needles.some((needle) => line.includes(needle))) return 'not theirs';
    try {
      const event: unknown = JSON.parse(line.toString());
      const user = typeof event === 'object' && event !== null && 'user_id' in event && event.user_id;
      return typeof user === 'string' && users.has(user) ? 'theirs' : 'not theirs';
    } catch (error) {
      if (error instanceof SyntaxError) return 'unreadable';
      throw error;
    }
  };
}

async function eventFiles(folder: string): Promise<readonly string[]> {
  const events = eventsFolder(folder);
  const names = await readdir(events);
  return names
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(events, name));
}

/** Writes the lines that are to stay into a new file, and waits until the disk has them. */
async function copyLines(from: string, to: string, stays: (line: Buffer) => boolean): Promise<void> {
  const target = await open(to, 'w', 0o600);
  try {
    let lines: Buffer[] = [];
    let bytes = 0;
    for await (const line of readLines(from)) {
      if (!stays(line)) continue;
      lines.push(line);
      bytes += line.length;
      if (bytes < CHUNK_BYTES) continue;
      await target.writeFile(Buffer.concat(lines));
      lines = [];
      bytes = 0;
    }
    await target.writeFile(Buffer.concat(lines));
    await target.sync();
  } finally {
    await target.close();
  }
}

/** Lines with their line break, as bytes; the last one may have none. */
async function* readLines(file: string): AsyncGenerator<Buffer, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    let bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE)) {
      yield bytes.subarray(0, end + 1);
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
  }
  if (rest.length > 0) yield rest;
}
