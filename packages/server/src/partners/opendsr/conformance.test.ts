import { randomUUID, verify, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/eventually.ts';
import { EXPIRED_CERTIFICATE, PARTNER_CA } from '../../../test/partner-certificates.ts';
import { DOMAIN, type PartnerWorld, startPartnerWorld } from '../../../test/partner-world.ts';
import { readZip } from '../../../test/read-zip.ts';

let world: PartnerWorld;
let token: string;
let otherToken: string;

beforeAll(async () => {
  world = await startPartnerWorld();
  token = await register('shop-controller');
  otherToken = await register('other-controller');
});

afterAll(() => world[Symbol.asyncDispose]());

async function register(id: string, at: PartnerWorld = world): Promise<string> {
  const answer = await at.api('POST', '/api/v1/partners/controllers', {
    controller_id: id,
    name: 'A controller',
    callback_origins: [at.callbackOrigin],
  });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { token: string }).token;
}

interface Sent {
  readonly bearer?: string | undefined;
  readonly at?: PartnerWorld;
}

const send = (
  method: string,
  path: string,
  body?: object | string,
  { bearer, at = world }: Sent = { bearer: token },
) =>
  fetch(new URL(path, at.url), {
    method,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  });

const asked = (more: object = {}) => ({
  regulation: 'gdpr',
  subject_request_id: randomUUID(),
  subject_request_type: 'erasure',
  subject_identities: [
    { identity_type: 'email', identity_value: 'nobody@example.com', identity_format: 'raw' },
  ],
  submitted_time: new Date().toISOString(),
  api_version: '2.0',
  ...more,
});

/** As a controller does it: the certificate of discovery, its host, its authority, and then the signature over the bytes. */
async function verified(
  headers: Headers | ReadonlyMap<string, string>,
  body: string,
  family = 'opendsr',
): Promise<boolean> {
  const discovered = (await (await send('GET', '/v2/discovery')).json()) as { processor_certificate: string };
  const pem = await (
    await send('GET', new URL(discovered.processor_certificate).pathname, undefined, {})
  ).text();
  const certificate = new X509Certificate(pem);
  if (headers.get(`x-${family}-processor-domain`) !== DOMAIN) return false;
  if (
    certificate.checkHost(DOMAIN) === undefined ||
    !certificate.verify(new X509Certificate(PARTNER_CA).publicKey)
  )
    return false;
  const signature = Buffer.from(headers.get(`x-${family}-signature`) ?? '', 'base64');
  return verify('sha256', Buffer.from(body), certificate.publicKey, signature);
}

async function requestsMade(): Promise<number> {
  const answer = await world.api('GET', '/api/v1/requests?limit=500');
  return ((await answer.json()) as { items: unknown[] }).items.length;
}

const statusOf = async (id: string) =>
  ((await (await send('GET', `/v2/requests/${id}`)).json()) as { request_status: string }).request_status;

describe('discovery', () => {
  it('says what is supported and where the certificate is, signed, to anybody', async () => {
    for (const [path, version] of [
      ['/v2/discovery', '2.0'],
      ['/v1/discovery', '1.0'],
    ] as const) {
      const answer = await send('GET', path, undefined, {});
      const body = await answer.text();
      expect(JSON.parse(body)).toEqual({
        api_version: version,
        supported_identities: [
          { identity_type: 'email', identity_format: 'raw' },
          { identity_type: 'controller_customer_id', identity_format: 'raw' },
        ],
        supported_subject_request_types: expect.arrayContaining(['access', 'erasure']),
        processor_certificate: `https://${DOMAIN}/v2/certificate.pem`,
      });
      expect(await verified(answer.headers, body)).toBe(true);
      expect(await verified(answer.headers, body, 'opengdpr')).toBe(true);
      expect(await verified(answer.headers, body.replace('email', 'e-mail'))).toBe(false);
    }
  });
});

