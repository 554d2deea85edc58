// npm test [-- vitest's arguments]: types, lint, dead code, boundaries, then the tests. Runs on any Node from 18 on.
import { runChecks } from './setup/checks.mjs';
import { prepare } from './setup/prepare.mjs';
import { since } from './setup/say.mjs';
import { runTests } from './setup/tests.mjs';

const start = performance.now();
const node = await prepare({ dashboard: true });

console.log('stage 1 of 2: check (types, lint, dead code, boundaries)');
const failedChecks = await runChecks(node);

console.log('stage 2 of 2: tests');
const { status, passed, failed, skipped, unstable } = await runTests(node, process.argv.slice(2));

for (const name of unstable) console.log(`unstable: ${name} failed beside the others and passed alone`);
for (const name of skipped) console.log(`skipped: ${name}`);
const checks = failedChecks.length === 0 ? 'all checks passed' : `failed checks: ${failedChecks.join(', ')}`;
console.log(`${checks}; ${failed === 0 ? 'all tests passed' : 'tests failed'}; ${since(start)} in all`);
console.log(`${passed} passed, ${failed + failedChecks.length} failed, ${skipped.length} skipped`);
process.exit(failedChecks.length > 0 ? 1 : status);
