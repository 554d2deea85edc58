import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureDashboard } from './dashboard.mjs';

/** Stands for Vite: each run adds a line to dist/runs, and fails while there is a file `broken`. */
const VITE = `
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
const folder = process.argv[3];
if (existsSync(join(folder, 'broken'))) { console.error('no such import'); process.exit(1); }
mkdirSync(join(folder, 'dist'), { recursive: true });
appendFileSync(join(folder, 'dist', 'runs'), process.env.NODE_ENV + '\\n');
`;

let root: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const ensure = () => ensureDashboard(root, process.execPath);
const runs = () => readFileSync(join(root, 'packages/web/dist/runs'), 'utf8').trim().split('\n');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'habeas-dashboard-'));
  write('node_modules/vite/bin/vite.js', VITE);
  write('node_modules/vite/package.json', '{ "type": "module" }');
  for (const file of ['src/main.tsx', 'index.html', 'vite.config.ts', 'package.json'])
    write(`packages/web/${file}`, 'first');
  write('packages/contract/src/api/requests.ts', 'first');
  write('package-lock.json', '{}');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the build of the dashboard', () => {
  it('is made once, for use and not for development, also when two starts want it', async () => {
    await Promise.all([ensure(), ensure()]);
    await ensure();
    expect(runs()).toEqual(['production']);
  });

  it.each([
    'packages/web/src/main.tsx',
    'packages/web/src/map/new.ts',
    'packages/web/index.html',
    'packages/contract/src/api/requests.ts',
    'package-lock.json',
  ])('is made again when %s changed', async (path) => {
    await ensure();
    write(path, '{ "changed": true }');
    await ensure();
    expect(runs()).toHaveLength(2);
  });

  it('that fails says what the builder said, and is tried again', async () => {
    write('packages/web/broken', '');
    await expect(ensure()).rejects.toThrow('no such import');
    rmSync(join(root, 'packages/web/broken'));
    await ensure();
    expect(runs()).toHaveLength(1);
  });

  it('is nothing to a project without one', async () => {
    rmSync(join(root, 'packages/web'), { recursive: true });
    await ensure();
    expect(existsSync(join(root, 'packages/web'))).toBe(false);
  });
});
