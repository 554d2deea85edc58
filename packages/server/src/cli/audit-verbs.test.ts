import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../test/eventually.ts';
import { type HabeasHouse, openHabeasHouse } from '../../test/habeas-house.ts';
import { receiveMails } from '../../test/mail-server.ts';
import { startMoto } from '../../test/moto-server.ts';
import { requireProgram } from '../../test/requirements.ts';
import { receiveWebhooks } from '../../test/webhook-receiver.ts';

const SECRET = Buffer.alloc(32, 5).toString('base64');

let house: HabeasHouse;
beforeEach(async () => {
  house = await openHabeasHouse();
});
afterEach(() => house[Symbol.asyncDispose]());

const configure = (config: object) =>
  writeFileSync(join(house.folder, 'habeas.yaml'), JSON.stringify({ organization: 'acme', ...config }));
const put = (name: string, text: string) => writeFileSync(join(house.folder, name), text);

describe('a checkpoint', () => {
  it('comes by mail and by signed webhook as it was published, and proves offline that the log only grew', async () => {
    await using mails = await receiveMails();
    await using hooks = await receiveWebhooks();
    configure({
      networks: { allow_private: ['127.0.0.1'] },
      notify: { smtp: { url: `smtp://localhost:${mails.port}`, from: 'habeas@acme.example' } },
      audit: {
        publish: {
          every: '1d',
          folder: 'checkpoints',
          mail: 'dpo@acme.example',
          webhook: { url: hooks.url, secret: SECRET },
        },
      },
    });
    const { url, key } = await house.serve();
    const server = { HABEAS_URL: url, HABEAS_API_KEY: key };
    await eventually('both have it', () => mails.mails.length > 0 && hooks.messages.length > 0);

    const [file = ''] = readdirSync(join(house.folder, 'checkpoints'));
    const published = readFileSync(join(house.folder, 'checkpoints', file), 'utf8');
    const { headers = {}, body = '' } = hooks.messages[0] ?? {};
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    const told = new Webhook(SECRET).verify(body, signed);
    expect(told).toMatchObject({ type: 'audit.checkpoint', data: { checkpoint: published } });
    expect(mails.mails[0]?.to).toEqual(['dpo@acme.example']);
    // What a person copies out of the mail: from the name of the log to the signature.
    const [inMail = ''] = /^habeas\/acme\n[\s\S]*?\n\n— .+\n/m.exec(mails.mails[0]?.parsed.text ?? '') ?? [];
    expect(inMail).toBe(published);

    put('trust.txt', (await house.run(['audit', 'keys'], server)).out);
    put('earlier.txt', inMail);
    const size = Number(published.split('\n')[1]);
    expect((await house.run(['keys', 'create', 'another'], server)).exit).toBe(0);
    await eventually('the log grew', async () => {
      const { out } = await house.run(['audit', 'checkpoint'], server);
      return Number(out.split('\n')[1]) > size;
    });
    put(
      'consistency.json',
      (await house.run(['audit', 'consistency', '--since', 'earlier.txt'], server)).out,
    );
    // Nothing of this needs a server or a database.
    const verify = () =>
      house.run(['verify', 'consistency.json', '--since', 'earlier.txt', '--trust', 'trust.txt'], {
        DATABASE_URL: '',
      });
    const grew = await verify();
    expect([grew.exit, grew.out]).toEqual([0, expect.stringMatching(/\nVerified\.\n$/)]);
    put('earlier.txt', inMail.replace(`\n${size}\n`, `\n${size + 1}\n`));
    const changed = await verify();
    expect([changed.exit, changed.out]).toEqual([1, expect.stringMatching(/\nNOT verified\.\n$/)]);
  });
});

