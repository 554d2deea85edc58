import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentKey, claims, combined, newAgentKey } from '../../../test/drp-agent.ts';
import { eventually } from '../../../test/eventually.ts';
import { BUSINESS, type PartnerWorld, startPartnerWorld } from '../../../test/partner-world.ts';
import { readZip } from '../../../test/read-zip.ts';

const AGENT = 'CONSUMER_AGENT';
const OTHER = 'OTHER_AGENT';

let world: PartnerWorld;
let key: AgentKey;
let otherKey: AgentKey;
let token: string;
let otherToken: string;

beforeAll(async () => {
  world = await startPartnerWorld();
  key = newAgentKey();
  otherKey = newAgentKey();
  await register(AGENT, key);
  await register(OTHER, otherKey);
  token = await tokenOf(AGENT, key);
  otherToken = await tokenOf(OTHER, otherKey);
});

afterAll(() => world[Symbol.asyncDispose]());

async function register(id: string, { verifyKey }: AgentKey): Promise<void> {
  const answer = await world.api('POST', '/api/v1/partners/agents', {
    agents: [{ id, name: `Agent ${id}`, verify_key: verifyKey, callback_origins: [world.callbackOrigin] }],
  });
  expect(answer.status).toBe(200);
}

interface Sent {
  readonly bearer?: string | undefined;
  readonly type?: string;
}

const send = (method: string, path: string, body?: string, { bearer, type = 'text/plain' }: Sent = {}) =>
  fetch(new URL(path, world.url), {
    method,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    body: body ?? null,
  });

async function tokenOf(agent: string, agentKey: AgentKey): Promise<string> {
  const answer = await send(
    'POST',
    `/v1/agent/${agent}`,
    combined(claims({ agent, business: BUSINESS }), agentKey),
  );
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as { 'agent-id': string; token: string };
  expect(body['agent-id']).toBe(agent);
  return body.token;
}

const good = () => claims({ agent: AGENT, business: BUSINESS });
const exercise = (more: object = {}) => ({
  ...good(),
  exercise: 'deletion',
  regime: 'ccpa',
  relationships: ['customer'],
  email: 'nobody@example.com',
  email_verified: true,
  ...more,
});
const post = (content: object, options: Sent & { readonly signedBy?: AgentKey } = {}) =>
  send('POST', '/v1/data-rights-request', combined(content, options.signedBy ?? key), {
    bearer: token,
    ...options,
  });

interface Status {
  readonly request_id: string;
  readonly status: string;
  readonly reason?: string;
  readonly received_at: string;
  readonly expected_by?: string;
  readonly agent_request_id?: string;
  readonly user_verification_url?: string | null;
  readonly results_url?: string;
  readonly expires_at?: string;
  readonly processing_details?: string;
}

const statusOf = async (id: string, bearer = token) =>
  (await (await send('GET', `/v1/data-rights-request/${id}`, undefined, { bearer })).json()) as Status;

async function requestsMade(): Promise<number> {
  const answer = await world.api('GET', '/api/v1/requests?limit=500');
  return ((await answer.json()) as { items: unknown[] }).items.length;
}

describe('pair-wise key setup', () => {
  it.each([
    ['a tampered body', () => tampered(combined(good(), key))],
    ['the key of another agent', () => combined(good(), otherKey)],
    ['another agent in the message', () => combined(claims({ agent: OTHER, business: BUSINESS }), key)],
    ['another business', () => combined(claims({ agent: AGENT, business: 'SOMEBODY_ELSE' }), key)],
    [
      'a message of tomorrow',
      () => combined(claims({ agent: AGENT, business: BUSINESS, issuedIn: 30 }), key),
    ],
    [
      'an expired message',
      () => combined(claims({ agent: AGENT, business: BUSINESS, issuedIn: -600, expiresIn: -1 }), key),
    ],
    [
      'a message that is valid for a day',
      () => combined(claims({ agent: AGENT, business: BUSINESS, expiresIn: 86_400 }), key),
    ],
    ['a message without times', () => combined({ 'agent-id': AGENT, 'business-id': BUSINESS }, key)],
    ['no base64', () => 'not base64 at all!'],
    ['a signature of nothing', () => Buffer.alloc(64).toString('base64')],
    ['a signed list', () => combined('[]', key)],
    ['nothing', () => ''],
  ])('answers %s with 403 and no body', async (_, body) => {
    const answer = await send('POST', `/v1/agent/${AGENT}`, body());
    expect([answer.status, await answer.text(), answer.headers.get('content-type')]).toEqual([403, '', null]);
  });

  it('answers an agent that nobody knows like any other', async () => {
    const body = combined(claims({ agent: 'NOBODY', business: BUSINESS }), key);
    const answer = await send('POST', '/v1/agent/NOBODY', body);
    expect([answer.status, await answer.text()]).toEqual([403, '']);
  });

  it('takes a message once, so that whoever overheard it gets no token', async () => {
    const body = combined({ ...good(), nonce: 'once' }, otherKey);
    const theirs = combined(claims({ agent: OTHER, business: BUSINESS }), otherKey);
    expect((await send('POST', `/v1/agent/${OTHER}`, body)).status).toBe(403);
    const first = await send('POST', `/v1/agent/${OTHER}`, theirs);
    const again = await send('POST', `/v1/agent/${OTHER}`, theirs);
    expect([first.status, again.status, await again.text()]).toEqual([200, 403, '']);
    otherToken = ((await first.json()) as { token: string }).token;
  });

  it('gives a token that is stored only as a hash, and a new one replaces it', async () => {
    const dump = JSON.stringify((await world.state.pool.query('select * from habeas.partner_tokens')).rows);
    expect(dump).not.toContain(token);
    const before = otherToken;
    otherToken = await tokenOf(OTHER, otherKey);
    expect((await send('GET', `/v1/agent/${OTHER}`, undefined, { bearer: before })).status).toBe(403);
    expect((await send('GET', `/v1/agent/${OTHER}`, undefined, { bearer: otherToken })).status).toBe(200);
  });

  it('says of a token whether it is valid for its agent', async () => {
    const own = await send('GET', `/v1/agent/${AGENT}`, undefined, { bearer: token });
    expect([own.status, await own.json()]).toEqual([200, {}]);
    for (const bearer of [otherToken, 'unknown', undefined]) {
      expect((await send('GET', `/v1/agent/${AGENT}`, undefined, { bearer })).status).toBe(403);
    }
  });
});

