import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { ExitName } from './exit-code.ts';

/** What a verb does; says how it ended. */
export type Action = (context: CliContext) => Promise<ExitName>;

/** Runs an action and keeps how it ended. */
export type Run = (action: Action) => Promise<void>;

/** Adds a verb to the program. */
export type Verb = (program: Command, run: Run) => void;
