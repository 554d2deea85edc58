import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname } from 'node:path';

/** Each file below the folder that gets its final name or is removed, named after the folder that it lies in. */
export function failAtFiles(passes: (name: string) => void, folder: string): void {
  const nameOf = (act: string, path: unknown): string | undefined => {
    if (typeof path !== 'string' || !path.startsWith(folder)) return undefined;
    const below = dirname(path)
      .slice(folder.length)
      .replaceAll(/[a-z]+_[0-9a-z]{20,}/g, 'id');
    const file = basename(path).replaceAll(/[a-z]+_[0-9a-z]{20,}|\d+/g, 'n');
    return `${act} of file ${below}/${file}`;
  };
  const renameSync = fs.renameSync;
  fs.renameSync = (from, to) => {
    const name = nameOf('writing', to);
    // Its own orders are no work of the server.
    if (name === undefined || String(to).endsWith('.json')) return renameSync(from, to);
    passes(`before ${name}`);
    renameSync(from, to);
    passes(`after ${name}`);
  };
  const around = <Given extends unknown[], Result>(
    act: string,
    position: number,
    original: (...given: Given) => Promise<Result>,
  ) => {
    return async (...given: Given): Promise<Result> => {
      const name = nameOf(act, given[position]);
      if (name === undefined) return original(...given);
      passes(`before ${name}`);
      const result = await original(...given);
      passes(`after ${name}`);
      return result;
    };
  };
  fs.promises.rename = around('writing', 1, fs.promises.rename);
  fs.promises.rm = around('removal', 0, fs.promises.rm);
  syncBuiltinESMExports();
}
