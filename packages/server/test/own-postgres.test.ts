import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { query } from './embedded-postgres-user.ts';
import { freePort } from './free-port.ts';
import { requireServer } from './requirements.ts';

const HABEAS = join(import.meta.dirname, '../bin/habeas.mjs');
const server = await requireServer('postgres');

describe.runIf(server)("with DATABASE_URL, the user's own PostgreSQL", () => {
  test('holds the state of Habeas through the whole demonstration, and no other one is started', async () => {
    const port = await freePort();
    const states = [`habeas_demo_${port}`, `habeas_demo_shop_${port}`];
    const folder = mkdtempSync(join(tmpdir(), 'habeas-own-'));
    try {
      const child = spawn(
        process.execPath,
        [HABEAS, 'demo', '--exit', '--json', '--people', '50', '--port', `${port}`],
        {
          cwd: folder,
          env: { ...process.env, DATABASE_URL: server ?? '' },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      await once(child, 'close');
      expect(child.exitCode, said).toBe(0);
      expect(existsSync(join(folder, '.habeas', 'postgres'))).toBe(false);
      const url = new URL(server ?? '');
      url.pathname = `/${states[0]}`;
      const [row] = await query(url.href, 'select count(*)::int from habeas.requests');
      expect(row?.[0]).toBeGreaterThanOrEqual(2);
    } finally {
      for (const name of states) await query(server ?? '', `drop database if exists ${name} with (force)`);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
