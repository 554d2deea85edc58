import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AskingHouse, asker, codeIn, openAskingHouse } from '../../test/asking-house.ts';
import { TEST_KEY } from '../../test/in-memory-application.ts';
import { runHabeas } from '../../test/run-habeas.ts';

const folder = mkdtempSync(join(tmpdir(), 'habeas-package-'));
let house: AskingHouse;
let url: string;
let id: string;

beforeAll(async () => {
  house = await openAskingHouse({ people: { language: 'it' } });
  url = await house.app.listen({ port: 0, host: '127.0.0.1' });
  const identities = [{ type: 'email', value: 'ada@example.org' }];
  id = (await house.requests.receive(asker, { right: 'access', identities, dryRun: false })).request.id;
  await house.inState(id, 'completed');
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const habeas = (argv: readonly string[], input?: string) =>
  runHabeas(['package', ...argv], { url, key: TEST_KEY, folder, ...(input === undefined ? {} : { input }) });
const isZip = (file: string) => readFileSync(join(folder, file)).subarray(0, 2).toString() === 'PK';

describe('habeas package', () => {
  it('fetches the package of a request, for its owner alone and over no other file', async () => {
    const fetched = await habeas(['fetch', id, '--output', 'by-id.zip', '--json']);
    expect([fetched.exit, fetched.json()]).toEqual([
      0,
      { file: join(folder, 'by-id.zip'), bytes: statSync(join(folder, 'by-id.zip')).size },
    ]);
    expect(isZip('by-id.zip')).toBe(true);
    expect(statSync(join(folder, 'by-id.zip')).mode & 0o777).toBe(0o600);
    const again = await habeas(['fetch', id, '--output', 'by-id.zip']);
    expect([again.exit, again.notes]).toEqual([2, expect.stringContaining('exists')]);
  });

  it('fetches the sealed file, and exports the key that opens it, once it is known where to', async () => {
    expect((await habeas(['fetch', id, '--form', 'age', '--output', 'package.zip.age'])).exit).toBe(0);
    expect(readFileSync(join(folder, 'package.zip.age'), 'latin1')).toMatch(/^age-encryption\.org\/v1\n/);
    const shown = await habeas(['key', id]);
    expect(shown.out).toMatch(/^AGE-SECRET-KEY-1\w+\n$/);
    const saved = await habeas(['key', id, '--output', 'key.txt', '--json']);
    expect(saved.json()).toEqual({
      package_id: expect.any(String),
      expires_at: expect.any(String),
      file: join(folder, 'key.txt'),
    });
    expect(readFileSync(join(folder, 'key.txt'), 'utf8')).toBe(shown.out);
    expect(statSync(join(folder, 'key.txt')).mode & 0o777).toBe(0o600);
    const given = async () =>
      (await house.database.pool.query(`select from habeas.audit_entries where action = 'package.key-given'`))
        .rowCount;
    const before = await given();
    expect((await habeas(['key', id, '--output', 'key.txt'])).exit).toBe(2);
    expect(await given()).toBe(before);
  });

  it('makes a link, and fetches by it with the code that its first call has sent', async () => {
    const made = (await habeas(['link', id, '--downloads', '2', '--days', '1', '--json'])).json() as {
      url: string;
    };
    expect(made).toMatchObject({ downloads: 2 });
    // It names the public address; here the server answers at another one.
    const link = made.url.replace('https://habeas.example', url);
    const before = house.mail.mails.length;
    const asked = await runHabeas(['package', 'fetch', '--link', '-'], { folder, input: `${link}\n` });
    expect([asked.exit, asked.out]).toEqual([3, expect.stringContaining('--code')]);
    const mail = await house.mailTo('ada@example.org', before + 1);
    expect(mail.parsed.subject).toBe('Il Suo codice per i Suoi dati presso ACME');
    const code = codeIn(mail);
    const wrong = await runHabeas(
      [
        'package',
        'fetch',
        '--link',
        link,
        '--code',
        code === '00000000' ? '00000001' : '00000000',
        '--output',
        'a.zip',
      ],
      { folder },
    );
    expect([wrong.exit, wrong.notes]).toEqual([1, expect.stringContaining('CODE_INVALID')]);
    const spaced = `${code.slice(0, 4)} ${code.slice(4)}`;
    const fetched = await runHabeas(
      ['package', 'fetch', '--link', link, '--code', spaced, '--output', 'by-link.zip'],
      { folder },
    );
    expect([fetched.exit, fetched.notes]).toEqual([0, '']);
    expect(readFileSync(join(folder, 'by-link.zip')).equals(readFileSync(join(folder, 'by-id.zip')))).toBe(
      true,
    );
    const revoked = await habeas(['revoke-links', id, '--json']);
    expect(revoked.json()).toEqual({ revoked: 1 });
    const void_ = await runHabeas(['package', 'fetch', '--link', link], { folder });
    expect([void_.exit, void_.notes]).toEqual([2, expect.stringContaining('not valid')]);
  });

  it('says what is missing, and repeats no part of a link', async () => {
    const token = 'A'.repeat(42);
    for (const [argv, text] of [
      [['fetch'], 'Name one'],
      [['fetch', id, '--link', 'https://x.example/package#a'], 'Name one'],
      [['fetch', id], '--output'],
      [['fetch', id, '--code', '1', '--output', 'x'], '--code belongs to --link'],
      [['fetch', '--link', `https://x.example/package#${token}`], 'whole link'],
      [['fetch', 'req_none', '--output', 'x.zip'], 'NOT_FOUND'],
      [['link', id, '--days', '9'], 'days'],
    ] as const) {
      const said = await habeas(argv);
      expect([argv, said.exit, said.notes]).toEqual([argv, 2, expect.stringContaining(text)]);
      expect(said.notes).not.toContain(token);
    }
  });
});
