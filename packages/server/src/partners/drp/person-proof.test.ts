import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeIn } from '../../../test/asking-house.ts';
import { type AgentStatus, DrpAgent } from '../../../test/drp-agent.ts';
import { eventually } from '../../../test/eventually.ts';
import { type MailServer, receiveMails } from '../../../test/mail-server.ts';
import { BUSINESS, type PartnerWorld, startPartnerWorld } from '../../../test/partner-world.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { receiveWebhooks } from '../../../test/webhook-receiver.ts';
import { signStandardWebhook } from '../../access/index.ts';

const browserProgram = requireProgram('chromium', '--version');

const PUBLIC = 'https://habeas.acme.example';
const NEED = { status: 'in_progress', reason: 'need_user_verification' };

async function open(drp: object = {}, intake: object = {}) {
  const mail = await receiveMails();
  const world = await startPartnerWorld({
    drp: { ...drp },
    more: {
      notify: { smtp: { url: `smtp://127.0.0.1:${mail.port}`, from: 'privacy@acme.example' } },
      intake,
      people: { name: 'ACME' },
    },
  });
  const agent = new DrpAgent('CONSUMER_AGENT', { url: world.url, business: BUSINESS });
  const agents = [agent.entry([world.callbackOrigin])];
  expect((await world.api('POST', '/api/v1/partners/agents', { agents })).status).toBe(200);
  expect(await agent.setUp()).toBe(200);
  return { mail, world, agent };
}

