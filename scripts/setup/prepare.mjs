import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './packages.mjs';
import { ensurePinnedNode } from './pinned-node.mjs';
import { SetupError } from './say.mjs';

/** The folder of the project. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Makes the project ready to run, on any Node from 18 on: packages, pinned Node. Nothing else has to be built: the server
 * runs its TypeScript as it is. Returns the program of the pinned Node.
 */
export async function prepare() {
  try {
    await ensurePackages(root);
    return await ensurePinnedNode(root);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`habeas: ${error.message}\n`);
    return process.exit(1);
  }
}
