import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { type HabeasHouse, openHabeasHouse } from '../../test/habeas-house.ts';
import { serveMetrics } from '../../test/page-server.ts';
import { receiveWebhooks } from '../../test/webhook-receiver.ts';

/** A process starts slowly where several tests share two cores. */
const PROCESS_MILLISECONDS = 120_000;

let house: HabeasHouse;
let folder: string;
let database: TestDatabase;

beforeEach(async () => {
  house = await openHabeasHouse({});
  ({ folder, database } = house);
});
afterEach(() => house[Symbol.asyncDispose]());

const run: HabeasHouse['run'] = (...given) => house.run(...given);
const serve: HabeasHouse['serve'] = (...argv) => house.serve(...argv);

const statusOf = async (url: string, key: string | undefined) =>
  (await fetch(`${url}/api/v1/services`, { headers: { authorization: `Bearer ${key}` } })).status;

describe('habeas serve', () => {
  it('prints a key at the first start alone, and another one for who lost it', async () => {
    const first = await serve();
    expect(first.key).toMatch(/^habeas_[a-z0-9]{52}$/);
    expect(await statusOf(first.url, first.key)).toBe(200);
    expect((await first.stop()).exit).toBe(0);

    const second = await serve();
    expect(second.key).toBeUndefined();
    expect([await statusOf(second.url, first.key), await statusOf(second.url, 'habeas_wrong')]).toEqual([
      200, 401,
    ]);
    await second.stop();

    const third = await serve('--new-key');
    expect(third.key).not.toBe(first.key);
    expect([await statusOf(third.url, first.key), await statusOf(third.url, third.key)]).toEqual([200, 200]);
    expect(third.out).not.toContain(first.key);
  });

  it('starts nothing where the port is taken', async () => {
    const { url } = await serve();
    const taken = await run(['serve', '--port', new URL(url).port], {
      DATABASE_URL: 'postgres://127.0.0.1:9/x',
    });
    expect([taken.exit, taken.notes]).toEqual([2, expect.stringContaining('another Habeas server')]);
  });

  it('says that the database does not answer, without its password', async () => {
    const result = await run(['serve', '--port', '0'], { DATABASE_URL: 'postgres://u:secret@127.0.0.1:9/x' });
    expect([result.exit, result.notes]).toEqual([4, expect.stringContaining('DATABASE_UNREACHABLE')]);
    expect(result.notes).not.toContain('secret');
  });
});

