import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNewEnough, OLDEST_NODE } from '../../packages/server/bin/node-version.mjs';
import { withLock } from './lock.mjs';
import { npmEnvironment } from './npm.mjs';
import { run } from './run.mjs';
import { SetupError, say, withProgress } from './say.mjs';

/**
 * The program of the Node that the project pins (dev dependency `node`). It is fetched from the npm registry when it is missing,
 * by the script that its package would run at install.
 */
export async function ensurePinnedNode(root) {
  const folder = join(root, 'node_modules', 'node');
  const version = `v${JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version}`;
  const program = () => runnable(folder, version);
  const found = program();
  if (found !== undefined) return found;
  try {
    await withLock(join(root, '.habeas', 'install.lock'), async (alsoHeldBy) => {
      if (program() !== undefined) return;
      const what = `fetching Node ${version}`;
      await withProgress(what, () => runInstallStep(folder, alsoHeldBy));
    });
  } catch (error) {
    if (!(error instanceof SetupError) || !isNewEnough(process.versions.node)) throw error;
  }
  const made = program();
  if (made !== undefined) return made;
  if (isNewEnough(process.versions.node)) {
    say(`Node ${version} cannot be had on this machine; going on with its own ${process.version}`);
    return process.execPath;
  }
  throw new SetupError(
    `Node ${version} does not run on this machine, and its own ${process.version} is too old. Install Node ${OLDEST_NODE} or newer.`,
  );
}

function runnable(folder, version) {
  const program = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(program)) return undefined;
  const result = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return result.stdout?.trim() === version ? program : undefined;
}

async function runInstallStep(folder, onStart) {
  const { status, said } = await run(process.execPath, ['installArchSpecificPackage'], {
    cwd: folder,
    env: npmEnvironment(),
    onStart,
  });
  if (status !== 0) {
    throw new SetupError(
      `Fetching Node failed (${status}):\n${said}\nMake the npm registry reachable, or install Node ${OLDEST_NODE} or newer.`,
    );
  }
}
