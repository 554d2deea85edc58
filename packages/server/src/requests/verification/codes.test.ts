import type { api } from '@habeas/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { type AskingHouse, asker, codeIn, openAskingHouse, tokenIn } from '../../../test/asking-house.ts';
import { eventually } from '../../../test/eventually.ts';
import { memorySystems } from '../../../test/memory-system.ts';
import { createLogger, fixedClock, newSecretKey, systemClock } from '../../foundation/index.ts';
import { parsePolicy } from '../../policy/index.ts';
import { createRequests } from '../create-requests.ts';

const open: AskingHouse[] = [];
afterEach(async () => {
  for (const house of open.splice(0)) await house[Symbol.asyncDispose]();
});

async function start(options: Parameters<typeof openAskingHouse>[0] = {}): Promise<AskingHouse> {
  const house = await openAskingHouse(options);
  open.push(house);
  return house;
}

const ADA = { type: 'email', value: 'ada@example.org' };
const accessOf = (...identities: readonly object[]) => ({ right: 'access', identities });

const prove = (house: AskingHouse, token: string, code: string, contact = 'c0') =>
  house.post('/api/v1/public/requests:prove', { token, contact, code });

/** A code that is not the one. */
const other = (code: string) => String((Number(code) + 1) % 100_000_000).padStart(8, '0');

