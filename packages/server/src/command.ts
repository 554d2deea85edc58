// First, because a heap that has grown while the modules are loaded stays large.
import './small-heap.ts';
import { type CliParts, runProcess } from './cli/index.ts';
import { version } from './version.ts';

/** Everything behind the command line, loaded by the commands that need it: asking a server needs none of it. */
const load = () => import('./main.ts');

const parts: CliParts = {
  version,
  openState: async (options) => (await load()).cliParts.openState(options),
  migrations: async () => (await load()).cliParts.migrations(),
};

/** Runs the command line of this process. */
export const run = (): Promise<void> => runProcess(parts);