describe('a person of whom an agent has verified nothing', () => {
  let world: PartnerWorld;
  let mail: MailServer;
  let agent: DrpAgent;
  beforeAll(async () => {
    ({ world, mail, agent } = await open());
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await mail[Symbol.asyncDispose]();
  });

  const mailsTo = (address: string) => mail.mails.filter(({ to }) => to.includes(address));
  async function codeFor(address: string, count = 1): Promise<string> {
    await eventually(`${count} mails to ${address}`, () => mailsTo(address).length >= count);
    const newest = mailsTo(address)[count - 1];
    if (newest === undefined) throw new Error('There is no mail.');
    return codeIn(newest);
  }
  async function ask(content: object): Promise<AgentStatus> {
    const answer = await agent.exercise(content);
    expect(answer.status).toBe(200);
    return (await answer.json()) as AgentStatus;
  }
  /** As the agent sends the person there; the public address is that of the proxy, which this test stands for. */
  function pageOf({ request_id, user_verification_url }: AgentStatus, query: Record<string, string> = {}) {
    const url = new URL(user_verification_url ?? '');
    expect(url.origin).toBe(PUBLIC);
    for (const [name, value] of Object.entries({ request_id, ...query })) url.searchParams.set(name, value);
    return new URL(`${url.pathname}${url.search}`, world.url);
  }
  const act = (url: URL, fields: Record<string, string>) =>
    fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
  const prove = (url: URL, code: string) => act(url, { act: 'prove', code });
  const other = (code: string) => String((Number(code) + 1) % 100_000_000).padStart(8, '0');
  const requests = async () => {
    const answer = await world.api('GET', '/api/v1/requests?limit=500');
    return ((await answer.json()) as { items: { id: string; state: string }[] }).items;
  };
  const becomes = (made: AgentStatus, status: string) =>
    eventually(`it is ${status}`, async () => (await agent.statusOf(made.request_id)).status === status);

  it('proves here that they want it, and only then it is carried out', async () => {
    const seen = world.receiver.messages.length;
    const back = `${world.callbackOrigin}/thanks?case=7`;
    const made = await ask({
      email: 'cid@example.com',
      email_verified: false,
      status_callback: `${world.callbackOrigin}/update_status`,
    });
    expect(made).toMatchObject({ ...NEED, expires_at: expect.stringMatching(/\+00:00$/) });
    const url = pageOf(made, { redirect_to: back });
    const page = await fetch(url, { headers: { 'accept-language': 'en' } });
    const html = await page.text();
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(html).toContain('Agent CONSUMER_AGENT turned to ACME in your name, for the erasure of your');
    expect(html).not.toContain('cid@');
    const code = await codeFor('cid@example.com');
    expect(mailsTo('cid@example.com')).toHaveLength(1);
    const wrong = await prove(url, other(code));
    expect([wrong.status, await wrong.text()]).toEqual([200, expect.stringContaining('The code is wrong')]);
    // Nothing is looked up or planned before.
    const [request] = await requests();
    expect(request?.state).toBe('verifying');
    expect((await world.api('GET', `/api/v1/requests/${request?.id}/plan`)).status).toBe(409);
    expect(await world.emails()).toContain('cid@example.com');
    const proved = await prove(url, ` ${code.slice(0, 4)} ${code.slice(4)} `);
    expect([proved.status, proved.headers.get('location')]).toEqual([303, back]);
    await becomes(made, 'fulfilled');
    expect(await world.emails()).not.toContain('cid@example.com');
    const told = () => world.receiver.messages.slice(seen).map(({ body }) => JSON.parse(body) as AgentStatus);
    await eventually('the agent is told', () => told().some(({ status }) => status === 'fulfilled'));
    expect(told().every(({ status }) => status === 'in_progress' || status === 'fulfilled')).toBe(true);
    expect(told().at(-1)).not.toHaveProperty('user_verification_url');
    expect(await (await fetch(url)).text()).toContain('It is proved that you ask for this');
    // The agent tells them the rest.
    expect(mailsTo('cid@example.com')).toHaveLength(1);
  });

  it.skipIf(browserProgram === undefined)(
    'proves it in a browser by keyboard alone, and is back with the agent',
    async () => {
      world.receiver.answer = (response, { path }) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end(`<title>${path}</title>`);
      const made = await ask({ email: 'jo@example.com' });
      const url = pageOf(made, { redirect_to: `${world.callbackOrigin}/welcome`, lang: 'de' });
      const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        const problems: string[] = [];
        page.on('console', (message) => problems.push(message.text()));
        await page.goto(url.href);
        expect(await page.title()).toBe('Kommt diese Anfrage von Ihnen?');
        await page.evaluate(axe.source);
        const { violations } = (await page.evaluate('axe.run(document)')) as { violations: { id: string }[] };
        expect(violations.map(({ id }) => id)).toEqual([]);
        await page.keyboard.press('Tab');
        await page.keyboard.type(other(await codeFor('jo@example.com')));
        await page.keyboard.press('Enter');
        await page.waitForSelector('[role=alert]');
        await page.fill('#code', await codeFor('jo@example.com'));
        await page.keyboard.press('Enter');
        await page.waitForURL(`${world.callbackOrigin}/welcome`);
        expect(problems).toEqual([]);
      } finally {
        await browser.close();
      }
      await eventually(
        'it is proved',
        async () => (await agent.statusOf(made.request_id)).reason !== NEED.reason,
      );
    },
  );

  it('goes back to no address that the agent was not approved for', async () => {
    const made = await ask({ email: 'stranger@example.com' });
    const url = pageOf(made, { redirect_to: 'https://elsewhere.example/' });
    expect(await (await fetch(url)).text()).not.toContain('elsewhere.example/"');
    const proved = await prove(url, await codeFor('stranger@example.com'));
    expect([proved.status, proved.headers.get('location')]).toEqual([200, null]);
    expect(await proved.text()).toContain('It is proved that you ask for this');
    await eventually(
      'it is denied',
      async () => (await agent.statusOf(made.request_id)).reason === 'no_match',
    );
  });

  it('sees nothing by the address of another request, another agent or a request that needs no proof', async () => {
    const made = await ask({ email: 'eve@example.com' });
    const another = await ask({ email: 'mallory@example.com' });
    const verified = await ask({ email: 'oscar@example.com', email_verified: true });
    const own = pageOf(made);
    const wrong = [
      pageOf({ ...made, request_id: another.request_id }),
      new URL(own.href.replace('CONSUMER_AGENT', 'NOBODY')),
      new URL(own.href.replaceAll(made.request_id, verified.request_id)),
      new URL(own.href.replaceAll(made.request_id, '00000000-0000-4000-8000-000000000000')),
    ];
    for (const url of wrong) {
      const page = await fetch(url);
      expect([page.status, await page.text()]).toEqual([404, expect.not.stringContaining('CONSUMER_AGENT')]);
      expect((await prove(url, '12345678')).status).toBe(404);
    }
    expect((await fetch(own)).status).toBe(200);
  });

  it('has another code sent, which makes the former one invalid', async () => {
    const made = await ask({ email: 'ann@example.com', exercise: 'access' });
    const url = pageOf(made);
    const first = await codeFor('ann@example.com');
    const sent = await act(url, { act: 'send-code' });
    expect(await sent.text()).toContain('Another code is on its way');
    const second = await codeFor('ann@example.com', 2);
    if (first !== second) expect(await (await prove(url, first)).text()).toContain('The code is wrong');
    expect(await (await prove(url, second)).text()).toContain('It is proved');
    await becomes(made, 'fulfilled');
  });

  it('is asked once, however often the same message comes, also at the same time', async () => {
    const before = (await requests()).length;
    const message = agent.signed({ email: 'crowd@example.com', 'agent-request-id': 'crowd' });
    const send = () => agent.send('POST', '/v1/data-rights-request', message);
    const answers = await Promise.all(Array.from({ length: 8 }, send));
    const made = await Promise.all(answers.map(async (answer) => (await answer.json()) as AgentStatus));
    const again = (await (await send()).json()) as AgentStatus;
    expect(new Set([...made, again].map((one) => JSON.stringify([one.request_id, one.reason]))).size).toBe(1);
    expect((await requests()).length).toBe(before + 1);
    await codeFor('crowd@example.com');
    // With another content it is another request, under an id that is taken.
    const changed = await agent.exercise({ email: 'other@example.com', 'agent-request-id': 'crowd' });
    expect(changed.status).toBe(422);
    expect((await requests()).length).toBe(before + 1);
    expect(mailsTo('crowd@example.com')).toHaveLength(1);
  });

  it('has nothing more to prove when the agent verifies them after all', async () => {
    const content = { email: 'bob@example.com', exercise: 'access', 'agent-request-id': 'later' };
    const made = await ask(content);
    const foreign = await agent.exercise({ ...content, email: 'cid@example.com', email_verified: true });
    expect(foreign.status).toBe(409);
    const another = await agent.exercise({ ...content, exercise: 'deletion', email_verified: true });
    expect(another.status).toBe(422);
    expect(await agent.statusOf(made.request_id)).toMatchObject(NEED);
    const vouched = await ask({ ...content, email_verified: true });
    expect([vouched.request_id, vouched.reason]).toEqual([made.request_id, undefined]);
    await becomes(made, 'fulfilled');
  });

  it('is refused by an officer: insuf_verification, unless a word of the protocol says why', async () => {
    for (const [reason, told] of [
      ['the passport is of another person', 'insuf_verification'],
      ['outside_jurisdiction', 'outside_jurisdiction'],
    ] as const) {
      const made = await ask({ email: 'dora@example.com' });
      const [request] = await requests();
      const answer = await world.api('POST', `/api/v1/requests/${request?.id}:reject`, { reason });
      expect(answer.status).toBe(200);
      expect(await agent.statusOf(made.request_id)).toMatchObject({ status: 'denied', reason: told });
      expect(await (await fetch(pageOf(made))).text()).toContain('This request has ended');
    }
  });

  it('cannot prove what the agent has revoked', async () => {
    const made = await ask({ email: 'fay@example.com' });
    const code = await codeFor('fay@example.com');
    const revoked = await agent.revoke(made.request_id);
    expect([revoked.status, ((await revoked.json()) as AgentStatus).status]).toEqual([200, 'revoked']);
    expect(await (await prove(pageOf(made), code)).text()).toContain('This request has ended');
    expect((await agent.statusOf(made.request_id)).status).toBe('revoked');
  });

  it('is told as revoked, whoever looks meanwhile', async () => {
    for (let turn = 0; turn < 15; turn += 1) {
      const made = await ask({ email: `gil-${turn}@example.com` });
      let isRevoked = false;
      const looking = Array.from({ length: 4 }, async () => {
        while (!isRevoked) await agent.statusOf(made.request_id);
      });
      const revoked = await agent.revoke(made.request_id).finally(() => {
        isRevoked = true;
      });
      await Promise.all(looking);
      expect([revoked.status, ((await revoked.json()) as AgentStatus).status]).toEqual([200, 'revoked']);
      expect((await agent.statusOf(made.request_id)).status).toBe('revoked');
    }
  });

  it('is left to the agent where no code can go, or no mail has words for it', async () => {
    for (const content of [
      { name: 'Ann' },
      { phone_number: '+14155550100' },
      { email: 'gus@example.com', exercise: 'sale:opt-in' },
    ]) {
      const made = await ask(content);
      expect(made).toMatchObject({ ...NEED, user_verification_url: null });
    }
    expect(mailsTo('gus@example.com')).toEqual([]);
  });

  it('leaves no address, code or token in the log, and none in the clear in the database', async () => {
    const made = await ask({ email: 'hal@example.com' });
    const code = await codeFor('hal@example.com');
    await prove(pageOf(made), other(code));
    const tables = ['requests', 'request_identities', 'partner_requests', 'verifications', 'events'];
    const contacts = ['verification_contacts', 'verification_tokens', 'audit_entries', 'idempotency_keys'];
    const { rows } = await world.state.pool.query(
      'select table_name as name from information_schema.tables where table_schema = $1',
      ['habeas'],
    );
    const known = rows.map(({ name }: { name: string }) => name);
    const dumps = [];
    for (const name of [...tables, ...contacts].filter((table) => known.includes(table)))
      dumps.push(JSON.stringify((await world.state.pool.query(`select * from habeas."${name}"`)).rows));
    expect(dumps.length).toBeGreaterThanOrEqual(7);
    expect(dumps.join()).not.toContain('hal@example.com');
    expect(world.log.join('')).not.toMatch(/@example\.com/);
  });
});

