import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { npm } from './npm.mjs';
import { withProgress } from './say.mjs';

/**
 * No package may run a program of its own: the two that need one (Node, PostgreSQL) are finished by us, which is quicker too.
 */
const OPTIONS = [
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

/** Installs the packages of package-lock.json unless they are installed already. Safe when several starts do it at once. */
export async function ensurePackages(root) {
  if (arePackagesCurrent(root)) return;
  await withLock(join(root, '.habeas', 'install.lock'), async (alsoHeldBy) => {
    if (arePackagesCurrent(root)) return;
    const first = !existsSync(join(root, 'node_modules'));
    const what = first ? 'installing packages (first start only)' : 'installing packages that changed';
    await withProgress(what, () =>
      npm(['ci', ...OPTIONS], {
        cwd: root,
        what: 'Installing the packages',
        onStart: alsoHeldBy,
      }),
    );
  });
}

/**
 * Whether node_modules is what package-lock.json asks for, by the list that npm writes there at the end of each install.
 * An optional package may be missing: it is for another system.
 */
export function arePackagesCurrent(root) {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(installedFile);
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = installed[path];
    if (found === undefined) return entry.optional === true;
    return (
      found.version === entry.version && found.integrity === entry.integrity && found.link === entry.link
    );
  });
}

function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
