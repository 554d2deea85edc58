import { afterEach, describe, expect, it } from 'vitest';
import { type AskingHouse, asker, codeIn, openAskingHouse } from '../../../test/asking-house.ts';
import { eventually } from '../../../test/eventually.ts';
import { receiveWebhooks } from '../../../test/webhook-receiver.ts';
import { signStandardWebhook } from '../../access/index.ts';
import { missingChecks } from './checks.ts';

const open: AskingHouse[] = [];
afterEach(async () => {
  for (const house of open.splice(0)) await house[Symbol.asyncDispose]();
});

async function start(options: Parameters<typeof openAskingHouse>[0] = {}): Promise<AskingHouse> {
  const house = await openAskingHouse(options);
  open.push(house);
  return house;
}

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const ADA = { type: 'email', value: 'ada@example.org' };
const ASK = { right: 'access', identities: [ADA, { type: 'user_id', value: 'u1' }] };

const prove = async (house: AskingHouse, token: string, address = 'ada@example.org', count = 1) =>
  house.post('/api/v1/public/requests:prove', {
    token,
    contact: address.startsWith('grace') ? 'c1' : 'c0',
    code: codeIn(await house.mailTo(address, count)),
  });

const resume = async (house: AskingHouse, token: string) =>
  (await house.post('/api/v1/public/requests:resume', { token })).body;

/** What the back end sends, signed. */
async function say(house: AskingHouse, requestId: string, message: object, secret = SECRET) {
  const body = JSON.stringify(message);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const id = 'msg_1';
  const answer = await house.app.inject({
    method: 'POST',
    url: `/api/v1/verifications/${requestId}`,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signStandardWebhook({ secret, id, timestamp, body }),
    },
    payload: body,
  });
  return answer.statusCode;
}

describe('questions of the back end', () => {
  it('come after the codes, are answered by the person, and are believed only when they are signed', async () => {
    await using backEnd = await receiveWebhooks();
    const url = `http://127.0.0.1:${backEnd.port}/people`;
    const house = await start({
      intake: { require: ['codes', 'questions'], questions: { url, secret: SECRET } },
    });
    const asked = await house.ask(ASK);
    expect(await say(house, asked.request_id, { outcome: 'confirmed' })).toBe(204);
    expect((await prove(house, asked.token)).body.missing).toEqual(['questions']);
    await eventually('the back end is told', () => backEnd.messages.length === 1);
    const told = JSON.parse(backEnd.messages[0]?.body ?? '');
    expect(told).toMatchObject({
      type: 'verification.requested',
      data: { request_id: asked.request_id, right: 'access', identities: ASK.identities, answers: null },
    });
    const questions = [{ key: 'order', text: 'What was your last order?' }];
    const wrong = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
    expect(await say(house, asked.request_id, { outcome: 'confirmed' }, wrong)).toBe(401);
    expect(await say(house, asked.request_id, { outcome: 'perhaps' })).toBe(400);
    expect(await say(house, asked.request_id, { outcome: 'ask', questions })).toBe(204);
    expect((await resume(house, asked.token)).questions).toEqual(questions);
    const answers = { order: '4711' };
    const answer = () => house.post('/api/v1/public/requests:answer', { token: asked.token, answers });
    expect((await answer()).status).toBe(200);
    expect((await answer()).status).toBe(409);
    await eventually('the back end is told the answers', () => backEnd.messages.length === 2);
    expect(JSON.parse(backEnd.messages[1]?.body ?? '').data.answers).toEqual(answers);
    expect(backEnd.messages[0]?.headers['webhook-id']).not.toBe(backEnd.messages[1]?.headers['webhook-id']);
    expect(await say(house, asked.request_id, { outcome: 'confirmed' })).toBe(204);
    const done = await house.inState(asked.request_id, 'completed');
    // The back end vouches for all that was claimed.
    expect(done.identity_types).toEqual(['email', 'user_id']);
    expect(await say(house, asked.request_id, { outcome: 'refused', reason: 'late' })).toBe(204);
    expect((await house.requests.get(asker, asked.request_id)).state).toBe('completed');
  });

  it('end a request that the back end refuses', async () => {
    await using backEnd = await receiveWebhooks();
    const url = `http://127.0.0.1:${backEnd.port}/people`;
    const house = await start({
      intake: { require: ['codes', 'questions'], questions: { url, secret: SECRET } },
    });
    const asked = await house.ask(ASK);
    await prove(house, asked.token);
    await eventually('the back end is told', () => backEnd.messages.length === 1);
    expect(await say(house, asked.request_id, { outcome: 'refused', reason: 'not a customer' })).toBe(204);
    expect(await house.inState(asked.request_id, 'rejected')).toMatchObject({ reason: 'not a customer' });
    expect(house.system.calls).toEqual([]);
  });
});

