import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SEED } from '../../people.ts';
import { eventsOf, MONTHS } from './event-lines.ts';

export interface SeedEventsOptions {
  /** The folder of the service; the event files lie in `events` below it. */
  readonly folder: string;
  readonly people: number;
  /** Throws away what is there, even if it is the right number. (Default: false) */
  readonly fresh?: boolean;
  readonly onProgress?: (done: number) => void;
}

const MARK = 'seed.txt';
const FLUSH_CHARACTERS = 1 << 20;
const PROGRESS_PEOPLE = 5_000;

/** Where the event files of the service lie. */
export function eventsFolder(folder: string): string {
  return join(folder, 'events');
}

/**
 * Writes the event files, one a month. They are written beside their place and moved there at once, so that they are
 * there as a whole or not at all. Does nothing if the same people were written before.
 */
export async function seedEvents(options: SeedEventsOptions): Promise<'seeded' | 'was there'> {
  const target = eventsFolder(options.folder);
  const mark = `seed ${SEED}, ${options.people} people\n`;
  if (options.fresh !== true && (await readMark(target)) === mark) return 'was there';
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeMonths(partial, options);
  await writeFile(join(partial, MARK), mark, { flush: true });
  await rm(target, { recursive: true, force: true });
  await rename(partial, target);
  return 'seeded';
}

async function readMark(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, MARK), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeMonths(folder: string, { people, onProgress }: SeedEventsOptions): Promise<void> {
  const months = new Map<string, { readonly file: FileHandle; text: string }>();
  for (const month of MONTHS) {
    months.set(month, { file: await open(join(folder, `${month}.jsonl`), 'w', 0o600), text: '' });
  }
  for (let n = 0; n < people; n += 1) {
    for (const event of eventsOf(n)) {
      const month = months.get(event.at.slice(0, 7));
      if (month === undefined) throw new Error(`No file is open for events of ${event.at.slice(0, 7)}.`);
      month.text += `${JSON.stringify(event)}\n`;
      if (month.text.length < FLUSH_CHARACTERS) continue;
      await month.file.write(month.text);
      month.text = '';
    }
    if ((n + 1) % PROGRESS_PEOPLE === 0) onProgress?.(n + 1);
  }
  for (const { file, text } of months.values()) {
    await file.write(text);
    await file.sync();
    await file.close();
  }
  onProgress?.(people);
}
