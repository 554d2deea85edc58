// First, because a heap that has grown while the modules are loaded stays large.
import './small-heap.ts';
import { type CliParts, runProcess } from './cli/index.ts';
import { migrations } from './migrations.ts';
import { openState } from './open-state.ts';
import { version } from './version.ts';

export { migrations, openState };

export const cliParts: CliParts = { version, openState, migrations: async () => migrations };

/** Runs the command line of this process. */
export const run = (): Promise<void> => runProcess(cliParts);

if (import.meta.main) await run();