describe('a data rights request', () => {
  it.each([
    ['no base64', 400, () => '%%%', () => token],
    ['a tampered body', 403, () => tampered(combined(exercise(), key)), () => token],
    ['a tampered signature', 403, () => tampered(combined(exercise(), key), 5), () => token],
    ['the key of another agent', 403, () => combined(exercise(), otherKey), () => token],
    ['a foreign token', 403, () => combined(exercise(), key), () => otherToken],
    ['an unknown token', 403, () => combined(exercise(), key), () => 'unknown'],
    ['another agent in the message', 403, () => combined(exercise({ 'agent-id': OTHER }), key), () => token],
    ['another business', 403, () => combined(exercise({ 'business-id': 'SOMEBODY_ELSE' }), key), () => token],
    [
      'a fast clock',
      400,
      () => combined(exercise(claims({ agent: AGENT, business: BUSINESS, issuedIn: 30 })), key),
      () => token,
    ],
    [
      'an expired message',
      400,
      () =>
        combined(exercise(claims({ agent: AGENT, business: BUSINESS, issuedIn: -60, expiresIn: -1 })), key),
      () => token,
    ],
    [
      'a time without a zone',
      400,
      () => combined(exercise({ 'expires-at': '2999-01-01T00:00:00' }), key),
      () => token,
    ],
    [
      'an action that is not offered',
      400,
      () => combined(exercise({ exercise: 'access:categories' }), key),
      () => token,
    ],
    [
      'an action that nobody knows',
      400,
      () => combined(exercise({ exercise: 'constructor' }), key),
      () => token,
    ],
    ['another regime', 400, () => combined(exercise({ regime: 'lgpd' }), key), () => token],
    ['another version', 400, () => combined(exercise({ 'drp.version': '2.0' }), key), () => token],
    [
      'a callback that nobody approved',
      409,
      () => combined(exercise({ status_callback: 'http://169.254.169.254/' }), key),
      () => token,
    ],
  ])('with %s is refused with %i, and nothing is begun', async (_, status, body, bearerOf) => {
    const before = await requestsMade();
    const answer = await send('POST', '/v1/data-rights-request', body(), { bearer: bearerOf() });
    const error = (await answer.json()) as { code: string; message: string; fatal?: boolean };
    expect([answer.status, error.code]).toEqual([status, String(status)]);
    expect(error.message).not.toContain('nobody@example.com');
    expect(await requestsMade()).toBe(before);
  });

  it('checks the signature before the agent, the agent before the business, and the business before the times', async () => {
    const late = claims({ agent: OTHER, business: 'SOMEBODY_ELSE', issuedIn: 60, expiresIn: -60 });
    const wrong: Record<string, unknown> = { ...exercise(), ...late };
    const messages = [];
    const ask = async (signedBy: AgentKey) =>
      ((await (await post(wrong, { signedBy })).json()) as { message: string }).message;
    messages.push(await ask(otherKey), await ask(key));
    wrong['agent-id'] = AGENT;
    messages.push(await ask(key));
    wrong['business-id'] = BUSINESS;
    messages.push(await ask(key));
    wrong['issued-at'] = good()['issued-at'];
    messages.push(await ask(key));
    expect(messages.map((message) => message.split(' ').slice(0, 2).join(' '))).toEqual([
      'The signature',
      'agent-id is',
      'business-id is',
      'issued-at is',
      'The message',
    ]);
  });

  it('for deletion is carried out, told at its callback, and only its agent may look at it', async () => {
    const seen = world.receiver.messages.length;
    const answer = await post(
      exercise({
        email: 'cid@example.com',
        'agent-request-id': 'case-1',
        status_callback: `${world.callbackOrigin}/update_status`,
      }),
    );
    expect(answer.status).toBe(200);
    const made = (await answer.json()) as Status;
    expect(made).toMatchObject({
      agent_request_id: 'case-1',
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(made.received_at).toMatch(/\+00:00$/);
    expect(made.expected_by).toMatch(/\+00:00$/);
    await eventually('it is fulfilled', async () => (await statusOf(made.request_id)).status === 'fulfilled');
    expect(await world.emails()).not.toContain('cid@example.com');
    await eventually('the agent is told', () =>
      world.receiver.messages.slice(seen).some(({ body }) => JSON.parse(body).status === 'fulfilled'),
    );
    const told = world.receiver.messages.slice(seen);
    for (const { path, body, headers } of told) {
      expect([path, headers['content-type']]).toEqual(['/update_status', 'application/json']);
      expect(JSON.parse(body)).toMatchObject({ request_id: made.request_id, agent_request_id: 'case-1' });
      expect(body).not.toContain('cid@example.com');
    }
    for (const bearer of [otherToken, undefined]) {
      expect(
        (await send('GET', `/v1/data-rights-request/${made.request_id}`, undefined, { bearer })).status,
      ).toBe(403);
    }
    const foreign = await send(
      'DELETE',
      `/v1/data-rights-request/${made.request_id}`,
      combined({}, otherKey),
      { bearer: otherToken },
    );
    expect(foreign.status).toBe(403);
    const late = await send('DELETE', `/v1/data-rights-request/${made.request_id}`, combined({}, key), {
      bearer: token,
    });
    expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([409, '409']);
  });

  it('that comes again, as the same bytes or under the same id of the agent, is the same request', async () => {
    const body = combined(exercise({ email: 'twice@example.com' }), key);
    const before = await requestsMade();
    const ids = [];
    for (let time = 0; time < 3; time += 1) {
      const answer = await send('POST', '/v1/data-rights-request', body, {
        bearer: token,
        type: 'application/json',
      });
      ids.push(((await answer.json()) as Status).request_id);
    }
    expect(new Set(ids).size).toBe(1);
    expect(await requestsMade()).toBe(before + 1);
    const named = () => exercise({ email: 'thrice@example.com', 'agent-request-id': 'case-2' });
    const [one, two] = [await post(named()), await post(named())];
    expect(((await one.json()) as Status).request_id).toBe(((await two.json()) as Status).request_id);
    expect(await requestsMade()).toBe(before + 2);
    const other = await post({ ...named(), email: 'somebody-else@example.com' });
    expect([other.status, ((await other.json()) as { fatal: boolean }).fatal]).toEqual([422, true]);
  });

  it('sent by many at the same time under one id is one request', async () => {
    const before = await requestsMade();
    const body = combined(exercise({ email: 'crowd@example.com', 'agent-request-id': 'case-crowd' }), key);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => send('POST', '/v1/data-rights-request', body, { bearer: token })),
    );
    const ids = await Promise.all(
      answers.map(async (answer) => ((await answer.json()) as Status).request_id),
    );
    expect([new Set(ids).size, answers.every(({ status }) => status === 200)]).toEqual([1, true]);
    expect(await requestsMade()).toBe(before + 1);
  });

  it.each([
    ['sale:opt-out', false],
    ['sale:opt_in', true],
  ])('for %s begins or ends an opt-out of sale and sharing', async (action, lift) => {
    const made = (await (
      await post(exercise({ exercise: action, email: 'bob@example.com' }))
    ).json()) as Status;
    expect(made.request_id).toMatch(/^[0-9a-f-]{36}$/);
    const { items } = (await (await world.api('GET', '/api/v1/requests?right=opt_out_of_sale')).json()) as {
      items: { regime: string; lift: boolean }[];
    };
    expect(items[0]).toMatchObject({ regime: 'ccpa', lift });
  });

  it('about somebody whom no system knows is denied for that', async () => {
    const made = (await (await post(exercise({ email: 'stranger@example.com' }))).json()) as Status;
    await eventually('it is denied', async () => (await statusOf(made.request_id)).status === 'denied');
    expect(await statusOf(made.request_id)).toMatchObject({
      reason: 'no_match',
      processing_details: expect.any(String),
    });
  });

  it('for access gives the package to its agent alone', async () => {
    const made = (await (
      await post(exercise({ exercise: 'access', email: 'bob@example.com' }))
    ).json()) as Status;
    await eventually('it is fulfilled', async () => (await statusOf(made.request_id)).status === 'fulfilled');
    const { results_url: url, expires_at: until } = await statusOf(made.request_id);
    expect(url).toBe(`https://habeas.acme.example/v1/data-rights-request/${made.request_id}/results`);
    expect(until).toMatch(/\+00:00$/);
    const path = new URL(url ?? '').pathname;
    const answer = await send('GET', path, undefined, { bearer: token });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip']);
    const files = await readZip(Buffer.from(await answer.arrayBuffer()));
    expect(JSON.stringify([...files.values()].map(String))).toContain('bob@example.com');
    expect((await send('GET', path, undefined, { bearer: otherToken })).status).toBe(403);
    expect((await send('GET', path)).status).toBe(403);
  });

  it('with claims that nobody verified needs verification, does nothing, and goes on when they are', async () => {
    const before = await requestsMade();
    const ask = (verified: boolean) =>
      exercise({
        email: 'ann@example.com',
        name: 'Ann',
        email_verified: verified,
        'agent-request-id': 'case-3',
      });
    const made = (await (await post(ask(false))).json()) as Status;
    expect(made).toMatchObject({
      status: 'in_progress',
      reason: 'need_user_verification',
      user_verification_url: null,
      expires_at: expect.stringMatching(/\+00:00$/),
    });
    expect(await requestsMade()).toBe(before);
    const again = (await (await post(ask(true))).json()) as Status;
    expect(again.request_id).toBe(made.request_id);
    expect(await requestsMade()).toBe(before + 1);
    await eventually('it ends', async () => (await statusOf(made.request_id)).status !== 'in_progress');
  });

  it('without a verified claim can be revoked, and revoking again changes nothing', async () => {
    const made = (await (await post(exercise({ email_verified: false }))).json()) as Status;
    const path = `/v1/data-rights-request/${made.request_id}`;
    const stale = {
      reason: 'x',
      ...claims({ agent: AGENT, business: BUSINESS, issuedIn: -60, expiresIn: -1 }),
    };
    expect((await send('DELETE', path, combined(stale, key), { bearer: token })).status).toBe(400);
    expect((await send('DELETE', path, tampered(combined({}, key)), { bearer: token })).status).toBe(403);
    expect((await statusOf(made.request_id)).status).toBe('in_progress');
    for (let time = 0; time < 2; time += 1) {
      const answer = await send('DELETE', path, combined({ reason: 'I changed my mind, says Ann' }, key), {
        bearer: token,
      });
      expect([answer.status, ((await answer.json()) as Status).status]).toEqual([200, 'revoked']);
    }
    expect(world.log.join('')).not.toContain('changed my mind');
  });

  it('of an agent whose key changed is refused until it sets up anew', async () => {
    const swapped = newAgentKey();
    const agent = 'SWAPPED';
    await register(agent, swapped);
    const bearer = await tokenOf(agent, swapped);
    const next = newAgentKey();
    await register(agent, next);
    const asked = { ...exercise(), ...claims({ agent, business: BUSINESS }) };
    expect((await post(asked, { bearer, signedBy: swapped })).status).toBe(403);
    expect((await post(asked, { bearer, signedBy: next })).status).toBe(403);
    expect((await post(asked, { bearer: await tokenOf(agent, next), signedBy: next })).status).toBe(200);
  });

  it('of an agent that was revoked is refused', async () => {
    const gone = newAgentKey();
    await register('GONE', gone);
    const bearer = await tokenOf('GONE', gone);
    const { items } = (await (await world.api('GET', '/api/v1/partners')).json()) as {
      items: { id: string; partner_id: string }[];
    };
    const id = items.find(({ partner_id }) => partner_id === 'GONE')?.id;
    expect((await world.api('DELETE', `/api/v1/partners/${id}`)).status).toBe(200);
    expect((await send('GET', '/v1/agent/GONE', undefined, { bearer })).status).toBe(403);
    const setup = combined(claims({ agent: 'GONE', business: BUSINESS }), gone);
    expect((await send('POST', '/v1/agent/GONE', setup)).status).toBe(403);
  });

  it('leaves nothing personal in the log, and nothing of the agent in the clear in the database', async () => {
    expect(world.log.join('')).not.toMatch(/@example\.com|cid@|bob@/);
    const rows = JSON.stringify((await world.state.pool.query('select * from habeas.partner_requests')).rows);
    expect(rows).not.toMatch(/example\.com|update_status|case-1/);
  });
});

/** The same with one byte changed; from the end, unless the place is given. */
function tampered(base64: string, at = -3): string {
  const bytes = Buffer.from(base64, 'base64');
  const index = (at + bytes.length) % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return bytes.toString('base64');
}
