import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { HabeasError } from '../foundation/index.ts';
import { type CheckpointPlace, checkpointName, newestName } from './checkpoint-place.ts';

/** Checkpoints as files. The folder is made at the first use. */
export function checkpointFolder(folder: string): CheckpointPlace {
  return {
    name: `folder ${folder}`,
    async check() {
      let made = folder;
      while (!existsSync(made)) made = dirname(made);
      try {
        // What is there must be a folder that entries can be made in.
        accessSync(`${made}/.`, constants.R_OK | constants.W_OK | constants.X_OK);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
        throw new HabeasError('STORAGE_REFUSED', `Nothing can be written to ${made} (${code}).`, {
          cause: error,
        });
      }
    },
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
