import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** The command as npm installs it. */
const BINARY = fileURLToPath(new URL('../../bin/habeas.mjs', import.meta.url));
const START_MILLISECONDS = 60_000;

export interface CommandOptions {
  /** Beside what the test's own environment has. A variable that is undefined is taken out. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** (Default: the folder of the tests) */
  readonly folder?: string;
  /** What is piped in. (Default: nothing) */
  readonly input?: string;
}

export interface CommandResult {
  readonly exit: number | null;
  readonly out: string;
  readonly notes: string;
}

/** Runs `habeas` in a process of its own until it ends. */
export async function habeas(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawnHabeas(argv, options);
  const ended = once(child, 'close');
  child.stdin?.end(options.input ?? '');
  const [out, notes, [exit]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { exit, out, notes };
}

/** `habeas serve` in a process of its own. */
export interface ServeProcess {
  readonly url: string;
  /** The first admin key, where the server made it now. */
  readonly key: string | undefined;
  /** Everything that it printed so far, standard output and standard error. */
  printed(): string;
  /** Sends the signal, if it still runs, and waits until it is gone. Gives its exit code. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

const servedSchema = z.object({ url: z.string(), key: z.string().optional() });

/** Starts a server and waits until it takes calls. */
export async function startServe(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<ServeProcess> {
  const child = spawnHabeas(['serve', '--json', ...argv], options);
  child.stdin.end();
  let printed = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
  });
  const gone = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  const first = new Promise<string>((resolve) => lines.once('line', resolve));
  lines.on('line', (line) => {
    printed += `${line}\n`;
  });
  const tooLate = AbortSignal.timeout(START_MILLISECONDS);
  const late = once(tooLate, 'abort').then(() => 'it did not answer in a minute');
  const ended = gone.then(([code]) => `it ended with ${code}`);
  const outcome = await Promise.race([first.then((line) => ({ line })), ended, late]);
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
    return child.exitCode;
  };
  if (typeof outcome === 'string') {
    await end('SIGKILL');
    throw new Error(`The server did not start: ${outcome}. It printed:\n${printed}`);
  }
  const { url, key } = servedSchema.parse(JSON.parse(outcome.line));
  return { url, key, printed: () => printed, end };
}

function spawnHabeas(argv: readonly string[], options: CommandOptions) {
  const environment = { ...process.env, NO_COLOR: '1', ...options.environment };
  const child = spawn(process.execPath, [BINARY, ...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment,
    ...(options.folder === undefined ? {} : { cwd: options.folder }),
  });
  endWithTests(child);
  return child;
}

/** A test that is interrupted leaves no process behind. */
function endWithTests(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
}
