import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { api } from '@habeas/contract';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { requireProgram } from '../../../test/requirements.ts';
import { readDeclaredServices } from './declared-services.ts';
import { fileTargets } from './target-groups.ts';

const page = readFileSync(
  fileURLToPath(new URL('../../../../../docs/connect-prometheus.md', import.meta.url)),
  'utf8',
);

/** The block that begins with the name of its file. */
function fileOf(name: string): string {
  const [, text] = new RegExp(`\`\`\`yaml\\n# ${name}\\n(.*?)\`\`\``, 's').exec(page) ?? [];
  if (text === undefined) throw new Error(`There is no ${name}.`);
  return text;
}

it('shows a push that is taken as it is', () => {
  const push = api.pushSchema.parse(parse(fileOf('nightly-export.yml')));
  expect(readDeclaredServices(push.declarations)).toMatchObject({ declarations: [{}, {}], rejections: [] });
});

it('shows a list of targets that both Habeas and Prometheus read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-docs-'));
  try {
    writeFileSync(join(folder, 'shop.yml'), fileOf('targets/shop.yml'));
    const read = fileTargets({ files: ['*.yml'], folder, source: 'docs' });
    expect((await read(new AbortController().signal)).targets.map(({ url }) => url)).toEqual([
      'http://10.20.0.5:9464/metrics',
      'http://10.20.0.6:9464/metrics',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it.skipIf(requireProgram('promtool') === undefined)('shows a configuration that Prometheus takes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-docs-'));
  try {
    writeFileSync(join(folder, 'habeas-api-key'), 'key');
    writeFileSync(join(folder, 'prometheus.yml'), fileOf('prometheus.yml'));
    const checked = spawnSync('promtool', ['check', 'config', 'prometheus.yml'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