describe('a request of a controller', () => {
  it.each(['/v2/requests', '/v2/opengdpr_requests', '/v1/opengdpr_requests'])(
    'at %s is answered with 201, signed',
    async (path) => {
      const request = asked({ api_version: path.startsWith('/v1') ? '1.0' : '2.0' });
      const text = JSON.stringify(request, null, 1);
      const answer = await send('POST', path, text);
      const body = await answer.text();
      expect([answer.status, JSON.parse(body)]).toEqual([
        201,
        {
          controller_id: 'shop-controller',
          subject_request_id: request.subject_request_id,
          received_time: expect.stringMatching(/Z$/),
          expected_completion_time: expect.stringMatching(/Z$/),
          encoded_request: Buffer.from(text).toString('base64'),
        },
      ]);
      expect(await verified(answer.headers, body)).toBe(true);
      const read = await send('GET', `${path}/${request.subject_request_id}`);
      const status = await read.text();
      expect([read.status, JSON.parse(status)]).toMatchObject([
        200,
        { controller_id: 'shop-controller', request_status: expect.any(String) },
      ]);
      expect(await verified(read.headers, status)).toBe(true);
    },
  );

  it('needs no regulation in version 1, which knew only one', async () => {
    const { regulation: _, ...old } = asked({ api_version: '1.0' });
    expect((await send('POST', '/v1/opengdpr_requests', old)).status).toBe(201);
    expect((await send('POST', '/v2/requests', { ...old, api_version: '2.0' })).status).toBe(400);
  });

  const raw = { identity_type: 'email', identity_value: 'nobody@example.com', identity_format: 'raw' };
  it.each([
    ['a hash', { subject_identities: [{ ...raw, identity_format: 'sha256' }] }, 'identity_format'],
    [
      'an identity type that is not supported',
      { subject_identities: [{ ...raw, identity_type: 'android_id' }] },
      'identity_type',
    ],
    [
      'an identity type of every object',
      { subject_identities: [{ ...raw, identity_type: 'constructor' }] },
      'identity_type',
    ],
    ['no identities', { subject_identities: [] }, 'subject_identities'],
    ['an id in upper case', { subject_request_id: randomUUID().toUpperCase() }, 'subject_request_id'],
    [
      'an id of another version',
      { subject_request_id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' },
      'subject_request_id',
    ],
    ['a type that nobody knows', { subject_request_type: 'rectification' }, 'subject_request_type'],
    ['another regulation', { regulation: 'lgpd' }, 'regulation'],
    ['another version', { api_version: '3.0' }, 'api_version'],
    ['a time in the future', { submitted_time: '2999-01-01T00:00:00Z' }, 'submitted_time'],
    ['no time', { submitted_time: 'yesterday' }, 'submitted_time'],
    ['an extension for us', { extensions: { [DOMAIN]: { property: 1 } } }, 'extensions'],
    [
      'a callback that nobody approved',
      { status_callback_urls: ['http://169.254.169.254/latest'] },
      'callback',
    ],
    ['a callback with a user', { status_callback_urls: ['http://user@127.0.0.1/'] }, 'callback'],
  ])('with %s is refused, and nothing is begun', async (_, more, names) => {
    const before = await requestsMade();
    const answer = await send('POST', '/v2/requests', asked(more));
    const { error } = (await answer.json()) as { error: { code: number; message: string } };
    expect([answer.status, error.code, JSON.stringify(error)]).toEqual([
      400,
      400,
      expect.stringContaining(names),
    ]);
    expect(JSON.stringify(error)).not.toMatch(/nobody@example|latest/);
    expect(await requestsMade()).toBe(before);
  });

  it.each(['', '{', '[]', 'null', '\u0000'])('that is %j is refused as no request', async (body) => {
    expect((await send('POST', '/v2/requests', body)).status).toBe(400);
  });

  it('of nobody, or with a wrong token, is refused with 401', async () => {
    for (const bearer of [undefined, 'wrong', `${token}x`]) {
      const answer = await send('POST', '/v2/requests', asked(), { bearer });
      expect([answer.status, ((await answer.json()) as { error: { code: number } }).error.code]).toEqual([
        401, 401,
      ]);
    }
  });

  it('that comes again is the same one, and with another content it is refused', async () => {
    const request = asked();
    const before = await requestsMade();
    const answers = await Promise.all(Array.from({ length: 6 }, () => send('POST', '/v2/requests', request)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
    expect(await requestsMade()).toBe(before + 1);
    const changed = await send('POST', '/v2/requests', { ...request, subject_request_type: 'access' });
    expect([changed.status, await requestsMade()]).toEqual([400, before + 1]);
  });

  it('is nothing to another controller, which may use the same id for its own', async () => {
    const request = asked();
    await send('POST', '/v2/requests', request);
    const path = `/v2/requests/${request.subject_request_id}`;
    for (const method of ['GET', 'DELETE']) {
      expect([method, (await send(method, path, undefined, { bearer: otherToken })).status]).toEqual([
        method,
        404,
      ]);
      expect([method, (await send(method, path, undefined, {})).status]).toEqual([method, 401]);
    }
    expect(
      (
        await send(
          'POST',
          '/v2/requests',
          { ...request, subject_request_type: 'access' },
          { bearer: otherToken },
        )
      ).status,
    ).toBe(201);
  });

  it('for erasure erases, and is told at each of its callbacks, in order and signed', async () => {
    const seen = world.receiver.messages.length;
    const urls = [`${world.callbackOrigin}/one?tenant=1`, `${world.callbackOrigin}/two`];
    const request = asked({
      subject_identities: [
        { identity_type: 'controller_customer_id', identity_value: '3', identity_format: 'raw' },
      ],
      status_callback_urls: urls,
    });
    // The first try of each is lost.
    let refusals = 2;
    world.receiver.answer = (response) => {
      refusals -= 1;
      response.writeHead(refusals >= 0 ? 503 : 202).end();
    };
    expect((await send('POST', '/v2/requests', request)).status).toBe(201);
    await eventually(
      'it is completed',
      async () => (await statusOf(request.subject_request_id)) === 'completed',
    );
    expect(await world.emails()).not.toContain('cid@example.com');
    const own = () =>
      world.receiver.messages.slice(seen).filter(({ body }) => body.includes(request.subject_request_id));
    const completions = () => own().filter(({ body }) => JSON.parse(body).request_status === 'completed');
    await eventually('both are told', () => new Set(completions().map(({ path }) => path)).size === 2);
    for (const { path, body, headers } of own()) {
      const told = JSON.parse(body);
      expect(told).toMatchObject({
        controller_id: 'shop-controller',
        subject_request_id: request.subject_request_id,
        status_callback_url: `${world.callbackOrigin}${path}`,
        expected_completion_time: expect.any(String),
      });
      expect(
        await verified(new Map(Object.entries(headers).map(([name, value]) => [name, String(value)])), body),
      ).toBe(true);
    }
    for (const url of urls) {
      const statuses = own()
        .filter(({ path }) => url.endsWith(path))
        .map(({ body }) => JSON.parse(body).request_status);
      expect([...new Set(statuses)]).toEqual(
        statuses.includes('in_progress') ? ['in_progress', 'completed'] : ['completed'],
      );
    }
    const late = await send('DELETE', `/v2/requests/${request.subject_request_id}`);
    expect(late.status).toBe(400);
  });

  it('for access has its results at the address that its status names, for this controller alone', async () => {
    const request = asked({
      subject_request_type: 'access',
      subject_identities: [{ ...raw, identity_value: 'bob@example.com' }],
    });
    await send('POST', '/v2/requests', request);
    await eventually(
      'it is completed',
      async () => (await statusOf(request.subject_request_id)) === 'completed',
    );
    const { results_url: url } = (await (
      await send('GET', `/v2/requests/${request.subject_request_id}`)
    ).json()) as { results_url: string };
    expect(url).toBe(`https://${DOMAIN}/v2/requests/${request.subject_request_id}/results`);
    const answer = await send('GET', new URL(url).pathname);
    const files = await readZip(Buffer.from(await answer.arrayBuffer()));
    expect(JSON.stringify([...files.values()].map(String))).toContain('bob@example.com');
    expect((await send('GET', new URL(url).pathname, undefined, { bearer: otherToken })).status).toBe(404);
  });

  it('leaves nothing personal in the log, and no token and no address in the clear in the database', async () => {
    expect(world.log.join('')).not.toMatch(/@example\.com|tenant=1/);
    const tables = ['partners', 'partner_tokens', 'partner_requests', 'partner_callbacks'];
    for (const table of tables) {
      const rows = JSON.stringify((await world.state.pool.query(`select * from habeas.${table}`)).rows);
      expect([table, rows.includes(token), rows.includes('tenant=1')]).toEqual([table, false, false]);
    }
  });
});

describe('a controller', () => {
  it('that is registered again gets another token, and one that is revoked gets in no more', async () => {
    const first = await register('passing');
    const second = await register('passing');
    const path = '/v2/requests/none';
    expect((await send('GET', path, undefined, { bearer: first })).status).toBe(401);
    expect((await send('GET', path, undefined, { bearer: second })).status).toBe(404);
    const { items } = (await (await world.api('GET', '/api/v1/partners')).json()) as {
      items: { id: string; partner_id: string }[];
    };
    await world.api(
      'DELETE',
      `/api/v1/partners/${items.find(({ partner_id }) => partner_id === 'passing')?.id}`,
    );
    expect((await send('GET', path, undefined, { bearer: second })).status).toBe(401);
  });

  it('may cancel while its request is pending, and only then', async () => {
    await using waiting = await startPartnerWorld({ policy: 'erasure: { wait: 1d }' });
    const bearer = await register('patient', waiting);
    const at = { bearer, at: waiting };
    const request = asked({ status_callback_urls: [`${waiting.callbackOrigin}/told`] });
    await send('POST', '/v2/requests', request, at);
    const path = `/v2/requests/${request.subject_request_id}`;
    expect(await (await send('GET', path, undefined, at)).json()).toMatchObject({
      request_status: 'pending',
    });
    for (let time = 0; time < 2; time += 1) {
      const answer = await send('DELETE', path, undefined, at);
      expect([answer.status, await answer.json()]).toEqual([
        202,
        {
          controller_id: 'patient',
          subject_request_id: request.subject_request_id,
          received_time: expect.any(String),
          api_version: '2.0',
        },
      ]);
    }
    expect(await (await send('GET', path, undefined, at)).json()).toMatchObject({
      request_status: 'cancelled',
    });
    await eventually('it is told', () =>
      waiting.receiver.messages.some(({ body }) => body.includes('cancelled')),
    );
    expect(waiting.receiver.messages).toHaveLength(1);
  });

  it('gets no answer that cannot be signed, and nothing is begun then', async () => {
    await using broken = await startPartnerWorld({ files: { 'tls/chain.pem': EXPIRED_CERTIFICATE } });
    const at = { bearer: await register('early', broken), at: broken };
    for (const [method, path, body] of [
      ['GET', '/v2/discovery', undefined],
      ['POST', '/v2/requests', asked()],
    ] as const) {
      const answer = await send(method, path, body, at);
      expect([path, answer.status, await answer.text()]).toEqual([
        path,
        503,
        expect.stringContaining('has expired'),
      ]);
    }
    const { items } = (await (await broken.api('GET', '/api/v1/requests')).json()) as { items: unknown[] };
    expect(items).toEqual([]);
  });
});
