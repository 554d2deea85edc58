import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs a program in our place: the same terminal, our signals passed on, and its exit status becomes ours. */
export async function runInOurPlace(program, args, options = {}) {
  const child = spawn(program, args, { ...options, stdio: 'inherit' });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A terminal sends Ctrl+C to the child as well; twice could mean "end at once" to it.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  const ended = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  // As shells do it: 128 and the number of the signal.
  process.exit(ended.code ?? 128 + constants.signals[ended.signal]);
}
