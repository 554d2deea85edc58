import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { verifyStandardWebhook } from '../packages/server/src/access/index.ts';
import { fileSigning } from '../packages/server/src/cli/check-signing.ts';
import { loadMasterKey } from '../packages/server/src/foundation/index.ts';
import { eventually } from '../packages/server/test/eventually.ts';
import { servePages } from '../packages/server/test/page-server.ts';
import { readZip } from '../packages/server/test/read-zip.ts';
import { requireProgram } from '../packages/server/test/requirements.ts';
import { markOf, readPage } from './snippets/pages.ts';
import { type SmallCompany, startSmallCompany, withPorts } from './snippets/small-company.ts';
import { runShell, type Stage, tellStory } from './snippets/story.ts';

// One small company, as a reader builds it: each page goes on where the one before ended. The order is that of `TOLD`.

// Servers start and stop; on a busy machine that takes a while.
/** Pages call the API with curl, as most readers have it, and go on where the page before ended. */
const withCurl = it.skipIf(requireProgram('curl', '--version') === undefined);

let company: SmallCompany;

beforeAll(async () => {
  company = await startSmallCompany();
});

afterAll(async () => {
  await company[Symbol.asyncDispose]();
});

it('README.md connects a first database and a first service, and asks both', async () => {
  const story = tellStory('README.md', company);
  const drafted = await story.run('first database', {
    instead: { "'postgres://habeas:secret@db.internal/shop'": `'${company.shopUrl}'` },
  });
  expect(drafted.out).toContain('Wrote habeas.yaml and datasets/shop.yml');
  expect(drafted.out).toContain('1 dataset');
  expect(drafted.out).toMatch(/HABEAS_API_KEY=habeas_\w+/);

  await company.start(story.next('first service').text, {}, company.ports['1337']);
  company.configure(parse(withPorts(story.next('first service, into habeas.yaml').text, company.ports)));
  await company.shell('habeas check && habeas serve');

  const { out } = await story.run('requests');
  expect(story.left()).toEqual([]);
  expect(out).toMatch(/^accounts +web +email +client$/m);
  expect(out).toMatch(/^shop +shop +connection$/m);
  const files = readZip(readFileSync(join(company.folder, 'package.zip')));
  expect(JSON.parse(String(files.get('data/accounts/users.json')))).toEqual([
    { email: 'ada@example.org', name: 'Ada' },
  ]);
  expect(JSON.parse(String(files.get('data/shop/customers.json')))).toMatchObject([
    { email: 'ada@example.org', name: 'Ada' },
  ]);
  expect(JSON.parse(String(files.get('data/shop/orders.json')))).toHaveLength(2);

  const customers = await company.query('select id, email, name from customers order by id');
  expect(customers).toEqual([
    { id: 1, email: expect.stringMatching(/^erased-[0-9a-f]+$/), name: null },
    { id: 2, email: 'bob@example.org', name: 'Bob' },
    { id: 3, email: 'cy@example.org', name: 'Cy' },
  ]);
  expect(
    await company.query(
      'select count(*)::int as addresses from orders where customer_id = 1 and address is not null',
    ),
  ).toEqual([{ addresses: 0 }]);
  const again = await company.json('habeas request access --email ada@example.org --watch --json');
  expect(again).toMatchObject({ state: 'completed', matched: false });
  const bob = await company.json('habeas request access --email bob@example.org --watch --json');
  expect(bob).toMatchObject({ state: 'completed', matched: true });
});

