// npm run check: types, lint, dead code and boundaries. Runs on any Node from 18 on.
import { runChecks } from './setup/checks.mjs';
import { prepare } from './setup/prepare.mjs';

const failed = await runChecks(await prepare());
if (failed.length > 0) {
  console.log(`check: failed: ${failed.join(', ')}`);
  process.exit(1);
}
