import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { serveMetrics } from '../../test/page-server.ts';
import { auditMigrations } from '../audit/index.ts';
import { createLogger, fixedClock, parseConfig } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { createMap } from './create-map.ts';
import { mapMigrations } from './migrations.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const page = readFileSync(`${root}docs/map.md`, 'utf8');

/** The one block of this language. */
function block(language: string): string {
  const blocks = [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))];
  expect(blocks).toHaveLength(1);
  return blocks[0]?.[1] ?? '';
}

describe('docs/map.md', () => {
  it('shows declarations and a configuration that make the map that it promises', async () => {
    await using database = await createTestDatabase({
      ...auditMigrations,
      ...notifyMigrations,
      ...mapMigrations,
    });
    await using metrics = await serveMetrics(block('text'));
    const config = parseConfig({ text: block('yaml'), file: 'habeas.yaml', environment: {} });
    const clock = fixedClock('2026-11-21T08:00:00Z');
    const logger = createLogger({ level: 'silent' });
    const scrape = [{ url: metrics.url }];
    const map = createMap({
      db: database.db,
      clock,
      logger,
      config: { ...config, map: { ...config.map, scrape } },
    });
    expect((await map.poll()).sources).toMatchObject([{ state: 'ok', declarations: 3, warnings: [] }]);
    expect(await map.holders('ip')).toMatchObject({
      holders: [{ service: 'bigtable' }],
      movers: [{ from: 'sentinel', to: 'hammer' }],
    });
    expect(await map.systems()).toMatchObject([{ service: 'bigtable', answeredBy: { kind: 'client' } }]);
    expect((await map.gaps()).map((gap) => gap.kind)).toEqual(['undeclared-receiver']);
  });

  it('shows how the SDK writes the same lines', async () => {
    const args = ['--input-type=module-typescript', '--eval', block('ts')];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    for (const line of [
      'store{team="data",service="bigtable",data_type="ip"} 1',
      'transmit{team="data",service="bigtable",to_service="hammer",data_type="ip"} 1',
    ]) {
      expect(stdout.split('\n')).toContain(line);
    }
  });

  it('lists exactly the gaps that there are', () => {
    const listed = [...page.matchAll(/^\| `([a-z-]+)` \| (?!the service|here)/gm)].map(([, kind]) => kind);
    expect(listed.sort()).toEqual([...api.gapSchema.shape.kind.options].sort());
  });
});
