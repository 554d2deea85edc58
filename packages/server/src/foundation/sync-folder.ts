import { open } from 'node:fs/promises';

/** Has the names in a folder kept, whatever happens to the machine: a file that was renamed may lose its new name otherwise. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
