import { basename } from 'node:path';
import { run } from './run.mjs';
import { SetupError } from './say.mjs';

/**
 * Runs npm and keeps what it says; it is shown only when npm fails.
 * Variables that npm set for the command that we run in describe that command, not this one, so they are left out; the
 * user's own npm settings stay.
 */
export async function npm(args, { cwd, what, onStart }) {
  const { program, first, shell } = npmProgram();
  const { status, said } = await run(program, [...first, ...args], {
    cwd,
    shell,
    env: npmEnvironment(),
    onStart,
  });
  if (status !== 0) {
    throw new SetupError(
      `${what} failed (npm ${args[0]}: ${status}). npm said:\n${said}\nRepair that (is the npm registry reachable?) and start again.`,
    );
  }
}

function npmProgram() {
  const running = process.env.npm_execpath;
  if (running !== undefined && basename(running).startsWith('npm-cli')) {
    return { program: process.execPath, first: [running], shell: false };
  }
  const isWindows = process.platform === 'win32';
  return { program: isWindows ? 'npm.cmd' : 'npm', first: [], shell: isWindows };
}

/** Our environment for an npm that is not the one that runs us. */
export function npmEnvironment() {
  const ofTheCommand =
    /^npm_(package|lifecycle)_|^npm_(command|node_execpath|config_local_prefix)$|^INIT_CWD$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofTheCommand.test(name)));
}
