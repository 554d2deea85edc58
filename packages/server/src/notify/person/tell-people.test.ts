import { describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { eventually } from '../../../test/eventually.ts';
import { receiveMails } from '../../../test/mail-server.ts';
import {
  createLogger,
  createOutbound,
  createOutboundPolicy,
  openDatabase,
  systemClock,
} from '../../foundation/index.ts';
import { createEventFeed } from '../feed.ts';
import { notifyMigrations } from '../migrations.ts';
import { publish } from '../outbox.ts';
import { createMailSender } from '../send-mail.ts';
import { loadTemplates } from './load-templates.ts';
import { NO_ADDRESS, personMailsOf } from './person-mails.ts';
import { recordBounce } from './record-bounce.ts';
import { createPeopleTeller, type PeopleToTell } from './tell-people.ts';

const organizationId = 'acme';
const logger = createLogger({ level: 'silent' });
const templates = loadTemplates();

/** Each `request.started` concerns one person with one address. */
const people = (more: Partial<PeopleToTell> = {}): PeopleToTell => ({
  types: ['request.*'],
  mailsOf: async (events) =>
    events
      .filter(({ type }) => type === 'request.started')
      .map(({ id, requestId = '' }) => ({
        organizationId,
        requestId,
        kind: 'started' as const,
        cause: id,
        contact: 'first',
      })),
  compose: async () => ({
    to: 'ada@example.org',
    language: 'de',
    right: 'access',
    values: { due: '1. März 2027' },
  }),
  ...more,
});

interface Setup {
  readonly port: number;
  readonly people?: PeopleToTell;
  readonly giveUp?: number;
}

async function startTeller(database: Pick<TestDatabase, 'db' | 'pool'>, setup: Setup) {
  const feed = createEventFeed({ ...database, logger, pollMilliseconds: 200 });
  const teller = createPeopleTeller({
    ...database,
    organizationId,
    organization: 'ACME',
    feed,
    people: setup.people ?? people(),
    templates,
    sender: createMailSender({
      smtp: { url: `smtp://127.0.0.1:${setup.port}`, from: 'habeas@acme.example' },
      outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) }),
      timeoutMilliseconds: 5_000,
    }),
    clock: systemClock,
    logger,
    retry: { firstMilliseconds: 5, longestMilliseconds: 20 },
    giveUpMilliseconds: setup.giveUp ?? 60_000,
    tryMilliseconds: 50,
  });
  await teller.start();
  return {
    async [Symbol.asyncDispose]() {
      await teller.stop();
      await feed.close();
    },
  };
}

async function happened(database: Pick<TestDatabase, 'db'>, requestId: string, type = 'request.started') {
  await database.db
    .transaction()
    .execute((transaction) =>
      publish(transaction, [{ organizationId, type, requestId, data: {} }], new Date()),
    );
}

const mailsOf = (database: Pick<TestDatabase, 'db'>, requestId: string) =>
  personMailsOf(database.db, { organizationId, requestId });

const inState = (database: Pick<TestDatabase, 'db'>, requestId: string, state: string) =>
  eventually(`the mail of ${requestId} is ${state}`, async () =>
    (await mailsOf(database, requestId)).some((mail) => mail.state === state),
  );

/** What the events say of mails that did not arrive, in their order. */
async function undelivered({ db }: TestDatabase) {
  const events = await db
    .withTables<{ outbox_events: { sequence: number; type: string; data: string } }>()
    .selectFrom('outbox_events')
    .select('data')
    .where('type', '=', 'mail.undelivered')
    .orderBy('sequence')
    .execute();
  return events.map(({ data }): { readonly outcome: string } => JSON.parse(data));
}