withCurl('docs/connect-a-service.md answers, checks, declares and approves services', async () => {
  const page = readPage('docs/connect-a-service.md');
  const story = tellStory(page.path, company);
  const signing = await fileSigning(join(company.folder, '.habeas', 'client-check-key.json'));
  const trusted = { HABEAS_PUBLIC_KEY: signing.publicKey };
  const { '1338': port, '1339': mailer } = company.ports;
  await company.start('PORT=$PORT exec node over-http.mjs', { ...trusted, PORT: port }, port);
  const token = await signing.signToken({ audience: 'accounts', requestId: 'req_1', method: 'Get' });
  const asked = await story.run('connect', { instead: { '1338': port }, given: { TOKEN: token } });
  const shown = page.snippets.find((snippet) => markOf(snippet, 'answer') === 'connect');
  const told = JSON.parse(shown?.text ?? '');
  expect(JSON.parse(asked.out)).toEqual({
    ...told,
    operation: { ...told.operation, name: expect.any(String) },
  });
  const checked = await story.run('connect', { instead: { '1338': port } });
  expect(checked.out).toMatch(/✓ 24 cases passed, 7 skipped/);

  const grpc = company.ports['1340'];
  await company.start('exec node over-grpc.mjs', { ...trusted, PORT: grpc }, grpc);
  const overGrpc = await company.shell(
    `habeas clients check localhost:${grpc} --service accounts --identity email=ada@example.org`,
  );
  expect(overGrpc).toMatch(/✓ 24 cases passed, 7 skipped/);

  const clients =
    'store{team="growth",service="mailer",data_type="email"} 1\n' +
    `client{team="growth",service="mailer",address="localhost:${mailer}",protocol="grpc"} 1\n`;
  company.metrics.text = clients;
  company.configure({
    map: {
      scrape: [{ url: `http://localhost:${company.ports['1337']}/metrics` }, { url: company.metrics.url }],
    },
    networks: { allow_private: ['127.0.0.0/8', '::1'] },
  });
  await company.shell('habeas serve');
  const publicKey = (await company.shell('habeas clients keys')).trim();
  await company.start('exec node packages/sdk/examples/mailer.ts', { HABEAS_PUBLIC_KEY: publicKey }, mailer);
  const proposed = (await company.json('habeas clients list --json')).items.find(
    (client: { readonly state: string }) => client.state === 'proposed',
  );
  await story.run('connect, a new client', { given: { CLIENT: proposed.id } });
  expect(story.left()).toEqual([]);

  const plan = await company.json('habeas plan erase --json');
  const keys = plan.tasks.map((task: { readonly key: string }) => task.key);
  expect(keys).toEqual(expect.arrayContaining(['erase:mailer', 'verify:mailer']));
  const request = await company.json('habeas request erase --email ada@example.org --watch --json');
  const erased = request.task_list.find((task: { readonly key: string }) => task.key === 'erase:mailer');
  expect(request.state).toBe('completed');
  expect(erased.evidence).toMatchObject({
    counts: { mails: 1 },
    retained: [{ collection: 'invoices', count: 1, until: '2036-12-31T00:00:00.000Z' }],
    residuals: [{ what: 'nightly backup' }],
  });
  expect(Date.parse(request.residual_until)).toBeGreaterThan(Date.now() + 29 * 86_400_000);
});

