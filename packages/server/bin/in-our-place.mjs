import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs a program in our place: the same terminal, our signals passed on, and its exit status becomes ours. */
export async function runInOurPlace(program, args, options = {}) {
  process.exit(await runAttached(program, args, options));
}

/** Runs a program on our terminal with our signals passed on, and gives its exit status. */
export async function runAttached(program, args, options = {}) {
  const child = spawn(program, args, { ...options, stdio: 'inherit' });
  const passOn = (signal) => {
    // A terminal sends Ctrl+C to the child as well; twice could mean "end at once" to it.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, passOn);
  try {
    const ended = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve({ code, signal }));
    });
    // As shells do it: 128 and the number of the signal.
    return ended.code ?? 128 + constants.signals[ended.signal];
  } finally {
    for (const signal of SIGNALS) process.off(signal, passOn);
  }
}