describe('habeas doctor', () => {
  it('changes nothing where nothing was set up, and says what will', async () => {
    const first = await run(['doctor']);
    expect([first.exit, first.notes]).toEqual([0, '']);
    expect(first.out).toMatch(/^warn +database [^→]*→ The next `habeas serve`/m);
    expect(first.out).toMatch(/^ok +master key +The first start will make one/m);
    expect(first.out).toMatch(/^warn +configuration [^→]*→ Run `habeas init/m);
    expect((await run(['doctor'])).out).toBe(first.out);
    expect(readdirSync(folder)).toEqual([]);
    const embedded = await run(['doctor'], { DATABASE_URL: '' });
    expect([embedded.exit, embedded.out]).toEqual([
      0,
      expect.stringMatching(/^warn +database +There is none yet/m),
    ]);
  });

  it('leaves the first key of an organization to its server, which shows it', async () => {
    await (await serve()).stop();
    writeFileSync(join(folder, 'habeas.yaml'), 'organization: another\n');
    expect((await run(['doctor'])).exit).toBe(0);
    expect((await serve()).key).toMatch(/^habeas_/);
  });

  it('looks at everything once it was set up', async () => {
    await (await serve()).stop();
    const { exit, out } = await run(['doctor']);
    expect(exit).toBe(0);
    expect(out).toMatch(/^ok +Node\.js +\d+\./m);
    expect(out).toMatch(/^ok +database +[^→]*up to date/m);
    expect(out).toMatch(/^warn +sources of the map /m);
    expect(out).toMatch(/^warn +connections /m);
  });

  it('fails for a source, a connection and a master key that do not work, and says of each what to do', async () => {
    await (await serve()).stop();
    const field =
      '{ name: email, data_categories: [user.contact.email], fides_meta: { identity: email, primary_key: true } }';
    writeFileSync(
      join(folder, 'shop.yml'),
      `dataset: [{ fides_key: shop, name: shop, collections: [{ name: none, fields: [${field}] }] }]`,
    );
    writeFileSync(
      join(folder, 'habeas.yaml'),
      [
        'map: { scrape: [{ url: "http://127.0.0.1:9/metrics" }] }',
        'networks: { allow_private: [127.0.0.0/8] }',
        `connections: [{ key: shop, kind: postgres, team: shop, url: "${database.url}", datasets: [shop.yml] }]`,
      ].join('\n'),
    );
    const sick = await run(['doctor', '--json']);
    const { items } = sick.json() as { items: { what: string; verdict: string; next?: string }[] };
    const failing = items.filter(({ verdict }) => verdict === 'fail');
    expect([sick.exit, failing.map(({ what }) => what)]).toEqual([
      1,
      ['source 127.0.0.1:9/metrics', 'connection shop'],
    ]);
    for (const { next } of failing) expect(next).toBeTruthy();
  });

  it('names each place of checkpoints that cannot be used, and what to do', async () => {
    await (await serve()).stop();
    writeFileSync(join(folder, 'no-folder'), '');
    const s3 = `{ endpoint: "http://127.0.0.1:9", region: eu, bucket: log, access_key_id: "\${KEY}", secret_access_key: "\${KEY}" }`;
    const publish = (place: string) =>
      writeFileSync(
        join(folder, 'habeas.yaml'),
        `networks: { allow_private: [127.0.0.0/8] }\naudit: { publish: { folder: ${place}, s3: ${s3} } }\n`,
      );
    const said = async () => {
      const { items } = (await run(['doctor', '--json'], { KEY: 'key' })).json() as {
        items: { what: string; verdict: string; next?: string }[];
      };
      return items.filter(({ what }) => what.startsWith('checkpoints'));
    };
    publish('no-folder');
    const next = expect.stringContaining('audit.publish');
    expect(await said()).toMatchObject([
      { what: `checkpoints in folder ${join(folder, 'no-folder')}`, verdict: 'fail', next },
      { what: 'checkpoints in bucket log', verdict: 'fail', next },
    ]);
    publish('checkpoints');
    expect((await said()).map(({ verdict }) => verdict)).toEqual(['ok', 'fail']);
  });

  it('names a receiver that does not take what the first poll of a server tells it', async () => {
    await using receiver = await receiveWebhooks();
    await using page = await serveMetrics('store{team="data",service="bigtable",data_type="ip"} 1\n');
    receiver.answer = (response) => response.writeHead(500).end();
    const secret = Buffer.alloc(32, 1).toString('base64');
    writeFileSync(
      join(folder, 'habeas.yaml'),
      [
        `map: { scrape: [{ url: "${page.url}" }] }`,
        'networks: { allow_private: [127.0.0.0/8] }',
        `teams: { data: { webhook: { url: "${receiver.url}", secret: "${secret}" } } }`,
      ].join('\n'),
    );
    await serve();
    await eventually('it is told', () => receiver.messages.length > 0);
    expect(JSON.parse(receiver.messages[0]?.body ?? '')).toMatchObject({
      type: 'map.store-without-eraser',
      data: { team: 'data', service: 'bigtable', data_types: 'ip' },
    });
    await eventually('the doctor knows', async () => {
      const { items } = (await run(['doctor', '--json'])).json() as {
        items: { what: string; finding: string }[];
      };
      const found = items.find(({ what }) => what === 'receiver teams.data.webhook');
      return /^It takes no messages since .*HTTP 500/.test(found?.finding ?? '');
    });
  });

  it('tells once that a master key is none, or not the one of what is stored', async () => {
    await (await serve()).stop();
    for (const key of ['short', Buffer.alloc(32).toString('base64')]) {
      const wrong = await run(['doctor'], { HABEAS_MASTER_KEY: key });
      expect([wrong.exit, wrong.notes]).toEqual([1, '']);
      expect(wrong.out.match(/^fail +master key /gm)).toHaveLength(1);
      expect(wrong.out.match(/MASTER_KEY_INVALID/g)).toHaveLength(1);
    }
  });

  it('prints its JSON also when a file of the configuration cannot be used', async () => {
    await (await serve()).stop();
    writeFileSync(join(folder, 'habeas.yaml'), 'policy: none.yml\n');
    const { items } = (await run(['doctor', '--json'])).json() as {
      items: { what: string; verdict: string }[];
    };
    expect(items.at(-1)).toMatchObject({ what: 'configured systems', verdict: 'fail' });
  });

  it('says that a database is down, without its password, and looks no further', async () => {
    const result = await run(['doctor'], { DATABASE_URL: 'postgres://u:secret@127.0.0.1:9/x' });
    expect([result.exit, result.out]).toEqual([1, expect.stringMatching(/^fail +database /m)]);
    expect(result.out).not.toMatch(/secret|clients/);
  });
});

describe('the process', () => {
  const binary = fileURLToPath(new URL('../../bin/habeas.mjs', import.meta.url));

  it(
    'serves until SIGTERM, then ends with 0',
    async () => {
      const child = spawn(
        process.execPath,
        [binary, 'serve', '--port', '0', '--json', '--log-level', 'silent'],
        {
          cwd: folder,
          env: { ...process.env, DATABASE_URL: database.url },
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
      const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve([code, signal])));
      let out = '';
      for await (const chunk of child.stdout) {
        out += String(chunk);
        if (!out.endsWith('\n')) continue;
        const { url, key } = JSON.parse(out);
        expect(await statusOf(url, key)).toBe(200);
        child.kill('SIGTERM');
      }
      expect(await ended).toEqual([0, null]);
    },
    PROCESS_MILLISECONDS,
  );

  it(
    'ends quietly when nobody reads its output any more',
    async () => {
      const child = spawn('/bin/sh', ['-c', `"${process.execPath}" "${binary}" --help | head -1`]);
      let notes = '';
      child.stderr.on('data', (chunk) => {
        notes += chunk;
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect([code, notes]).toEqual([0, '']);
    },
    PROCESS_MILLISECONDS,
  );
});
