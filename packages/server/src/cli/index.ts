export type * from './cli-parts.ts';
export { type RunCliOptions, runCli } from './run-cli.ts';
export { runProcess } from './run-process.ts';
export { processTerminal, type Terminal } from './terminal.ts';
