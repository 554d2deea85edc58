import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkBoundaries } from './check-boundaries.ts';
import { readModules } from './read-modules.ts';

// npm run check, its stage "boundaries": prints each import that breaks the arrows of the house, and fails if there is one.

const root = join(import.meta.dirname, '..', '..');
const modules = readModules(root);
const violations = checkBoundaries(modules);
for (const { rule, where, text } of violations) console.log(`${where}: ${rule}: ${text}`);

const unread = unreadFiles();
for (const path of unread) console.log(`${path}: unread: git has this file, and it was not read`);

const imports = modules.reduce((sum, module) => sum + module.imports.length, 0);
console.log(`${modules.length} modules with ${imports} imports read, ${violations.length} violations`);
if (modules.length === 0 || unread.length > 0 || violations.length > 0) process.exit(1);

/** A checker that reads too little finds nothing wrong: what git knows and we did not read. Without git there is nothing to compare. */
function unreadFiles(): readonly string[] {
  let listed: string;
  try {
    listed = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.mts', '*.mjs', '*.js'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return [];
  }
  const read = new Set(modules.map(({ path }) => path));
  return listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)) && !read.has(path));
}
