import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDashboard } from './dashboard.mjs';
import { ensurePackages } from './packages.mjs';
import { ensurePinnedNode } from './pinned-node.mjs';
import { SetupError } from './say.mjs';

/** The folder of the project. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Makes the project ready to run, on any Node from 18 on: packages, pinned Node, and, for what shows it, the dashboard.
 * Nothing else has to be built: the server runs its TypeScript as it is. Returns the program of the pinned Node.
 */
export async function prepare({ dashboard = false } = {}) {
  try {
    await ensurePackages(root);
    const node = await ensurePinnedNode(root);
    if (dashboard) await ensureDashboard(root, node);
    return node;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`habeas: ${error.message}\n`);
    return process.exit(1);
  }
}
