import { spawn } from 'node:child_process';

/**
 * Runs a program without input and gives its exit status (or what ended it) and all that it wrote. `onStart` is given its
 * process id.
 */
export async function run(program, args, { onStart, ...options }) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid !== undefined) onStart?.(child.pid);
  let said = '';
  const hear = (chunk) => {
    said += chunk;
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const status = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  return { status, said: said.trim() };
}