withCurl('docs/requests.md plans, asks, decides, unblocks, closes tickets and proves', async () => {
  const story = tellStory('docs/requests.md', company);
  rmSync(join(company.folder, 'package.zip'));
  const made = await story.run('requests');
  expect(made.out).toContain('gate:keys');
  expect((await company.query("select 1 from customers where email = 'bob@example.org'")).length).toBe(0);

  writeFileSync(join(company.folder, 'policy.yml'), story.next('requests, policy.yml').text);
  company.configure({ policy: 'policy.yml' });
  await company.shell('habeas serve');
  const { id: approving, state } = await company.json('habeas request erase --email cy@example.org --json');
  expect(state).toBe('approving');
  const decided = await story.run('requests, approving', { given: { REQUEST: approving } });
  expect(decided.out.match(/(?<=is )\w+(?=\.)/g)).toEqual(['waiting', 'held', 'waiting', 'cancelled']);

  company.configure({ policy: undefined });
  company.metrics.text += 'store{team="data",service="analytics",data_type="email"} 1\n';
  await company.shell('habeas serve');
  await company.query('alter table orders rename to orders_away');
  const { id: blocked } = await company.json('habeas request erase --email cy@example.org --json');
  const stateOf = async (id: string) => (await company.json(`habeas request show ${id} --json`)).state;
  await eventually('the request is blocked', async () => (await stateOf(blocked)) === 'blocked');
  await company.query('alter table orders_away rename to orders');
  const retried = await story.run('requests, blocked', { given: { REQUEST: blocked } });
  expect(retried.out).toMatch(/SCHEMA_MISMATCH[\s\S]*"orders" does not exist/);
  expect(retried.out).toMatch(/^resolve:shop is (ready|running)\.$/m);
  await ticketOf(blocked);
  await story.run('requests, blocked', { given: { REQUEST: blocked } });
  await eventually('the request is completed', async () => (await stateOf(blocked)) === 'completed');
  expect(await company.query("select 1 from customers where email = 'cy@example.org'")).toEqual([]);

  const { id: access } = await company.json('habeas request access --email eve@example.org --json');
  const handled = await story.run('requests, a ticket', { given: { TICKET: await ticketOf(access) } });
  expect(handled.out).toContain('eve@example.org');
  expect(handled.out).toContain('is closed');

  const given = { REQUEST: blocked };
  const receipt = await story.run('requests, a receipt', { given });
  expect(receipt.out).toContain('of the audit log has its hash');

  const audited = await story.run('requests, a receipt', { given });
  expect(audited.out).toContain('request.completed');
  expect(story.left()).toEqual([]);
});

withCurl('docs/verify.md verifies a receipt, that the log only grew, and the whole log', async () => {
  const story = tellStory('docs/verify.md', company);
  const { items } = await company.json('habeas request list --right erasure --state completed --json');
  await story.run('verify');
  const verified = await story.run('verify', { given: { REQUEST: items[0].id } });
  expect(verified.out).toMatch(/inclusion: the entry is number \d+ of the log[\s\S]*\nVerified\.\n$/);
  const alone = await story.run('verify');
  expect(alone.out).toMatch(/ok {4}inclusion: .*\nverified\n$/);
  const file = join(company.folder, 'receipt.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"assurance": "verified"', '"assurance": "attested"'));
  for (const line of [
    'habeas verify receipt.json --trust trust.txt',
    'node habeas-verify.mjs receipt.json trust.txt',
  ])
    await expect(company.shell(line)).rejects.toThrow('NOT verified');
  await story.run('verify');
  await company.json('habeas request access --email eve@example.org --json');
  expect((await story.run('verify')).out).toContain('Verified.');
  expect((await story.run('verify')).out).toMatch(/\d+ entries recomputed/);
  expect(story.left()).toEqual([]);
});

withCurl('docs/api.md makes a request', async () => {
  const story = tellStory('docs/api.md', company);
  const request = JSON.parse((await story.run('the API')).out);
  expect(request).toMatchObject({ right: 'access', identity_types: ['email'] });
  const { items } = await company.json('habeas request list --right access --json');
  expect(items[0].id).toBe(request.id);
  expect(story.left()).toEqual([]);
});

it('docs/sign-in.md lets people in', async () => {
  const story = tellStory('docs/sign-in.md', company);
  const { out } = await story.run('members');
  expect(out).toMatch(/^mem_\w+ +dpo@acme\.example +officer +all +invitation +never/m);
  expect(out).toMatch(/^mem_\w+ +ada@acme\.example +member +web +invitation +never/m);
  const [member] = (await company.json('habeas members --json')).items;
  const changed = await company.json(`habeas members change ${member.id} --role auditor --team web --json`);
  expect(changed).toMatchObject({ id: member.id, role: 'auditor', teams: ['web'] });
  expect(await company.json(`habeas members change ${member.id} --all-teams --json`)).toMatchObject({
    teams: null,
  });
  expect(await company.json(`habeas members remove ${member.id} --json`)).toEqual({ id: member.id });
  expect((await company.json('habeas members --json')).items).toHaveLength(1);
  expect(story.left()).toEqual([]);
});