describe('somebody who asks without an API key', () => {
  it('proves by a code in a mail that they read it, and then the request is carried out', async () => {
    const house = await start();
    const asked = await house.ask(accessOf(ADA), { headers: { 'accept-language': 'de-AT,en;q=0.5' } });
    expect(asked).toMatchObject({
      state: 'verifying',
      missing: ['codes'],
      contacts: [{ id: 'c0', role: 'subject', proved: false }],
    });
    const mail = await house.mailTo('ada@example.org');
    expect(mail.parsed.subject).toBe('Bestätigen Sie Ihre Anfrage an ACME');
    expect(await house.requests.tasks(asker, asked.request_id)).toEqual([]);
    expect(house.system.calls).toEqual([]);
    // Nothing is done meanwhile: of a request that has ended nobody has to confirm receipt any more.
    const everything = { scope: 'organization' } as const;
    await house.requests.pauses.pause(everything, { actor: 'test', reason: 'A test looks' });
    const proved = await prove(house, asked.token, codeIn(mail));
    expect(proved.status).toBe(200);
    expect(proved.body.missing).toEqual([]);
    // The mail that says so confirms receipt, which is written down once it is sent; the one with the code did not.
    const changes = async () => {
      const { rows } = await house.database.pool.query(
        'select kind, actor from habeas.deadline_changes where request_id = $1',
        [asked.request_id],
      );
      return rows;
    };
    await eventually('receipt is written down', async () => (await changes()).length > 0);
    expect(await changes()).toEqual([{ kind: 'acknowledged', actor: 'system' }]);
    await house.requests.pauses.resume(everything, { actor: 'test' });
    const done = await house.inState(asked.request_id, 'completed');
    expect(done).toMatchObject({ matched: true, identity_types: ['email'] });
    await eventually('all is told', () => house.mail.mails.length === 4);
    expect(house.mail.mails.map(({ parsed }) => parsed.subject)).toEqual([
      'Bestätigen Sie Ihre Anfrage an ACME',
      'ACME hat Ihre Identität bestätigt',
      'ACME bearbeitet Ihre Anfrage',
      'ACME hat Ihre Anfrage abgeschlossen',
    ]);
  });

  it('tells where the package is, by a link that opens it with a fresh code', async () => {
    const house = await start();
    const asked = await house.ask(accessOf(ADA));
    await prove(house, asked.token, codeIn(await house.mailTo('ada@example.org')));
    const told = await house.mailTo('ada@example.org', 4);
    expect(told.parsed.subject).toBe('ACME has completed your request');
    const token = tokenIn(told);
    expect(told.parsed.text).toContain(`https://habeas.example/package#${token}`);
    expect((await house.post('/api/v1/package-links:code', { token })).status).toBe(202);
    const code = codeIn(await house.mailTo('ada@example.org', 5));
    const opened = await house.post('/api/v1/package-links:open', { token, code });
    expect(opened).toMatchObject({ status: 200 });
  });

  it('goes on with the link in the mail, which by itself proves nothing, and has no personal data in it', async () => {
    const house = await start();
    const asked = await house.ask(accessOf(ADA));
    const mail = await house.mailTo('ada@example.org');
    const token = tokenIn(mail);
    expect(token).not.toBe(asked.token);
    expect(mail.parsed.text?.match(/https:\S+/g)).toEqual([`https://privacy.acme.example/ask#${token}`]);
    const resumed = await house.post('/api/v1/public/requests:resume', { token });
    expect(resumed.body).toMatchObject({ request_id: asked.request_id, state: 'verifying' });
    expect(JSON.stringify(resumed.body)).not.toContain('ada@');
    // A scanner of links that fetches it changes nothing.
    await house.post('/api/v1/public/requests:resume', { token });
    expect((await prove(house, token, codeIn(mail))).status).toBe(200);
    await house.inState(asked.request_id, 'completed');
    // Who only began, and may be anybody, does not see what becomes of it.
    expect((await house.post('/api/v1/public/requests:resume', { token: asked.token })).status).toBe(404);
    expect((await house.post('/api/v1/public/requests:resume', { token })).body.state).toBe('completed');
  });

  it('uses a code once, of any number of tries at the same time', async () => {
    const house = await start();
    const asked = await house.ask(accessOf(ADA, { type: 'email', value: 'ada@work.example' }));
    const code = codeIn(await house.mailTo('ada@example.org'));
    const answers = await Promise.all(Array.from({ length: 8 }, () => prove(house, asked.token, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403, 403, 403, 403, 403, 403]);
    expect((await prove(house, asked.token, code)).body.code).toBe('PROOF_REFUSED');
  });

  it('has five tries with a code, then another one has to be sent, which makes the former one invalid', async () => {
    const house = await start();
    const asked = await house.ask(accessOf(ADA));
    const code = codeIn(await house.mailTo('ada@example.org'));
    for (let tries = 0; tries < 5; tries += 1)
      expect((await prove(house, asked.token, other(code))).status).toBe(403);
    expect((await prove(house, asked.token, code)).status).toBe(403);
    const again = { token: asked.token, contact: 'c0' };
    expect((await house.post('/api/v1/public/requests:send-code', again)).status).toBe(200);
    const next = codeIn(await house.mailTo('ada@example.org', 2));
    expect((await prove(house, asked.token, code)).status).toBe(403);
    expect((await prove(house, asked.token, next)).status).toBe(200);
  });

  it('does not wait for ever where nobody can ask any more', async () => {
    const house = await start();
    const asked = await house.ask(accessOf(ADA));
    await house.requests.stop();
    const { db, url } = house.database;
    const later = new Date(Date.now() + 60 * 86_400_000).toISOString();
    const without = createRequests({
      db,
      organizationId: asker.organizationId,
      databaseUrl: url,
      systems: memorySystems([house.system]),
      policy: parsePolicy('', 'policy.yaml'),
      masterKey: newSecretKey(),
      clock: fixedClock(later),
      logger: createLogger({ level: 'fatal' }),
      sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
      proveEntry: async () => undefined,
      callback: () => ({ url: '', secret: '' }),
      verifyCallback: () => new Date(),
      reconcileMilliseconds: 50,
    });
    await without.start();
    try {
      await eventually('it is expired', async () => {
        return (await without.get(asker, asked.request_id)).state === 'expired';
      });
    } finally {
      await without.stop();
    }
  });

  it('has ten minutes for a code, and the days of the configuration for all of it', async () => {
    const clock = fixedClock(new Date().toISOString());
    const house = await start({ clock, intake: { expires: '7d' } });
    const asked = await house.ask(accessOf(ADA));
    const code = codeIn(await house.mailTo('ada@example.org'));
    clock.advance(10 * 60_000);
    expect((await prove(house, asked.token, code)).status).toBe(403);
    clock.advance(7 * 86_400_000);
    await house.inState(asked.request_id, 'expired');
    await house.post('/api/v1/public/requests:send-code', { token: asked.token, contact: 'c0' });
    expect(house.system.calls).toEqual([]);
  });

  it('proves every address that they name, and what they only claim is not acted on', async () => {
    const house = await start();
    const asked = await house.ask({
      right: 'erasure',
      identities: [ADA, { type: 'email', value: 'ada@work.example' }, { type: 'user_id', value: 'u9' }],
    });
    await prove(house, asked.token, codeIn(await house.mailTo('ada@example.org')));
    expect((await house.requests.get(asker, asked.request_id)).state).toBe('verifying');
    await prove(house, asked.token, codeIn(await house.mailTo('ada@work.example')), 'c1');
    expect(await house.inState(asked.request_id, 'completed')).toMatchObject({ identity_types: ['email'] });
    expect(house.system.rows).toEqual([]);
  });

  it("does not prove one address with another one's code, nor one request with another one's", async () => {
    const house = await start();
    const mallory = { type: 'email', value: 'mallory@example.net' };
    const asked = await house.ask(accessOf(mallory, ADA));
    const own = codeIn(await house.mailTo('mallory@example.net'));
    await house.mailTo('ada@example.org');
    expect((await prove(house, asked.token, own, 'c1')).status).toBe(403);
    const another = await house.ask(accessOf(ADA));
    expect((await prove(house, another.token, own)).status).toBe(403);
    expect((await prove(house, 'x'.repeat(43), own)).status).toBe(404);
    expect((await prove(house, asked.token, own)).status).toBe(200);
    expect((await house.requests.get(asker, asked.request_id)).state).toBe('verifying');
  });

  it('cannot be made to get more mails than the limit, however many ask in their name', async () => {
    const house = await start({ intake: { limits: { codes_per_address: { most: 3 } } } });
    const asked: api.NewAskedView[] = [];
    for (let index = 0; index < 6; index += 1)
      asked.push(
        await house.ask(
          accessOf({ type: 'email', value: index % 2 === 0 ? 'ada@example.org' : 'ADA@example.org' }),
        ),
      );
    const states = async () => {
      const lists = await Promise.all(asked.map(({ request_id }) => house.requests.mails(asker, request_id)));
      return lists.flat().map(({ state, status }) => status ?? state);
    };
    await eventually('all is decided', async () => {
      const all = await states();
      return all.length === 6 && all.every((state) => state === 'sent' || state === 'too-many');
    });
    expect((await states()).sort()).toEqual(['sent', 'sent', 'sent', 'too-many', 'too-many', 'too-many']);
    expect(house.mail.mails).toHaveLength(3);
  });

  it('asks as often as the limit for their network address allows, on whichever server', async () => {
    const house = await start({
      intake: { limits: { asks_per_client: { most: 2 }, calls_per_client: { most: 3 } } },
    });
    const from = (address: string) => house.post('/api/v1/public/requests', accessOf(ADA), { address });
    const statuses = await Promise.all(Array.from({ length: 5 }, () => from('203.0.113.7')));
    expect(statuses.map(({ status }) => status).sort()).toEqual([202, 202, 429, 429, 429]);
    expect((await from('203.0.113.8')).status).toBe(202);
    // One line has all addresses of its 64 bits.
    const six = await Promise.all(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map(from));
    expect(six.map(({ status }) => status).sort()).toEqual([202, 202, 429]);
    const [first] = statuses.filter(({ status }) => status === 202);
    const guess = () =>
      house.post(
        '/api/v1/public/requests:prove',
        { token: first?.body.token, contact: 'c0', code: '00000000' },
        { address: '203.0.113.9' },
      );
    const guesses = [];
    for (let index = 0; index < 4; index += 1) guesses.push((await guess()).status);
    expect(guesses).toEqual([403, 403, 403, 429]);
  });

  it('is told that the answer is due later, and why, in their language', async () => {
    const house = await start({ policy: 'erasure:\n  wait: 3d' });
    const asked = await house.ask({ right: 'erasure', identities: [ADA], language: 'es' });
    await prove(house, asked.token, codeIn(await house.mailTo('ada@example.org')));
    await house.inState(asked.request_id, 'waiting');
    const path = `/api/v1/requests/${asked.request_id}:extend`;
    const extended = await house.post(path, { reason: 'HighVolumeOfProcesses' }, { key: true });
    expect(extended.status).toBe(200);
    const mail = await house.mailTo('ada@example.org', 3);
    expect(mail.parsed.subject).toBe('ACME necesita más tiempo para su solicitud');
    expect(mail.parsed.text).toContain('hay que responder a muchas solicitudes');
    const due = new Date(extended.body.due_at);
    const words = new Intl.DateTimeFormat('es', { dateStyle: 'long', timeZone: 'UTC' }).format(due);
    expect(mail.parsed.text).toContain(words);
  });

  it('is told nothing but the code before the proof, and nobody is told of an address that was not proved', async () => {
    const house = await start({ people: { tell: 'all' } });
    const asked = await house.ask(accessOf(ADA));
    await house.mailTo('ada@example.org');
    await house.post(`/api/v1/requests/${asked.request_id}:reject`, { reason: 'unclear' }, { key: true });
    const { request } = await house.requests.receive(asker, {
      right: 'access',
      identities: [{ type: 'email', value: 'bob@example.org' }],
      dryRun: false,
      language: 'pl',
    });
    await house.inState(request.id, 'completed');
    await eventually('bob is told', () => house.mail.mails.length === 4);
    expect(house.mail.mails.map(({ to }) => to[0])).toEqual([
      'ada@example.org',
      'bob@example.org',
      'bob@example.org',
      'bob@example.org',
    ]);
    expect(house.mail.mails[1]?.parsed.subject).toBe('ACME: wniosek został przyjęty');
  });

  it('may have an address that is quoted, or in another script', async () => {
    const house = await start();
    for (const value of ['"ada;1"@example.org', 'дарья@bücher.example']) {
      const asked = await house.ask(accessOf({ type: 'email', value }));
      expect((await prove(house, asked.token, codeIn(await house.mailTo(value)))).status).toBe(200);
    }
  });

  it('cannot be written to at what is no address, which the officer is told', async () => {
    const house = await start({ people: { tell: 'all' } });
    const identities = [{ type: 'email', value: 'ada@example.org, eve@evil.example' }];
    const made = await house.post('/api/v1/requests', { right: 'access', identities }, { key: true });
    await house.inState(made.body.id, 'completed');
    const undelivered = async () => {
      const { rows } = await house.database.pool.query(
        "select data from habeas.outbox_events where type = 'mail.undelivered' and request_id = $1 order by sequence",
        [made.body.id],
      );
      return rows.map(({ data }) => (typeof data === 'string' ? JSON.parse(data) : data));
    };
    await eventually('it is told', async () => (await undelivered()).length >= 2);
    for (const told of await undelivered())
      expect(told).toMatchObject({ outcome: 'skipped', status: 'no-address' });
    expect(house.mail.mails).toEqual([]);
  });
});

describe('what is stored of it', () => {
  it('is sealed or a keyed hash: no address, code, token or client in the database, and nothing of them in the log', async () => {
    const house = await start();
    const asked = await house.ask(
      { ...accessOf(ADA), agent: { name: 'Grace Canary', email: 'grace@agents.example' } },
      { address: '198.51.100.77' },
    );
    const mails = [await house.mailTo('ada@example.org'), await house.mailTo('grace@agents.example')];
    await prove(house, asked.token, other(codeIn(mails[0] as never)));
    const secrets = [
      'ada@example.org',
      'grace',
      'Canary',
      '198.51.100.77',
      asked.token,
      ...mails.flatMap((mail) => [codeIn(mail), tokenIn(mail)]),
    ];
    const text = await dump(house);
    expect(text).toContain(asked.request_id);
    for (const secret of secrets) {
      expect([secret, text.includes(secret)]).toEqual([secret, false]);
      expect([secret, text.includes(Buffer.from(secret).toString('hex'))]).toEqual([secret, false]);
      expect([secret, house.log.join('').includes(secret)]).toEqual([secret, false]);
    }
  });

  it('is deleted with the request when it is forgotten', async () => {
    const clock = fixedClock(systemClock.now().toISOString());
    const house = await start({ clock, policy: 'forget_after: 1d' });
    const asked = await house.ask(accessOf(ADA));
    await prove(house, asked.token, codeIn(await house.mailTo('ada@example.org')));
    await house.inState(asked.request_id, 'completed');
    clock.advance(2 * 86_400_000);
    const left = async () => {
      const { rows } = await house.database.pool.query(
        `select (select count(*) from verifications) + (select count(*) from verification_contacts)
          + (select count(*) from verification_tokens) + (select count(*) from verified_subjects)
          + (select count(*) from request_identities) as count`,
      );
      return rows[0]?.count;
    };
    await eventually('all is forgotten', async () => (await left()) === 0);
  });
});

/** All rows of all tables, as text. */
async function dump({ database: { pool } }: AskingHouse): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'habeas' and table_type = 'BASE TABLE'",
  );
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await pool.query<{ row: string }>(`select t::text as row from habeas."${name}" t`);
      return `${name}\n${rows.map(({ row }) => row).join('\n')}`;
    }),
  );
  return texts.join('\n');
}