describe('telling people', () => {
  it('sends one mail for each event that concerns somebody, in their language, with the address from nowhere but its source', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails();
    await using _ = await startTeller(database, { port: server.port });
    await happened(database, 'req_1');
    await happened(database, 'req_1', 'request.planned');
    await inState(database, 'req_1', 'sent');
    const [mail] = server.mails;
    expect(server.mails).toHaveLength(1);
    expect(mail?.to).toEqual(['ada@example.org']);
    expect(mail?.parsed.subject).toBe('ACME bearbeitet Ihre Anfrage');
    expect(mail?.parsed.text).toContain('bis zum 1. März 2027');
    expect(mail?.parsed.html).toContain('eine Kopie Ihrer personenbezogenen Daten');
    expect(mail?.raw).toMatch(/^Content-Language: de/m);
    expect(mail?.raw).toMatch(/^Auto-Submitted: auto-generated/m);
    expect(JSON.stringify(await mailsOf(database, 'req_1'))).not.toContain('ada@');
  });

  it('sends each mail once, whichever of several processes does it and whenever one of them ends', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails();
    const second = openDatabase({ url: database.url });
    const requests = Array.from({ length: 60 }, (_, index) => `req_${index}`);
    {
      await using _a = await startTeller(database, { port: server.port });
      {
        await using _b = await startTeller(second, { port: server.port });
        for (const id of requests.slice(0, 30)) await happened(database, id);
      }
      for (const id of requests.slice(30)) await happened(database, id);
      for (const id of requests) await inState(database, id, 'sent');
    }
    await second.close();
    const ids = server.mails.map(({ parsed }) => parsed.messageId);
    expect([ids.length, new Set(ids).size]).toEqual([60, 60]);
  });

  it('tries again while the server cannot take it, and sends what a dead process had in hand', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    let refusals = 3;
    await using server = await receiveMails({
      onRcptTo(_address, _session, done) {
        refusals -= 1;
        if (refusals < 0) return done();
        done(Object.assign(new Error('4.2.1 try later'), { responseCode: 451 }));
      },
    });
    {
      await using _ = await startTeller(database, { port: server.port });
      await happened(database, 'req_1');
      await inState(database, 'req_1', 'sent');
    }
    expect(server.mails).toHaveLength(1);
    expect(await mailsOf(database, 'req_1')).toMatchObject([{ attempts: 4 }]);
    // As a process leaves it that was killed while it sent.
    await database.db
      .withTables<{ person_mails: { state: string } }>()
      .updateTable('person_mails')
      .set({ state: 'sending' })
      .execute();
    await using _ = await startTeller(database, { port: server.port });
    await inState(database, 'req_1', 'sent');
    expect(server.mails.map(({ parsed }) => parsed.messageId)).toEqual([
      server.mails[0]?.parsed.messageId,
      server.mails[0]?.parsed.messageId,
    ]);
  });

  it('notes what the server refuses for good, and what comes back later', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    let known = false;
    await using server = await receiveMails({
      onRcptTo(_address, _session, done) {
        if (known) return done();
        done(Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 }));
      },
    });
    await using _ = await startTeller(database, { port: server.port });
    await happened(database, 'req_1');
    await inState(database, 'req_1', 'refused');
    expect(await mailsOf(database, 'req_1')).toMatchObject([{ status: '5.1.1', attempts: 1 }]);
    known = true;
    await happened(database, 'req_2');
    await inState(database, 'req_2', 'sent');
    const [mail] = await mailsOf(database, 'req_2');
    const bounce = (id: string) =>
      Buffer.from(
        `Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nAction: failed\r\nStatus: 5.2.2\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <${id}@acme.example>\r\n--b--\r\n`,
      );
    const record = (raw: Buffer, organization = organizationId) =>
      recordBounce(database.db, { organizationId: organization, raw, now: new Date() });
    expect((await record(bounce(mail?.id ?? ''), 'other')).outcome).toBe('not-ours');
    expect((await record(bounce('mail_0'))).outcome).toBe('not-ours');
    expect((await mailsOf(database, 'req_2'))[0]?.state).toBe('sent');
    expect((await record(bounce(mail?.id ?? ''))).outcome).toBe('recorded');
    expect((await record(bounce(mail?.id ?? ''))).outcome).toBe('recorded');
    expect(await mailsOf(database, 'req_2')).toMatchObject([{ state: 'bounced', status: '5.2.2' }]);
    expect((await undelivered(database)).map(({ outcome }) => outcome)).toEqual(['refused', 'bounced']);
  });

  it('gives up after a while, and skips whom there is no address of any more', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails({
      onMailFrom: (_address, _session, done) =>
        done(Object.assign(new Error('4.3.2 closed'), { responseCode: 450 })),
    });
    {
      await using _ = await startTeller(database, { port: server.port, giveUp: 1_000 });
      await happened(database, 'req_1');
      await inState(database, 'req_1', 'refused');
      expect((await mailsOf(database, 'req_1'))[0]?.attempts).toBeGreaterThan(1);
    }
    const forgotten = people({ compose: async () => ({ skipped: 'forgotten' }) });
    await using _ = await startTeller(database, { port: server.port, people: forgotten });
    await happened(database, 'req_2');
    await inState(database, 'req_2', 'skipped');
    expect(await mailsOf(database, 'req_2')).toMatchObject([{ status: 'forgotten' }]);
    expect((await undelivered(database)).map(({ outcome }) => outcome)).toEqual(['refused']);
    expect(server.mails).toHaveLength(0);
  });

  // The server of these tests takes no quoted local part with a space, an @ or two dots in it.
  it.each([
    ['"ada"@example.org', '"ada"@example.org'],
    ['"ada;1:(x)[2]\\\\"@example.org', '"ada;1:(x)[2]\\\\"@example.org'],
    ['käthe@bücher.example', 'käthe@bücher.example'],
    ['дарья@example.org', 'дарья@example.org'],
    ['ada@bücher.example', 'ada@bücher.example'],
  ])('writes to %s, and to nobody else', async (to, got) => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails();
    const compose = async () => ({ to, language: 'de' as const, right: 'access', values: {} });
    await using _ = await startTeller(database, { port: server.port, people: people({ compose }) });
    await happened(database, 'req_1');
    await inState(database, 'req_1', 'sent');
    expect(server.mails.map((mail) => mail.to)).toEqual([[got]]);
    expect(server.mails[0]?.raw.match(/^(?:to|cc|bcc):/gim)).toHaveLength(1);
  });

  it('is told at once that a server takes no address of this kind', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails();
    const compose = async () => ({
      to: '"ada 1"@example.org',
      language: 'de' as const,
      right: 'access',
      values: {},
    });
    await using _ = await startTeller(database, { port: server.port, people: people({ compose }) });
    await happened(database, 'req_1');
    await inState(database, 'req_1', 'refused');
    expect(await undelivered(database)).toMatchObject([{ outcome: 'refused' }]);
  });

  it('tells of a person whom no mail can be written to', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using server = await receiveMails();
    const nowhere = people({ compose: async () => ({ skipped: NO_ADDRESS }) });
    await using _ = await startTeller(database, { port: server.port, people: nowhere });
    await happened(database, 'req_1');
    await inState(database, 'req_1', 'skipped');
    expect(await undelivered(database)).toMatchObject([
      { kind: 'started', outcome: 'skipped', status: 'no-address' },
    ]);
    expect(server.mails).toEqual([]);
  });
});