describe('an officer', () => {
  it('looks at a request when the codes are proved, and confirms it with a reason', async () => {
    const house = await start({ intake: { require: ['codes', 'officer'] } });
    const asked = await house.ask(ASK);
    expect((await prove(house, asked.token)).body).toMatchObject({
      state: 'verifying',
      missing: ['officer'],
    });
    const path = `/api/v1/requests/${asked.request_id}`;
    expect((await house.get(`${path}/verification`)).body).toMatchObject({
      state: 'open',
      missing: ['officer'],
    });
    expect((await house.post(`${path}:verify`, { reason: 'x' })).status).toBe(401);
    const verified = await house.post(`${path}:verify`, { reason: 'passport' }, { key: true });
    expect(verified.status).toBe(200);
    expect((await house.post(`${path}:verify`, { reason: 'again' }, { key: true })).status).toBe(409);
    expect(await house.inState(asked.request_id, 'completed')).toMatchObject({ reason: 'passport' });
  });

  it('refuses one, after which no code helps', async () => {
    const house = await start();
    const asked = await house.ask(ASK);
    await house.mailTo('ada@example.org');
    const path = `/api/v1/requests/${asked.request_id}`;
    expect((await house.post(`${path}:reject`, { reason: 'forged' }, { key: true })).status).toBe(200);
    await prove(house, asked.token);
    expect(await house.requests.get(asker, asked.request_id)).toMatchObject({
      state: 'rejected',
      reason: 'forged',
    });
    expect(house.system.calls).toEqual([]);
  });
});

describe('an authorized agent', () => {
  it('proves their address, and the person theirs; the officer may read the permission, which is audited', async () => {
    const house = await start();
    const permission = Buffer.from('I, Ada, let Grace ask.').toString('base64');
    const agent = { name: 'Grace', email: 'grace@agents.example', permission };
    const asked = await house.ask({ right: 'access', identities: [ADA], agent });
    expect(asked.contacts.map(({ role }) => role)).toEqual(['subject', 'agent']);
    await prove(house, asked.token, 'grace@agents.example');
    expect((await house.requests.get(asker, asked.request_id)).state).toBe('verifying');
    const path = `/api/v1/requests/${asked.request_id}/verification`;
    expect((await house.get(path)).body).toMatchObject({ agent, missing: ['codes'] });
    const audit = await house.database.pool.query(
      "select action from audit_entries where action = 'agent.read'",
    );
    expect(audit.rows).toHaveLength(1);
    await prove(house, asked.token);
    const done = await house.inState(asked.request_id, 'completed');
    // The agent is not whom it is about.
    expect(done.identity_types).toEqual(['email']);
    await eventually('the person is told', () => house.mail.mails.length === 5);
    expect(house.mail.mails.filter(({ to }) => to.includes('grace@agents.example'))).toHaveLength(1);
  });
});

describe('the same request twice', () => {
  it('is merged after the proof, and not before it', async () => {
    const house = await start({ policy: 'erasure:\n  wait: 3d' });
    const ask = { right: 'erasure', identities: [ADA] };
    const first = await house.ask(ask);
    await prove(house, first.token);
    await house.inState(first.request_id, 'waiting');
    const second = await house.ask({
      right: 'erasure',
      identities: [{ type: 'email', value: 'Ada@example.org' }],
    });
    expect(second).toMatchObject({ state: 'verifying', merged_into: null });
    await house.mailTo('Ada@example.org');
    expect((await house.requests.get(asker, second.request_id)).state).toBe('verifying');
    const proved = await prove(house, second.token, 'Ada@example.org');
    expect(proved.body).toMatchObject({ state: 'cancelled', merged_into: first.request_id });
    expect((await house.requests.get(asker, first.request_id)).state).toBe('waiting');
    // Another right, and another time, are other requests.
    const access = await house.ask({ right: 'access', identities: [ADA] });
    expect((await prove(house, access.token, 'ada@example.org', 3)).body.merged_into).toBeNull();
    await house.post(`/api/v1/requests/${first.request_id}:cancel`, { reason: 'r' }, { key: true });
    const third = await house.ask(ask);
    const code = () => house.mail.mails.filter(({ parsed }) => /^\d{8}$/m.test(parsed.text ?? ''));
    await eventually('a code', () => code().length === 4);
    const newest = code().at(-1);
    if (newest === undefined) throw new Error('There is no code.');
    await house.post('/api/v1/public/requests:prove', {
      token: third.token,
      contact: 'c0',
      code: codeIn(newest),
    });
    await house.inState(third.request_id, 'waiting');
  });
});

describe('missingChecks', () => {
  it('wants every address of the person and of the agent, or a sign-in for those of the person', () => {
    const subject = { role: 'subject', proved: true } as const;
    const agent = { role: 'agent', proved: true } as const;
    const not = <One extends object>(one: One) => ({ ...one, proved: false });
    const progress = { contacts: [subject], signedIn: false, confirmed: false };
    const missing = (more: Partial<typeof progress> | object) =>
      missingChecks(['codes'], { ...progress, ...more });
    expect(missing({})).toEqual([]);
    expect(missing({ contacts: [] })).toEqual(['codes']);
    expect(missing({ contacts: [subject, not(subject)] })).toEqual(['codes']);
    expect(missing({ contacts: [subject, not(agent)] })).toEqual(['codes']);
    expect(missing({ contacts: [agent] })).toEqual(['codes']);
    expect(missing({ contacts: [], signedIn: true })).toEqual([]);
    expect(missing({ contacts: [not(subject)], signedIn: true })).toEqual([]);
    expect(missing({ contacts: [not(agent)], signedIn: true })).toEqual(['codes']);
    expect(missingChecks(['officer', 'codes', 'questions'], { ...progress, confirmed: true })).toEqual([
      'officer',
    ]);
  });
});