withCurl('docs/operate.md looks, starts, makes keys, and brings a backup back', async () => {
  const story = tellStory('docs/operate.md', company);
  const started = await story.run('operate');
  expect(started.out).toMatch(/ok +connection shop/);
  const key = await story.run('operate', { lastly: 'printf %s "$HABEAS_MASTER_KEY"' });
  expect(
    loadMasterKey({ dataDir: company.folder, environment: { HABEAS_MASTER_KEY: key.out } }),
  ).toHaveLength(32);
  const made = await story.run('operate');
  expect(made.out).toMatch(/HABEAS_API_KEY=habeas_\w+\n/);
  expect(made.out).toMatch(/nightly job +owner +[\d-]+ +valid until/);
  const before = company.host.known.HABEAS_API_KEY;
  await story.run('operate');
  expect(company.host.known.HABEAS_API_KEY).not.toBe(before);
  const lesser = await story.run('operate', { lastly: 'habeas keys' });
  expect(lesser.out).toMatch(/office wall +auditor /);
  expect(lesser.out).toMatch(/web tickets +member \(web\) /);
  await company.host.stopServing();

  const folder = mkdtempSync(join(tmpdir(), 'habeas-backup-'));
  // As root the embedded server runs as another user, who has to get here.
  chmodSync(folder, 0o755);
  const first = { ...company, folder: join(folder, 'first') };
  const second = { ...company, folder: join(folder, 'second') };
  for (const stage of [first, second]) mkdirSync(stage.folder);
  const embedded = { DATABASE_URL: '', SHOP_DATABASE_URL: '' };
  try {
    const run = async (line: string, stage: Stage) => {
      const { out, notes, exit } = await runShell(line, stage, embedded);
      expect([exit, notes]).toEqual([0, expect.any(String)]);
      return out;
    };
    await run('habeas serve', first);
    const { id } = JSON.parse(
      await run('habeas request access --email ada@example.org --watch --json', first),
    );
    await company.host.stopServing();
    await run(story.next('operate, a backup').text, first);
    await run('tar --extract --file ../first/habeas-backup.tar.gz && habeas serve', second);
    const restored = JSON.parse(await run(`habeas package fetch ${id} --output package.zip --json`, second));
    expect(restored).toMatchObject({ bytes: expect.any(Number) });
    // The figures are on the page after the backup; the restored server has them like any other.
    const figures = await story.run('operate');
    expect(figures.out).toContain('"status":"ok"');
    expect(figures.out).toMatch(/^habeas_http_requests_total\{/m);
    expect(story.left()).toEqual([]);
  } finally {
    await company.host.stopServing();
    rmSync(folder, { recursive: true });
  }
});

it('docs/examples/report-end.mjs signs a report as Habeas checks it', async () => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const verdicts: boolean[] = [];
  await using server = await servePages(async (request, response) => {
    const message = { secret, headers: request.headers, body: await text(request), now: new Date() };
    verdicts.push(verifyStandardWebhook(message).valid);
    response.writeHead(204).end();
  });
  const { reportEnd } = await import(join(company.folder, 'report-end.mjs'));
  const report = { operation: 'op_1', idempotencyKey: 'tsk_1.1', state: 'SUCCEEDED' };
  expect(await reportEnd({ ...report, callback: { url: server.url, secret } })).toBe(true);
  await reportEnd({ ...report, callback: { url: server.url, secret: 'whsec_AAAA' } });
  expect(verdicts).toEqual([true, false]);
});

/** The ticket of a request, as soon as it is open. */
async function ticketOf(requestId: string): Promise<string> {
  const look = async (): Promise<string | undefined> => {
    const { items } = await company.json('habeas tickets list --state open --json');
    return items.find((ticket: { readonly request_id: string }) => ticket.request_id === requestId)?.id;
  };
  await eventually('the ticket is open', async () => (await look()) !== undefined);
  return (await look()) ?? '';
}