it('a person who proves nothing in time ends it as denied, and the agent is told', async () => {
  const { world, mail, agent } = await open({ verification_term: '1s' });
  try {
    const answer = await agent.exercise({
      email: 'ivy@example.com',
      status_callback: `${world.callbackOrigin}/update_status`,
    });
    const made = (await answer.json()) as AgentStatus;
    await eventually('the agent is told', () =>
      world.receiver.messages.some(({ body }) => JSON.parse(body).reason === 'insuf_verification'),
    );
    expect(await agent.statusOf(made.request_id)).toMatchObject({
      status: 'denied',
      reason: 'insuf_verification',
    });
    const { pathname } = new URL(made.user_verification_url ?? '');
    expect(await (await fetch(new URL(pathname, world.url))).text()).toContain('This request has ended');
    const { items } = (await (await world.api('GET', '/api/v1/requests')).json()) as { items: object[] };
    expect(items).toMatchObject([{ state: 'expired' }]);
  } finally {
    await world[Symbol.asyncDispose]();
    await mail[Symbol.asyncDispose]();
  }
});

it('a person whom the back end has questions for answers them on the page', async () => {
  await using backEnd = await receiveWebhooks();
  const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
  const questions = { url: `http://127.0.0.1:${backEnd.port}/people`, secret };
  const { world, mail, agent } = await open({}, { require: ['codes', 'questions'], questions });
  try {
    const made = (await (await agent.exercise({ email: 'ann@example.com' })).json()) as AgentStatus;
    const { pathname } = new URL(made.user_verification_url ?? '');
    const url = new URL(pathname, world.url);
    const act = async (fields: Record<string, string>) =>
      (await fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })).text();
    await eventually('there is a mail', () => mail.mails.length === 1);
    const [first] = mail.mails;
    if (first === undefined) throw new Error('There is no mail.');
    expect(await act({ act: 'prove', code: codeIn(first) })).toContain('There is nothing more for you to do');
    await eventually('the back end is told', () => backEnd.messages.length === 1);
    const { request_id: requestId } = JSON.parse(backEnd.messages[0]?.body ?? '').data;
    const say = async (id: string, message: object) => {
      const body = JSON.stringify(message);
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const answer = await fetch(new URL(`/api/v1/verifications/${requestId}`, world.url), {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': signStandardWebhook({ secret, id, timestamp, body }),
        },
      });
      expect(answer.status).toBe(204);
    };
    const text = 'What was <your> "last" order?';
    await say('msg_1', { outcome: 'ask', questions: [{ key: 'order', text }] });
    const html = await (await fetch(url)).text();
    expect(html).toContain('What was &lt;your&gt; &quot;last&quot; order?');
    expect(html).toContain('name="answer.order"');
    await act({ act: 'answer', 'answer.order': 'a blue lamp' });
    await eventually('the back end is told the answer', () => backEnd.messages.length === 2);
    expect(JSON.parse(backEnd.messages[1]?.body ?? '').data.answers).toEqual({ order: 'a blue lamp' });
    expect(await agent.statusOf(made.request_id)).toMatchObject(NEED);
    await say('msg_2', { outcome: 'refused', reason: 'It was another lamp.' });
    expect(await agent.statusOf(made.request_id)).toMatchObject({ reason: 'insuf_verification' });
  } finally {
    await world[Symbol.asyncDispose]();
    await mail[Symbol.asyncDispose]();
  }
});
