import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Checkpoints as files, one each, named after the number of their entries; nothing in it is ever written again. */
export interface CheckpointFolder {
  /** The checkpoint with the most entries. */
  newest(): string | undefined;
  /** Whole or not at all; one that is there stays as it is. */
  write(size: number, checkpoint: string): void;
}

const NAME = /^(\d{1,16})\.checkpoint$/;

/** The folder is made at the first use. */
export function checkpointFolder(folder: string): CheckpointFolder {
  return {
    newest() {
      const names = existsSync(folder) ? readdirSync(folder) : [];
      const sizes = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
      if (sizes.length === 0) return undefined;
      return readFileSync(join(folder, `${Math.max(...sizes)}.checkpoint`), 'utf8');
    },
    write(size, checkpoint) {
      const file = join(folder, `${size}.checkpoint`);
      if (existsSync(file)) return;
      mkdirSync(folder, { recursive: true });
      // The other name does not count as a checkpoint until it is complete.
      writeFileSync(`${file}.new`, checkpoint, { flush: true });
      renameSync(`${file}.new`, file);
    },
  };
}
