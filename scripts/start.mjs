// npm start [-- options]: installs what is missing, then shows the demonstration. Runs on any Node from 18 on.
import { handOver } from './setup/hand-over.mjs';
import { prepare } from './setup/prepare.mjs';

await handOver(await prepare({ dashboard: true }), [
  'packages/server/bin/habeas.mjs',
  'demo',
  ...process.argv.slice(2),
]);
