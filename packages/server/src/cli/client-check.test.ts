import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryOperationStore, servePersonalData } from '@habeas/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHabeas } from '../../test/run-habeas.ts';
import { fileSigning } from './check-signing.ts';

let folder: string;
let keyFile: string;
let stop: (() => Promise<void>)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-client-check-'));
  keyFile = join(folder, '.habeas', 'client-check-key.json');
  stop = [];
});
afterEach(async () => {
  for (const end of stop) await end();
  rmSync(folder, { recursive: true });
});

async function startService(options: {
  readonly publicKey: string;
  readonly erases?: boolean;
}): Promise<string> {
  let rows = 2;
  const known = (emails: readonly string[]) => emails.includes('test@example.org') && rows > 0;
  const server = await servePersonalData({
    service: 'accounts',
    host: '127.0.0.1',
    port: 0,
    habeas: { publicKeys: [options.publicKey] },
    operations: memoryOperationStore(),
    describe: { dataCategories: ['user.contact.email'], identitiesNeeded: ['email'] },
    get: ({ values }) => (known(values('email')) ? [{ collection: 'profiles', row: { id: 1 } }] : []),
    verify: ({ values }) => ({ counts: known(values('email')) ? { profiles: rows } : {} }),
    delete: ({ values }) => {
      const counts: Record<string, number> = known(values('email')) ? { profiles: rows } : {};
      if (options.erases !== false && known(values('email'))) rows = 0;
      return { counts };
    },
  });
  stop.push(() => server.close());
  return `127.0.0.1:${server.port}`;
}

const check = (address: string, more: readonly string[] = []) =>
  runHabeas(
    ['client', 'check', address, '--service', 'accounts', '--identity', 'email=test@example.org', ...more],
    { folder },
  );

describe('habeas client check', () => {
  it('passes a service that keeps the contract, over both protocols', async () => {
    const { publicKey } = await fileSigning(keyFile);
    for (const protocol of ['grpc', 'http']) {
      const result = await check(await startService({ publicKey }), ['--protocol', protocol]);
      expect([result.out.match(/✗.*/g), result.exit]).toEqual([null, 0]);
      expect(result.out).toMatch(/✓ \d+ cases passed/);
      expect(result.notes).toContain(`HABEAS_PUBLIC_KEY=${publicKey}`);
      for (const line of result.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    }
  });

  it('fails one that says it erased and keeps the data, and says what was expected', async () => {
    const { publicKey } = await fileSigning(keyFile);
    const result = await check(await startService({ publicKey, erases: false }));
    expect(result.exit).toBe(1);
    expect(result.out).toMatch(/^✗ \S+/m);
    expect(result.out).toMatch(/of \d+ cases failed/);
  });

  it('prints JSON alone, and leaves the test person with --no-erase', async () => {
    const { publicKey } = await fileSigning(keyFile);
    const result = await check(await startService({ publicKey }), ['--json', '--no-erase']);
    const { items } = result.json() as { items: { name: string; outcome: string }[] };
    expect(items.length).toBeGreaterThan(10);
    expect(items.some(({ outcome }) => outcome === 'skipped')).toBe(true);
    expect([result.exit, result.notes]).toEqual([0, '']);
  });

  it('makes a key at the first use that only its owner may read, and the same one later', async () => {
    const first = await fileSigning(keyFile);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect((await fileSigning(keyFile)).publicKey).toBe(first.publicKey);
    writeFileSync(keyFile, '{"kty":"OKP"}');
    const result = await check('127.0.0.1:9');
    expect([result.exit, result.notes]).toEqual([1, expect.stringContaining('CONFIG_INVALID')]);
  });

  it('needs no variable of a configuration that it has no use for', async () => {
    const { publicKey } = await fileSigning(keyFile);
    writeFileSync(
      join(folder, 'habeas.yaml'),
      `connections: [{ key: shop, kind: postgres, team: t, url: "\${SHOP_DATABASE_URL}", datasets: [a.yml] }]\n`,
    );
    expect((await check(await startService({ publicKey }))).exit).toBe(0);
    writeFileSync(join(folder, 'habeas.yaml'), `clients: { timeout: "\${CALL_TIMEOUT}" }\n`);
    expect((await check('127.0.0.1:9')).notes).toContain('CALL_TIMEOUT is not set');
  });

  it('asks for a service and a test person, without repeating a wrong one', async () => {
    expect((await runHabeas(['client', 'check', '127.0.0.1:9'], { folder })).exit).toBe(2);
    const wrong = await runHabeas(
      ['client', 'check', '127.0.0.1:9', '--service', 'a', '--identity', 'test@example.org'],
      { folder },
    );
    expect(wrong.exit).toBe(2);
    expect(wrong.notes).not.toContain('test@');
  });
});
