import { execFile } from 'node:child_process';
import { HabeasError, pause } from '../../foundation/index.ts';

const ROTATED_MILLISECONDS = 120_000;
const FIRST_PAUSE_MILLISECONDS = 50;
const OUTPUT_BYTES = 16 << 20;

/**
 * Runs the command that takes documents out of a plain index. It is the configuration's, whole: no shell reads it and nothing is put into it.
 * What it prints is not told, because it may quote documents. Throws SYSTEM_FAILED (retryable) unless it ends with 0.
 */
export async function runCommand(
  index: string,
  [program = '', ...args]: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  const env = { PATH: process.env.PATH, LANG: 'C.UTF-8' };
  execFile(program, args, { cwd: '/', env, signal, maxBuffer: OUTPUT_BYTES }, (error) => resolve(error));
  const error = await promise;
  if (error === null) return;
  signal.throwIfAborted();
  const why = 'code' in error ? `it ended with ${error.code}` : 'it was ended';
  throw new HabeasError(
    'SYSTEM_FAILED',
    `The command for the index "${index}" (\`options.commands\`) failed: ${why}. Run it by hand to see what it prints.`,
    { retryable: true },
  );
}

/**
 * Waits until none of the documents is found any more: searchd takes the new files a moment after the command ended. Throws SYSTEM_FAILED
 * (retryable) where they still are after two minutes.
 */
export async function untilGone(
  index: string,
  left: () => Promise<number>,
  {
    signal,
    milliseconds = ROTATED_MILLISECONDS,
  }: { readonly signal: AbortSignal; readonly milliseconds?: number },
): Promise<void> {
  const end = performance.now() + milliseconds;
  for (let turn = 0; ; turn += 1) {
    const count = await left();
    if (count === 0) return;
    if (performance.now() > end)
      throw new HabeasError(
        'SYSTEM_FAILED',
        `${count} documents of the index "${index}" are still found after its command (\`options.commands\`). Does it take out what is marked, or read a source from which they are gone, and does it end with --rotate?`,
        { retryable: true },
      );
    await pause(Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** turn, 2_000), signal);
  }
}
