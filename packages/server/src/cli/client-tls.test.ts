import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryOperationStore, servePersonalData } from '@habeas/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  SERVER_CERTIFICATE,
  SERVER_KEY,
  TEST_CA,
} from '../../../sdk/test/certificates.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { runHabeas } from '../../test/run-habeas.ts';
import { createLogger } from '../foundation/index.ts';
import { cliParts } from '../main.ts';
import { fileSigning } from './check-signing.ts';

let database: TestDatabase;
let folder: string;
let port: number;
let page: string;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'habeas-client-tls-'));
  for (const [name, text] of Object.entries({
    'ca.pem': TEST_CA,
    'own.pem': CLIENT_CERTIFICATE,
    'own.key': CLIENT_KEY,
    'other.key': SERVER_KEY,
  })) {
    writeFileSync(join(folder, name), text);
  }
  const checks = await fileSigning(join(folder, '.habeas', 'client-check-key.json'));
  const state = await cliParts.openState({
    databaseUrl: database.url,
    organizationId: 'default',
    dataDir: join(folder, '.habeas'),
    environment: {},
    logger: createLogger({ level: 'silent' }),
  });
  stops.push(() => state.close());
  // It answers only callers who show a certificate of its authority.
  const service = await servePersonalData({
    service: 'accounts',
    host: '127.0.0.1',
    port: 0,
    tls: { key: SERVER_KEY, cert: SERVER_CERTIFICATE, clientCa: TEST_CA },
    habeas: { publicKeys: [checks.publicKey, ...(await state.publicKeys())] },
    operations: memoryOperationStore(),
    describe: { dataCategories: ['user.contact.email'], identitiesNeeded: ['email'] },
    get: () => [{ collection: 'profiles', row: { id: 1 } }],
    delete: () => ({ counts: {} }),
    verify: () => ({ counts: {} }),
  });
  stops.push(() => service.close());
  port = service.port;
  const metrics = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(
      `store{team="web",service="accounts",data_type="email"} 1\nclient{team="web",service="accounts",address="127.0.0.1:${port}",protocol="grpc"} 1\n`,
    );
  });
  await new Promise<void>((resolve) => metrics.listen(0, '127.0.0.1', resolve));
  stops.push(async () => metrics.close());
  const address = metrics.address();
  page = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/metrics`;
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await database.close();
  rmSync(folder, { recursive: true });
});

/** Runs a command with this as `clients.tls`. */
function habeas(argv: readonly string[], tls: string) {
  writeFileSync(
    join(folder, 'habeas.yaml'),
    `clients:\n  allow: ["127.0.0.1:${port}"]\n  tls: ${tls}\nmap:\n  scrape: [{ url: "${page}" }]\ndata_types: { email: user.contact.email }\n`,
  );
  return runHabeas(argv, { folder, parts: cliParts, environment: { DATABASE_URL: database.url } });
}

const OWN = 'certificate: own.pem, key: own.key';

describe('a service that speaks TLS and asks for a certificate', () => {
  it('is reached by a server whose configuration has both', async () => {
    const result = await habeas(['doctor'], `[{ ca: ca.pem, ${OWN} }]`);
    expect(result.out).toMatch(/^ok +client of accounts +/m);
    expect(result.out).not.toMatch(/^fail/m);
  });

  it('is not reached without, with one of both alone, and with an entry for others', async () => {
    for (const tls of [
      '[]',
      '[{}]',
      '[{ ca: ca.pem }]',
      `[{ ${OWN} }]`,
      `[{ addresses: ["127.0.0.1:1", localhost], ca: ca.pem, ${OWN} }]`,
      `[{ addresses: ["127.0.0.1"], ca: ca.pem }, { ca: ca.pem, ${OWN} }]`,
    ]) {
      expect([tls, (await habeas(['doctor'], tls)).out]).toEqual([
        tls,
        expect.stringMatching(/^fail +client of accounts +/m),
      ]);
    }
  });

  it.each(['grpc', 'http'])('is checked over %s', async (protocol) => {
    const argv = ['clients', 'check', `127.0.0.1:${port}`, '--service', 'accounts', '--no-erase'];
    const more = ['--protocol', protocol, '--identity', 'email=test@example.org'];
    const with_ = await habeas(
      [...argv, ...more],
      `[{ addresses: ["127.0.0.1:${port}"], ca: ca.pem, ${OWN} }]`,
    );
    expect(with_.out).toMatch(/^✓ known-person/m);
    const without = await habeas([...argv, ...more], '[]');
    expect(without.out).not.toMatch(/^✓ known-person/m);
  });
});

describe('clients.tls', () => {
  it.each([
    ['[{ ca: none.pem }]', /clients\.tls\.0: ca: .*none\.pem cannot be read/],
    ['[{}, { ca: habeas.yaml }]', /clients\.tls\.1: its files are not PEM/],
    [
      '[{ certificate: own.pem, key: other.key }]',
      /clients\.tls\.0: its files are not PEM, or the key is not/,
    ],
    ['[{ certificate: own.pem }]', /habeas\.yaml:3:\d+: clients\.tls\.0: certificate and key go together/],
    ['[{ addresses: ["https://accounts"] }]', /clients\.tls\.0: "https:\/\/accounts" is neither/],
  ])('refuses %s', async (tls, message) => {
    const result = await habeas(['doctor'], tls);
    expect([result.exit, result.out + result.notes]).toEqual([1, expect.stringContaining('CONFIG_INVALID')]);
    expect((result.out + result.notes).replaceAll(/\s+/g, ' ')).toMatch(message);
  });
});
