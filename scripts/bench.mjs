// npm run bench [name] [-- --json]: the benchmarks, each beside its baseline. Runs on any Node from 18 on.
import { handOver } from './setup/hand-over.mjs';
import { prepare } from './setup/prepare.mjs';

await handOver(await prepare(), ['bench/main.ts', ...process.argv.slice(2)]);
