import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deleteLater } from '../examples/delete-later.ts';
import { ADA, call, startService, testSigner } from '../test/service.ts';

const example = fileURLToPath(new URL('../examples/whole-service.ts', import.meta.url));

/** Runs the example as a team would, in a folder of its own. */
async function startExample(publicKey: string) {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-example-'));
  const child = spawn(process.execPath, [example], {
    cwd: folder,
    env: { ...process.env, PORT: '0', HABEAS_PUBLIC_KEY: publicKey },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    return exited;
  };
  onTestFinished(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /port (\d+)/.exec(line)?.[1];
    if (port !== undefined) return { url: `http://127.0.0.1:${port}`, stop };
  }
  throw new Error('The example ended before it answered.');
}

describe('the examples in the README', () => {
  it('are the files that are run here, a whole service in fewer than 30 lines', () => {
    const code = readFileSync(example, 'utf8');
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(`\`\`\`ts\n${code}\`\`\``);
    expect(code.trimEnd().split('\n').length).toBeLessThan(30);
  });

  it('work in the background, and say which copies end later', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const code = readFileSync(new URL('../examples/delete-later.ts', import.meta.url), 'utf8');
    expect(readme).toContain(`\`\`\`ts\n${code}\`\`\``);
    const asked: (readonly string[])[] = [];
    const archive = {
      remove: async (emails: readonly string[]) => {
        asked.push(emails);
        return 3;
      },
    };
    const service = await startService({ delete: deleteLater(archive) });
    const { operation } = (await service.post('personal-data:delete')).json;
    await expect
      .poll(async () => (await service.get(`operations/${operation.name}`)).json.operation)
      .toEqual({
        name: operation.name,
        state: 'SUCCEEDED',
        counts: { mails: 3 },
        residuals: [{ what: 'nightly backup', until: '2030-01-31T00:00:00Z' }],
      });
    expect(asked).toEqual([[ADA]]);
  });

  it('declare, give, erases and verifies, and ends when it is told to', async () => {
    const signer = await testSigner();
    const { url, stop } = await startExample(signer.publicKey);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'store{team="identity",service="accounts",data_type="email"} 1',
    );
    const ask = async (verb: string) => {
      const headers = { authorization: `Bearer ${await signer.token()}`, 'content-type': 'application/json' };
      const response = await fetch(`${url}/v1/personal-data:${verb}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(call()),
      });
      const { operation } = (await response.json()) as { readonly operation: unknown };
      return operation;
    };
    expect(await ask('get')).toMatchObject({ state: 'SUCCEEDED', counts: { profiles: 1 } });
    expect(await ask('verify')).toMatchObject({ state: 'SUCCEEDED', counts: { profiles: 1 } });
    expect(await ask('delete')).toMatchObject({ state: 'SUCCEEDED', counts: { profiles: 1 } });
    expect(await ask('verify')).toMatchObject({ state: 'NO_MATCH' });
    expect(await stop()).toBe(0);
  });
});
