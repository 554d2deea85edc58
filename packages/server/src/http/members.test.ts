import { api } from '@habeas/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication } from '../../test/in-memory-application.ts';
import { type Login, startLogin } from '../../test/login.ts';
import {
  accessMigrations,
  authenticate,
  createApiKeys,
  createMemberSignIn,
  createMembers,
  createSessions,
  ensureFirstKey,
  MEMBER_SIGN_IN_PATH,
} from '../access/index.ts';
import { appendAudit, auditMigrations, listAudit } from '../audit/index.ts';
import {
  createOidcProvider,
  createOutbound,
  createOutboundPolicy,
  newSecretKey,
} from '../foundation/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const organizationId = 'acme';
const ORIGIN = 'https://habeas.example';
const CALLBACK = `${ORIGIN}${MEMBER_SIGN_IN_PATH}`;

let database: TestDatabase;
let login: Login;
let app: HttpServer;
let key: string;
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };

beforeEach(async () => {
  ahead = 0;
  database = await createTestDatabase({ ...auditMigrations, ...accessMigrations });
  login = await startLogin({
    callback: CALLBACK,
    groups: { nora: ['everybody', 'privacy'], sam: ['shop-team'], olga: ['everybody'] },
  });
  app = await openServer();
});

afterEach(async () => {
  await app.close();
  await login[Symbol.asyncDispose]();
  await database.close();
});

async function openServer(issuer = login.issuer): Promise<HttpServer> {
  const { db } = database;
  const context = { db, organizationId, clock, audit: appendAudit };
  key = (await ensureFirstKey(context))?.key ?? key;
  const sessions = createSessions(context);
  const members = createMembers(context, {
    groupsClaim: 'groups',
    groups: { privacy: { role: 'officer' }, 'shop-team': { role: 'member', teams: ['shop'] } },
  });
  const outbound = createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) });
  return createHttpServer({
    ...inMemoryApplication({ db }),
    publicUrl: ORIGIN,
    organizationId,
    clock,
    keys: createApiKeys(context),
    sessions,
    members,
    memberSignIn: createMemberSignIn({
      name: 'Acme ID',
      organizationId,
      masterKey: newSecretKey(),
      clock,
      members,
      sessions,
      provider: createOidcProvider({
        issuer,
        clientId: 'habeas',
        clientSecret: 'client-secret-of-the-test',
        scopes: ['openid', 'email', 'profile'],
        redirectUrl: CALLBACK,
        outbound,
      }),
    }),
    authenticate: (presented) => authenticate(context, presented),
  });
}

const cookiesOf = (answer: { readonly headers: Record<string, unknown> }): string[] =>
  [answer.headers['set-cookie'] ?? []].flat().map(String);

/** A browser with what this server's cookies left in it. */
function browser() {
  const jar = new Map<string, string>();
  const ask = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await app.inject({
      method,
      url,
      headers: { cookie, host: 'habeas.example', origin: ORIGIN },
      ...(payload && { payload }),
    });
    for (const text of cookiesOf(answer)) {
      const [pair = ''] = text.split(';');
      const name = pair.slice(0, pair.indexOf('='));
      if (text.includes('Max-Age=0')) jar.delete(name);
      else jar.set(name, pair.slice(name.length + 1));
    }
    return answer;
  };
  return {
    jar,
    ask,
    get: (url: string) => ask('GET', url),
    /** Signs in at the provider as this account, and comes back. */
    async signIn(account: string, query = '') {
      const begun = await ask('GET', `/api/v1/sign-in/start${query}`);
      expect(begun.statusCode, begun.body).toBe(303);
      const back = await login.signIn(String(begun.headers.location), account);
      return ask('GET', `${back.pathname}${back.search}`);
    },
  };
}

const asOwner = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
  app.inject({ method, url, headers: { authorization: `Bearer ${key}` }, ...(payload && { payload }) });

async function invite(email: string, role: api.Role, teams: readonly string[] | null = null) {
  const answer = await asOwner('POST', '/api/v1/members', { email, role, teams });
  expect(answer.statusCode, answer.body).toBe(201);
  return api.memberSchema.parse(answer.json());
}

