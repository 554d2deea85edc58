import { spawnSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { erase, located, sum } from '../../../test/connector-contract.ts';
import { requireSmallDisk } from '../../../test/requirements.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createSqliteConnector } from './sqlite-connector.ts';

const MB = 1 << 20;
const ANN = [{ type: 'email', value: 'ann@example.com' }];
const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: notes
        habeas: { on_erase: ON_ERASE }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: body, data_categories: [user.content.private] }`;

const disk = requireSmallDisk(8 * MB);

/** Everything in the file, as another program reads it. */
function contentOf(file: string): { readonly rows: unknown; readonly check: unknown } {
  const database = new DatabaseSync(file);
  try {
    return {
      rows: database.prepare('select id, email, body from notes order by id').all(),
      check: database.prepare('pragma integrity_check').all(),
    };
  } finally {
    database.close();
  }
}

test.skipIf(disk === undefined).each(['delete', 'anonymize'])(
  'a disk that is full in the middle of an erasure (%s) leaves the old state whole',
  async (onErase) => {
    if (disk === undefined) return;
    if (onErase === 'anonymize') onTestFinished(disk.remove);
    const file = join(disk.path, `${onErase}.db`);
    const database = new DatabaseSync(file);
    database.exec(`create table notes (id integer primary key, email text, body text);
      with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
      insert into notes select i, case i % 2 when 0 then 'ann@example.com' else 'bob@example.com' end,
        'a private note ' || hex(randomblob(200)) from n`);
    database.close();
    const before = contentOf(file);
    const connector = createSqliteConnector({
      key: 'shop',
      url: file,
      folder: '/',
      options: {},
      datasets: parseDatasets(DATASET.replace('ON_ERASE', onErase), 'shop.yml'),
      keepRules: [],
      clock: fixedClock('2026-01-01T00:00:00Z'),
      connections: 2,
    });
    onTestFinished(() => connector.close());
    const scope = await located({ connector }, ANN);
    // Less is left than the journal needs.
    const { bavail, bsize } = statfsSync(disk.path);
    const filler = join(disk.path, 'filler');
    writeFileSync(filler, Buffer.alloc(bavail * bsize - 200_000));
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
      message: expect.stringContaining('The disk of shop is full; nothing was changed'),
    });
    expect(contentOf(file)).toEqual(before);
    expect(before.check).toEqual([{ integrity_check: 'ok' }]);
    // With room the same keys go through.
    spawnSync('rm', [filler]);
    expect((await erase({ connector }, scope)).counts).toEqual({ notes: 1_500 });
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
    expect(JSON.stringify(contentOf(file).rows)).not.toContain('ann@example.com');
    spawnSync('rm', [file]);
  },
);
