import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { call, testSigner } from '../test/service.ts';

const script = fileURLToPath(new URL('../test/slow-service.ts', import.meta.url));

async function start(folder: string, environment: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [script], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said: string[] = [];
  /** What the service said or says, in whatever order. */
  const line = async (pattern: RegExp): Promise<string> => {
    for (let index = 0; ; index += 1) {
      const { value, done } =
        index < said.length ? { value: said[index] ?? '', done: false } : await lines.next();
      if (done) throw new Error('The service ended.');
      if (index >= said.length) said.push(value);
      const found = pattern.exec(value)?.[1];
      if (found !== undefined) return found;
    }
  };
  return { kill, line };
}

it('work that a service had taken goes on after kill -9, under the same name, with the same identities', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-killed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const signer = await testSigner();
  const body = call({ idempotencyKey: 'key-1' });
  const ask = async (port: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/personal-data:delete`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await signer.token()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (
      (await response.json()) as { readonly operation: { readonly name: string; readonly state: string } }
    ).operation;
  };
  const first = await start(folder, { HABEAS_PUBLIC_KEY: signer.publicKey, HANGS: '1' });
  const taken = await ask(await first.line(/^port (\d+)$/));
  expect(taken.state).toBe('QUEUED');
  expect(await first.line(/^begun (.+)$/)).toBe('key-1');
  await first.kill();
  const second = await start(folder, { HABEAS_PUBLIC_KEY: signer.publicKey });
  const port = await second.line(/^port (\d+)$/);
  // It began again by itself, before anybody asked.
  expect(await second.line(/^begun (.+)$/)).toBe('key-1');
  await expect
    .poll(() => ask(port))
    .toEqual({ name: taken.name, state: 'SUCCEEDED', counts: { profiles: 1 } });
});
