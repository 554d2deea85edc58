import { text } from 'node:stream/consumers';
import type { CliParts } from './cli-parts.ts';
import { EXIT_CODES } from './exit-code.ts';
import { notWritten } from './not-written.ts';
import { runCli } from './run-cli.ts';
import { processTerminal } from './terminal.ts';

const LINGER_MILLISECONDS = 5_000;

/**
 * Runs the command line of this process and sets its exit code. The first SIGINT or SIGTERM asks the command to stop; the
 * second one ends the process at once.
 */
export async function runProcess(parts: CliParts): Promise<void> {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort());
  const terminal = processTerminal();
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (terminal.isPouring) return;
    // `habeas … | head` closes the pipe early; there is nobody left to print for.
    if (error.code === 'EPIPE') process.exit();
    terminal.note(`habeas: ${notWritten('Standard output', error).message}\n`);
    process.exit(EXIT_CODES.usage.code);
  });
  process.exitCode = await runCli({
    argv: process.argv.slice(2),
    terminal,
    environment: process.env,
    folder: process.cwd(),
    parts,
    signal: controller.signal,
    readInput: () => text(process.stdin),
  });
  // What was left behind because it hung must not keep the process; where nothing was, it has ended by then.
  setTimeout(() => process.exit(), LINGER_MILLISECONDS).unref();
}
