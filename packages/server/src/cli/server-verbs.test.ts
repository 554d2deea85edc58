import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import {
  type InMemoryApplication,
  inMemoryApplication,
  TEST_KEY,
  TEST_PUBLIC_KEY,
} from '../../test/in-memory-application.ts';
import { type RunHabeasOptions, runHabeas } from '../../test/run-habeas.ts';
import { appendAudit, auditMigrations } from '../audit/index.ts';
import { createHttpServer, type HttpServer } from '../http/index.ts';

let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;
let url: string;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase(auditMigrations);
  application = inMemoryApplication({ db: database.db });
  app = await createHttpServer(application);
  url = await app.listen({ port: 0, host: '127.0.0.1' });
  folder = mkdtempSync(join(tmpdir(), 'habeas-cli-'));
});

afterAll(async () => {
  await app.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const habeas = (argv: readonly string[], options: RunHabeasOptions = {}) =>
  runHabeas(argv, { url, key: TEST_KEY, folder, ...options });

describe('habeas map', () => {
  it('prints services, how they are reached, and gaps', async () => {
    const { exit, out } = await habeas(['map', '--data-type', 'email']);
    expect(exit).toBe(0);
    expect(out).toBe(
      [
        'email is held by    orders (shop)',
        'email is sent       nowhere',
        '',
        '1 service, 0 flows, 1 gap at 2026-03-01 12:00:00 UTC',
        '',
        'SERVICE  TEAM  HOLDS  ANSWERED BY',
        'orders   shop  email  connection',
        '',
        'gap  Team data has no client.',
        '',
      ].join('\n'),
    );
  });

  it('prints JSON alone with --json', async () => {
    const result = await habeas(['map', '--json', '--team', 'nobody']);
    expect(result.json()).toMatchObject({ services: [], gaps: [{ service: 'analytics' }] });
    expect(result.notes).toBe('');
  });
});

describe('habeas request', () => {
  it('makes a request, shows it, lists it, and never prints whom it is about', async () => {
    const made = await habeas(['request', 'erase', '--email', 'ada@example.org', '--dry-run', '--json']);
    expect(made.exit).toBe(0);
    const { id } = made.json() as { id: string };
    expect(made.json()).toMatchObject({ right: 'erasure', dry_run: true, identity_types: ['email'] });
    const shown = await habeas(['request', 'show', id]);
    expect(shown.out).toContain(`Request ${id}`);
    expect(shown.out).toMatch(/^state +received$/m);
    expect(shown.out).toMatch(/^shop {2}· collect$/m);
    const listed = await habeas(['request', 'list']);
    expect(listed.out).toContain(id);
    for (const { out, notes } of [made, shown, listed]) expect(out + notes).not.toContain('ada@');
  });

  it('reads an address from standard input, and sends identities whose value holds anything', async () => {
    const piped = await habeas(
      ['request', 'access', '--email', '-', '--identity', "user_id=a='; drop table x", '--json'],
      { input: 'ada@example.org\n' },
    );
    expect(piped.json()).toMatchObject({ right: 'access', identity_types: ['email', 'user_id'] });
  });

  it('gives the same request again for the same idempotency key', async () => {
    const ask = ['request', 'access', '--email', 'a@example.org', '--idempotency-key', 'k-1', '--json'];
    const [first, second] = [await habeas(ask), await habeas(ask)];
    expect(second.json()).toEqual(first.json());
  });

  it('asks whom it is about, without repeating what was given wrongly', async () => {
    const nobody = await habeas(['request', 'access']);
    expect([nobody.exit, nobody.notes]).toEqual([2, expect.stringContaining('--email')]);
    const wrong = await habeas(['request', 'access', '--identity', 'ada@example.org']);
    expect(wrong.exit).toBe(2);
    expect(wrong.notes).not.toContain('ada@');
  });

  it('obeys what a person decides', async () => {
    const { id } = (await habeas(['request', 'access', '--email', 'a@b.c', '--json'])).json() as {
      id: string;
    };
    const out = [];
    for (const argv of [
      ['hold', id, '--reason', 'court'],
      ['release', id],
      ['approve', id],
      ['cancel', id, '--reason', 'asked'],
    ]) {
      out.push((await habeas(['request', ...argv])).out);
    }
    expect(out).toEqual(
      ['held', 'running', 'running', 'cancelled'].map((state) => `Request ${id} is ${state}.\n`),
    );
    const skipped = await habeas(['request', 'skip', id, 'collect:shop', '--reason', 'gone']);
    expect(skipped.out).toBe('collect:shop is skipped.\n');
    const unknown = await habeas(['request', 'skip', id, 'erase:none', '--reason', 'gone']);
    expect([unknown.exit, unknown.notes]).toEqual([2, expect.stringContaining('It has: collect:shop')]);
    expect((await habeas(['request', 'retry', id])).out).toBe(`No task of request ${id} is blocked.\n`);
  });

  it('saves a package that arrived whole, for its owner alone, and over no other file', async () => {
    const bytes = Buffer.from('PK zip '.repeat(50_000));
    const { id } = application.requests.addFinished('acme', bytes);
    const file = join(folder, 'package.zip');
    const saved = await habeas(['package', 'fetch', id, '--output', 'package.zip']);
    expect([saved.exit, saved.out]).toEqual([0, `Saved ${file} (350.0 kB).\n`]);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await habeas(['package', 'fetch', id, '--output', 'package.zip']);
    expect([again.exit, again.notes]).toEqual([2, expect.stringContaining('exists')]);
  });

  it('leaves nothing behind of a package that was damaged on the way', async () => {
    const request = application.requests.addFinished('acme', Buffer.from('abc'));
    const { openPackage } = application.requests;
    application.requests.openPackage = async (caller, id, form) => ({
      ...(await openPackage(caller, id, form)),
      read: async () =>
        (async function* () {
          yield Buffer.from('abd');
        })(),
    });
    const damaged = await habeas(['package', 'fetch', request.id, '--output', 'damaged.zip']);
    application.requests.openPackage = openPackage;
    expect([damaged.exit, damaged.notes]).toEqual([1, expect.stringContaining('SYSTEM_GARBAGE')]);
    expect(() => statSync(join(folder, 'damaged.zip'))).toThrow();
    expect(() => statSync(join(folder, 'damaged.zip.part'))).toThrow();
  });

  it('follows a request until nothing more happens by itself', async () => {
    const { id } = application.requests.addFinished('acme', Buffer.from('zip'));
    const followed = await habeas(['request', 'watch', id]);
    expect([followed.exit, followed.out]).toEqual([0, expect.stringContaining('Completed.')]);
    const held = (await habeas(['request', 'access', '--email', 'a@b.c', '--json'])).json() as { id: string };
    const following = habeas(['request', 'watch', held.id]);
    await habeas(['request', 'hold', held.id, '--reason', 'court']);
    application.publish({ organizationId: 'acme', requestId: held.id, type: 'request.held', data: {} });
    const { exit, out } = await following;
    expect([exit, out]).toEqual([3, expect.stringContaining('On hold: court')]);
  });
});

describe('habeas tickets', () => {
  it('lists tickets without the person, shows one with the person, and closes and rejects', async () => {
    const first = application.requests.addTicket('acme').id;
    const second = application.requests.addTicket('acme').id;
    const listed = await habeas(['tickets']);
    expect(listed.out).toContain(first);
    expect(listed.out).not.toContain('ada@');
    expect((await habeas(['tickets', 'show', first])).out).toMatch(/^email +ada@example\.org$/m);
    expect((await habeas(['tickets', 'close', first, '--note', 'done', '--count', '3'])).out).toContain(
      'is closed',
    );
    expect((await habeas(['tickets', 'reject', second, '--reason', 'no'])).out).toContain('is rejected');
    expect((await habeas(['tickets', 'close', first])).exit).toBe(2);
  });
});

describe('habeas clients, plan and audit', () => {
  it('approve an address', async () => {
    expect((await habeas(['clients'])).out).toContain('http 127.0.0.1:1338');
    expect((await habeas(['clients', 'approve', 'cli_1'])).out).toBe(
      '127.0.0.1:1338 of team growth is approved.\n',
    );
  });

  it('print the keys that services trust', async () => {
    expect((await habeas(['client', 'keys'])).out).toBe(`${TEST_PUBLIC_KEY}\n`);
  });

  it('show a plan, and ask which', async () => {
    expect((await habeas(['plan', 'erase'])).out).toContain('Erasure: 0 steps on 0 systems');
    expect((await habeas(['plan'])).exit).toBe(2);
    expect((await habeas(['plan', 'destroy'])).exit).toBe(2);
  });

  it('list audit entries about one id', async () => {
    const entry = { organizationId: 'acme', actor: 'system', action: 'request.received', subject: 'req_9' };
    await appendAudit(database.db, [{ ...entry, details: { tasks: 2 } }], new Date('2026-03-01T12:00:00Z'));
    expect((await habeas(['audit', '--subject', 'req_9'])).out).toBe(
      ['2026-03-01 12:00:00  request.received  by system', '                     req_9 tasks=2', ''].join(
        '\n',
      ),
    );
  });
});

describe('habeas keys', () => {
  it('makes a key that is printed once, lists keys without them, and revokes one', async () => {
    const made = await habeas(['keys', 'create', 'nightly job', '--expires', '2099-01-31']);
    expect(made.out).toMatch(
      /^Key key_\S+, shown this once; .* it expires at 2099-02-01 00:00:00 UTC:\n\n {2}HABEAS_API_KEY=habeas_/,
    );
    const id = /^Key (\S+),/.exec(made.out)?.[1] ?? '';
    const listed = await habeas(['keys']);
    expect(listed.out).toMatch(
      /^key_\S+ +nightly job +owner +\d{4}-\d\d-\d\d +valid until 2099-02-01 00:00:00$/m,
    );
    expect(listed.out).not.toContain('habeas_');
    expect((await habeas(['keys', 'revoke', id])).out).toBe(`Key ${id} is revoked.\n`);
    expect((await habeas(['keys', 'list'])).out).toMatch(/ revoked 2026-03-01$/m);
    expect((await habeas(['keys', 'revoke', 'key_none'])).exit).toBe(2);
  });

  it('asks for a time that is one', async () => {
    for (const when of ['tomorrow', '2099-13-01', '2099-01-31T12:00:00', '9']) {
      const wrong = await habeas(['keys', 'create', 'x', '--expires', when]);
      expect([when, wrong.exit, wrong.notes]).toEqual([when, 2, expect.stringContaining('like 90d')]);
    }
    const days = (await habeas(['keys', 'create', 'x', '--expires', '90d', '--json'])).json() as {
      expires_at: string;
    };
    expect((new Date(days.expires_at).getTime() - Date.now()) / 86_400_000).toBeCloseTo(90, 1);
  });
});

describe('the way a command ends', () => {
  it('tells wrong input, a refused key, an unreachable server and a stranger apart', async () => {
    expect((await habeas(['nonsense'])).exit).toBe(2);
    expect((await habeas(['map', '--nonsense'])).exit).toBe(2);
    expect((await habeas(['request', 'show', 'req_none'])).exit).toBe(2);
    expect((await habeas(['map', '--url', 'ftp://x'])).exit).toBe(2);
    const refused = await habeas(['map', '--key', 'wrong-key']);
    expect([refused.exit, refused.notes]).toEqual([5, expect.stringContaining('UNAUTHENTICATED')]);
    expect(refused.notes).not.toContain('wrong-key');
    const closed = await habeas(['map', '--url', 'http://127.0.0.1:9']);
    expect([closed.exit, closed.notes]).toEqual([4, expect.stringContaining('SERVER_UNREACHABLE')]);
    const stranger = createServer((_request, response) => response.writeHead(404).end('<html>'));
    await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done));
    const address = stranger.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const other = await habeas(['map', '--url', `http://127.0.0.1:${port}`]);
    stranger.close();
    expect([other.exit, other.notes]).toEqual([1, expect.stringContaining('is not a Habeas server')]);
  });

  it('tells who has no key, or a wrong one, where a key comes from', async () => {
    for (const argv of [
      ['map'],
      ['plan', 'access'],
      ['request', 'list'],
      ['clients'],
      ['audit'],
      ['tickets'],
    ]) {
      const none = await runHabeas(argv, { url, folder });
      expect([argv, none.exit, none.notes]).toEqual([
        argv,
        5,
        expect.stringMatching(/none was given\. Set HABEAS_API_KEY .*`habeas serve --new-key`/),
      ]);
    }
    const wrong = await habeas(['map'], { key: 'wrong-key' });
    expect([wrong.exit, wrong.notes]).toEqual([5, expect.stringContaining('Correct HABEAS_API_KEY')]);
    expect(wrong.notes).toContain('`habeas serve --new-key`');
  });

  it('says of what nobody expected where its cause is to be found', async () => {
    const { mapJson } = application.map;
    Object.assign(application.map, { mapJson: () => Promise.reject(new Error('canary')) });
    const failed = await habeas(['map']);
    const debugged = await habeas(['map'], { environment: { HABEAS_DEBUG: '1' } });
    Object.assign(application.map, { mapJson });
    expect([failed.exit, failed.notes]).toEqual([1, expect.stringMatching(/under \S+\.\n/)]);
    expect(failed.notes).toContain('HABEAS_DEBUG=1');
    expect(failed.notes).toContain('standard error of `habeas serve`');
    expect(failed.notes).not.toContain('canary');
    expect(debugged.notes).toMatch(/HabeasError: .*\n +at /);

    const local = await runHabeas(['serve', '--port', '0'], {
      folder,
      environment: { DATABASE_URL: database.url },
    });
    expect([local.exit, local.notes]).toEqual([1, expect.stringContaining('HABEAS_DEBUG=1')]);
    expect(local.notes).not.toContain('under the given id');
  });

  it('lists the states that there are for one that there is not, without asking the server', async () => {
    const nowhere = { url: 'http://127.0.0.1:9' };
    const request = await habeas(['request', 'list', '--state', 'foo'], nowhere);
    expect([request.exit, request.notes]).toEqual([
      2,
      expect.stringContaining('blocked, completed, rejected'),
    ]);
    const ticket = await habeas(['tickets', 'list', '--state', 'foo'], nowhere);
    expect([ticket.exit, ticket.notes]).toEqual([2, expect.stringContaining('open, closed, rejected')]);
  });

  it('sends the key to no other address that the server names', async () => {
    const keys: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      keys.push(request.headers.authorization);
      response.end('{}');
    });
    await new Promise<void>((done) => elsewhere.listen(0, '127.0.0.1', done));
    const address = elsewhere.address();
    const target = typeof address === 'object' ? `http://127.0.0.1:${address?.port}/` : '';
    const server = createServer((_request, response) => response.writeHead(307, { location: target }).end());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const own = server.address();
    const result = await habeas([
      'map',
      '--url',
      `http://127.0.0.1:${typeof own === 'object' ? own?.port : 0}`,
    ]);
    elsewhere.close();
    server.close();
    expect([result.exit, keys]).toEqual([4, []]);
  });

  it('is 0 for --help, which lists every command and exit code', async () => {
    const help = await habeas(['--help']);
    expect(help.exit).toBe(0);
    for (const word of ['map', 'plan', 'request', 'tickets', 'clients', 'audit', 'Exit codes', '130']) {
      expect(help.out).toContain(word);
    }
    expect((await habeas(['--version'])).out).toBe('0.0.0-test\n');
  });

  it('is 130 when the user interrupts', async () => {
    const { id } = (await habeas(['request', 'access', '--email', 'a@b.c', '--json'])).json() as {
      id: string;
    };
    const controller = new AbortController();
    const following = habeas(['request', 'watch', id], { signal: controller.signal });
    controller.abort();
    expect((await following).exit).toBe(130);
  });
});
