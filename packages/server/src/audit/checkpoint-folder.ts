import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckpointPlace, checkpointName, newestName } from './checkpoint-place.ts';

/** Checkpoints as files. The folder is made at the first use. */
export function checkpointFolder(folder: string): CheckpointPlace {
  return {
    async newest() {
      const name = newestName(existsSync(folder) ? readdirSync(folder) : []);
      return name === undefined ? undefined : readFileSync(join(folder, name), 'utf8');
    },
    async write(size, checkpoint) {
      const file = join(folder, checkpointName(size));
      if (existsSync(file)) return;
      mkdirSync(folder, { recursive: true });
      // The other name does not count as a checkpoint until it is complete.
      writeFileSync(`${file}.new`, checkpoint, { flush: true });
      renameSync(`${file}.new`, file);
    },
    close: () => undefined,
  };
}
