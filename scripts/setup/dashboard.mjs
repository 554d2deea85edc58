import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';
import { SetupError, withProgress } from './say.mjs';

/** What the dashboard is built from: a change of any of it builds it again. */
const SOURCES = [
  'packages/web/src',
  'packages/web/index.html',
  'packages/web/vite.config.ts',
  'packages/web/package.json',
  'packages/contract/src/api',
  'package-lock.json',
];

/**
 * Builds the dashboard unless it was built from just these sources. Safe when several starts do it at once. A project without the
 * folder has no dashboard to build.
 */
export async function ensureDashboard(root, node) {
  if (!existsSync(join(root, 'packages', 'web')) || isCurrent(root)) return;
  await withLock(join(root, '.habeas', 'dashboard.lock'), async (alsoHeldBy) => {
    if (isCurrent(root)) return;
    await withProgress('building the dashboard', () => build(root, node, alsoHeldBy));
  });
}

/** The hash of everything that the dashboard is built from. */
function hashOfSources(root) {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap((source) => filesOf(root, source)))
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  return hash.digest('hex');
}

const stampOf = (root) => join(root, 'packages', 'web', 'dist', '.built-from');

function isCurrent(root) {
  return existsSync(stampOf(root)) && readFileSync(stampOf(root), 'utf8') === hashOfSources(root);
}

async function build(root, node, onStart) {
  // Taken before: what is changed meanwhile is built by the next start.
  const hash = hashOfSources(root);
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const { status, said } = await run(node, [vite, 'build', join(root, 'packages', 'web')], {
    cwd: root,
    // React is built for development wherever this says anything else, such as in tests.
    env: { ...process.env, NODE_ENV: 'production' },
    onStart,
  });
  if (status !== 0) throw new SetupError(`Building the dashboard failed (${status}):\n${said}`);
  writeFileSync(stampOf(root), hash);
}

function filesOf(root, path) {
  if (/\.[a-z]+$/.test(path)) return [path];
  return readdirSync(join(root, path), { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesOf(root, `${path}/${entry.name}`) : [`${path}/${entry.name}`],
    );
}
