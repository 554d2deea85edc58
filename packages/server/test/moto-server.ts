import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** A server that speaks S3 (moto, from PyPI), on a free port; what it keeps goes with it. */
export interface MotoServer extends AsyncDisposable {
  readonly url: string;
  readonly bucket: string;
  /** Answers nothing any more, like a service that is down. */
  kill(): Promise<void>;
}

/** With one empty bucket. */
export async function startMoto(): Promise<MotoServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const bucket = 'packages';
  await eventually(
    'moto answers',
    async () => (await fetch(`${url}/moto-api/`).catch(() => undefined))?.ok === true,
    60,
  );
  const made = await fetch(`${url}/${bucket}`, { method: 'PUT' });
  if (!made.ok) throw new Error(`moto made no bucket: ${made.status}`);
  return { url, bucket, kill: end, [Symbol.asyncDispose]: end };
}