describe('a member', () => {
  it('signs in where the organization does, with the role and the teams of the invitation', async () => {
    const { id } = await invite('Ada@Example.org', 'member', ['web']);
    const ada = browser();
    expect((await ada.get('/api/v1/sign-in')).json()).toEqual({
      api_key: true,
      provider: { name: 'Acme ID', url: '/api/v1/sign-in/start' },
    });
    const back = await ada.signIn('ada', `?return_to=${encodeURIComponent('/tickets?state=open')}`);
    expect([back.statusCode, back.headers.location]).toEqual([303, '/tickets?state=open']);
    const [session] = cookiesOf(back).filter((text) => text.startsWith('__Host-habeas-session='));
    expect(session).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/);
    expect((await ada.get('/api/v1/session')).json()).toMatchObject({
      actor: `member:${id}`,
      name: 'Ada Example',
      role: 'member',
      teams: ['web'],
      scopes: expect.arrayContaining(['tickets:write']),
      confirm_by: 'sign_in',
    });
    expect((await ada.get('/api/v1/api-keys')).statusCode).toBe(403);
    expect((await asOwner('GET', '/api/v1/members')).json()).toMatchObject({
      items: [{ id, email: 'ada@example.org', name: 'Ada Example', by_group: null }],
    });
  });

  it('may do from the next call on what their role is changed to, and nothing once removed', async () => {
    const { id } = await invite('ada@example.org', 'auditor');
    const ada = browser();
    await ada.signIn('ada');
    const create = () => ada.ask('POST', '/api/v1/api-keys', { name: 'mine', scopes: ['map:read'] });
    expect((await create()).statusCode).toBe(403);
    expect((await asOwner('PATCH', `/api/v1/members/${id}`, { role: 'owner' })).statusCode).toBe(200);
    expect((await create()).statusCode).toBe(201);
    expect((await asOwner('DELETE', `/api/v1/members/${id}`)).statusCode).toBe(204);
    expect((await ada.get('/api/v1/session')).statusCode).toBe(401);
    expect((await ada.signIn('ada')).headers.location).toBe('/app?sign_in_error=FORBIDDEN');
    expect((await asOwner('GET', '/api/v1/members')).json()).toEqual({ items: [] });
    // Nothing says who it was.
    const { rows } = await database.pool.query('select * from habeas.members');
    expect(JSON.stringify(rows)).not.toMatch(/ada/i);
    expect((await asOwner('DELETE', `/api/v1/members/${id}`)).statusCode).toBe(404);
  });

  it('is nobody whom the provider does not vouch for, or who was not invited', async () => {
    await invite('mallory@example.org', 'owner');
    for (const account of ['mallory', 'olga']) {
      const stranger = browser();
      expect((await stranger.signIn(account)).headers.location).toBe('/app?sign_in_error=FORBIDDEN');
      expect([...stranger.jar.keys()]).toEqual([]);
    }
  });

  it('is one person of the provider, also if another one has the address later', async () => {
    const { id } = await invite('ada@example.org', 'officer');
    await browser().signIn('ada');
    await database.pool.query(`update habeas.members set subject = 'https://other.example ada'`);
    expect((await browser().signIn('ada')).headers.location).toBe('/app?sign_in_error=FORBIDDEN');
    expect((await asOwner('GET', '/api/v1/members')).json().items).toMatchObject([{ id }]);
  });

  it('comes by a group, changes with it, and goes with it', async () => {
    const nora = browser();
    await nora.signIn('nora');
    const sam = browser();
    await sam.signIn('sam');
    expect((await nora.get('/api/v1/session')).json()).toMatchObject({ role: 'officer', teams: null });
    expect((await sam.get('/api/v1/session')).json()).toMatchObject({ role: 'member', teams: ['shop'] });
    const { items } = api.memberListSchema.parse((await asOwner('GET', '/api/v1/members')).json());
    expect(items).toMatchObject([{ by_group: 'privacy' }, { by_group: 'shop-team' }]);
    expect(
      (await asOwner('PATCH', `/api/v1/members/${items[0]?.id}`, { role: 'owner' })).json(),
    ).toMatchObject({
      code: 'CONFLICT',
      detail: expect.stringContaining('privacy'),
    });
    await login[Symbol.asyncDispose]();
    const { issuer } = login;
    login = await startLogin({
      callback: CALLBACK,
      groups: { nora: ['shop-team'], sam: [] },
      port: Number(new URL(issuer).port),
    });
    await nora.signIn('nora');
    expect((await nora.get('/api/v1/session')).json()).toMatchObject({ role: 'member', teams: ['shop'] });
    expect((await sam.get('/api/v1/session')).statusCode).toBe(200);
    expect((await sam.signIn('sam')).headers.location).toBe('/app?sign_in_error=FORBIDDEN');
    expect((await sam.get('/api/v1/session')).statusCode).toBe(401);
  });

  it('is given nothing that whoever invites does not have, and loses nothing to those who have less', async () => {
    const owner = await invite('ada@example.org', 'owner');
    const made = await asOwner('POST', '/api/v1/api-keys', {
      name: 'hr',
      scopes: [...api.ROLES.member, 'members:read', 'members:write'],
      teams: ['shop'],
    });
    const lesser = (method: 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
      app.inject({
        method,
        url,
        headers: { authorization: `Bearer ${made.json().key}` },
        ...(payload && { payload }),
      });
    const email = 'new@example.org';
    const answers = await Promise.all([
      lesser('POST', '/api/v1/members', { email, role: 'officer', teams: ['shop'] }),
      lesser('POST', '/api/v1/members', { email, role: 'member' }),
      lesser('POST', '/api/v1/members', { email, role: 'member', teams: ['web'] }),
      lesser('PATCH', `/api/v1/members/${owner.id}`, { role: 'member', teams: ['shop'] }),
      lesser('DELETE', `/api/v1/members/${owner.id}`),
    ]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 403, 403, 403, 403]);
    const allowed = { email, role: 'member', teams: ['shop'] };
    expect((await lesser('POST', '/api/v1/members', allowed)).statusCode).toBe(201);
    expect(
      (await lesser('POST', '/api/v1/members', { ...allowed, email: 'NEW@example.org' })).statusCode,
    ).toBe(409);
  });

  it('is in the audit log by an id alone', async () => {
    const { id } = await invite('ada@example.org', 'officer');
    await browser().signIn('ada');
    await asOwner('DELETE', `/api/v1/members/${id}`);
    const items = await listAudit(database.db, { organizationId, limit: 50 });
    expect(items.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['member.invited', 'session.started', 'member.removed']),
    );
    expect(items.find(({ action }) => action === 'session.started')?.actor).toBe(`member:${id}`);
    expect(JSON.stringify(items)).not.toMatch(/example\.org|ada/i);
  });
});

