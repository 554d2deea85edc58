import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { eventually } from './eventually.ts';

/** A server that speaks the protocol of Azure Blob Storage (Azurite, from npm), on a free port; what it keeps goes with it. */
export interface AzuriteServer extends AsyncDisposable {
  readonly url: string;
  /** Answers nothing any more, like a service that is down. */
  kill(): Promise<void>;
}

/** Who may do everything at every Azurite; the key is the well-known one of its documentation. */
export const AZURITE_ACCOUNT = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
} as const;

export async function startAzurite(): Promise<AzuriteServer> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    'azurite-blob',
    ['--inMemoryPersistence', '--silent', '--disableTelemetry', '--blobPort', String(port)],
    { stdio: 'ignore' },
  );
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await eventually(
    'Azurite answers',
    async () => (await fetch(url).catch(() => undefined)) !== undefined,
    120,
  );
  return { url, kill, [Symbol.asyncDispose]: kill };
}
