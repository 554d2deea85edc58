import { join } from 'node:path';
import { environmentFor } from './hand-over.mjs';
import { root } from './prepare.mjs';
import { run } from './run.mjs';
import { since } from './say.mjs';

const tool = (path) => join(root, 'node_modules', path);

/** What `npm run check` looks at; each is a program that the pinned Node runs. */
const CHECKS = [
  { name: 'types', args: [tool('typescript/bin/tsc'), '--noEmit', '--project', '.'] },
  {
    name: 'types of the browser',
    args: [tool('typescript/bin/tsc'), '--noEmit', '--project', 'packages/consent/src/browser'],
  },
  {
    name: 'types of the dashboard',
    args: [tool('typescript/bin/tsc'), '--noEmit', '--project', 'packages/web'],
  },
  { name: 'lint and format', args: [tool('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'dead code', args: [tool('knip/bin/knip.js'), '--no-progress', '--no-config-hints'] },
  { name: 'boundaries', args: [join(root, 'scripts', 'boundaries', 'main.ts')] },
];

/** Runs all checks at once, prints each with its time and what it found, and gives the names of those that failed. */
export async function runChecks(node) {
  const results = await Promise.all(
    CHECKS.map(async ({ name, args }) => {
      const start = performance.now();
      const { status, said } = await run(node, args, { cwd: root, env: environmentFor(node) });
      const passed = status === 0;
      const outcome = passed ? 'passed' : 'FAILED';
      console.log(`check: ${name}: ${outcome} in ${since(start)}${passed ? '' : `\n${said}\n`}`);
      return { name, passed };
    }),
  );
  return results.filter(({ passed }) => !passed).map(({ name }) => name);
}