describe('habeas audit verify', () => {
  const edit = (statement: string) => house.database.pool.query(statement);

  const bucketAt = (endpoint: string, bucket: string) => ({
    endpoint,
    region: 'eu-central-1',
    bucket,
    access_key_id: 'key',
    secret_access_key: 'secret-of-the-bucket',
  });

  /** A log with a few entries and a published checkpoint, and no server. */
  async function keepLog(publish: object = {}): Promise<number> {
    configure({
      networks: { allow_private: ['127.0.0.1'] },
      audit: { publish: { folder: 'checkpoints', ...publish } },
    });
    const { url, key, stop } = await house.serve();
    const server = { HABEAS_URL: url, HABEAS_API_KEY: key };
    for (const name of ['one', 'two', 'three'])
      expect((await house.run(['keys', 'create', name], server)).exit).toBe(0);
    let size = 0;
    await eventually('all of it is signed', async () => {
      size = Number((await house.run(['audit', 'checkpoint'], server)).out.split('\n')[1]);
      const { rows } = await edit('select count(*)::integer as entries from audit_entries');
      return size >= 4 && size === rows[0].entries;
    });
    await eventually('it is published', async () => {
      const { rows } = await edit('select from audit_publications');
      return rows.length > 0;
    });
    await stop();
    return size;
  }

  it('ends with 0 over a log that is right', async () => {
    const size = await keepLog();
    const { exit, out } = await house.run(['audit', 'verify']);
    expect([exit, out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^✓ ${size} entries recomputed; .*\n$`)),
    ]);
    const asJson = await house.run(['audit', 'verify', '--json']);
    expect([asJson.exit, asJson.json()]).toEqual([0, { entries: size, signed: size, fault: null }]);
  });

  it('ends with 1 and names the entry that was edited in the database', async () => {
    await keepLog();
    const { rows } = await edit('select id, sequence from audit_entries order by sequence offset 2 limit 1');
    const { id, sequence } = rows[0];
    await edit(`update audit_entries set actor = 'somebody-else' where sequence = ${sequence}`);
    const { exit, out, notes } = await house.run(['audit', 'verify']);
    expect([exit, notes]).toEqual([1, '']);
    expect(out).toContain('✗ entry-changed: Entry 2 of the log, ');
    expect(out).toContain(id);
    expect(out).not.toContain('somebody-else');
    const asJson = await house.run(['audit', 'verify', '--json']);
    expect([asJson.exit, asJson.json()]).toEqual([
      1,
      {
        entries: expect.any(Number),
        signed: expect.any(Number),
        fault: {
          what: 'entry-changed',
          text: expect.stringContaining(id),
          index: 2,
          sequence: Number(sequence),
        },
      },
    ]);
  });

  it('knows by the checkpoint in the folder alone that the log was begun anew', async () => {
    await keepLog();
    await edit('truncate audit_logs, audit_tiles');
    const known = await house.run(['audit', 'verify', '--json']);
    expect([known.exit, known.json()]).toMatchObject([1, { fault: { what: 'log-missing' } }]);
    renameSync(join(house.folder, 'checkpoints'), join(house.folder, 'elsewhere'));
    expect((await house.run(['audit', 'verify'])).exit).toBe(0);
    const [file = ''] = readdirSync(join(house.folder, 'elsewhere'));
    const given = await house.run(['audit', 'verify', '--since', join('elsewhere', file), '--json']);
    expect([given.exit, given.json()]).toMatchObject([1, { fault: { what: 'log-missing' } }]);
  });

  it.skipIf(requireProgram('moto_server') === undefined)(
    'knows the same by the checkpoint in S3 alone',
    async () => {
      await using moto = await startMoto();
      await keepLog({ s3: bucketAt(moto.url, moto.bucket) });
      expect((await house.run(['audit', 'verify'])).exit).toBe(0);
      // Whoever has the machine has its database and its folder, and cannot reach what is in the bucket.
      await edit('truncate audit_logs, audit_tiles');
      rmSync(join(house.folder, 'checkpoints'), { recursive: true });
      const known = await house.run(['audit', 'verify', '--json']);
      expect([known.exit, known.json()]).toMatchObject([1, { fault: { what: 'log-missing' } }]);
    },
  );

  it('ends with 4, and not as if all were well, where published checkpoints cannot be read', async () => {
    await keepLog();
    const s3 = bucketAt('http://127.0.0.1:9', 'checkpoints');
    configure({ networks: { allow_private: ['127.0.0.1'] }, audit: { publish: { s3 } } });
    const { exit, out, notes } = await house.run(['audit', 'verify']);
    expect([exit, out, notes]).toEqual([4, '', expect.stringContaining('STORAGE_UNREACHABLE')]);
    expect(notes).not.toContain('secret-of-the-bucket');
  });
});