describe('a sign-in', () => {
  beforeEach(() => invite('ada@example.org', 'officer'));

  it('is not taken from another browser, with an answer for another one, or too late', async () => {
    const [ada, other] = [browser(), browser()];
    const begun = await ada.get('/api/v1/sign-in/start');
    await other.get('/api/v1/sign-in/start');
    const back = await login.signIn(String(begun.headers.location), 'ada');
    const path = `${back.pathname}${back.search}`;
    const refused = '/app?sign_in_error=PROOF_REFUSED';
    expect((await browser().get(path)).headers.location).toBe(refused);
    expect((await other.get(path)).headers.location).toBe(refused);
    ahead = 11 * 60_000;
    expect((await ada.get(path)).headers.location).toBe(refused);
    ahead = 0;
    const forged = browser();
    forged.jar.set('habeas-member-sign-in', 'x'.repeat(200));
    expect((await forged.get(path)).headers.location).toBe(refused);
    expect((await ada.get('/api/v1/session')).statusCode).toBe(401);
  });

  it('leads to a page of this server alone', async () => {
    for (const evil of [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '\\\\evil',
      '/\t/evil.example',
      'x',
    ]) {
      const answer = await browser().get(`/api/v1/sign-in/start?return_to=${encodeURIComponent(evil)}`);
      expect([evil, answer.statusCode]).toEqual([evil, 400]);
    }
  });

  it('is said to be unreachable where the provider does not answer', async () => {
    await app.close();
    app = await openServer('http://127.0.0.1:9');
    const answer = await browser().get('/api/v1/sign-in/start');
    expect(answer.json()).toMatchObject({ code: 'SYSTEM_UNREACHABLE' });
  });

  it('confirms a session only by typing again who it is, and only as the same person', async () => {
    const ada = browser();
    await ada.signIn('ada');
    await ada.signIn('ada');
    expect(login.typed).toBe(1);
    const until = async () => (await ada.get('/api/v1/session')).json().confirmed_until;
    const before = await until();
    ahead = 5_000;
    await ada.signIn('ada', '?confirm=true');
    expect(login.typed).toBe(2);
    expect((await until()) > before).toBe(true);
    await invite('eve@example.org', 'officer');
    const after = await until();
    ahead = 10_000;
    expect((await ada.signIn('eve', '?confirm=true')).headers.location).toBe(
      '/app?sign_in_error=UNAUTHENTICATED',
    );
    expect(await until()).toBe(after);
    expect((await browser().get('/api/v1/sign-in/start?confirm=true')).statusCode).toBe(401);
  });
});
