import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ADA, call, startService } from '../test/service.ts';
import { PersonalDataError } from './index.ts';

describe('a service over HTTP and JSON', () => {
  it('answers everything that it holds about a person', async () => {
    const service = await startService();
    const { status, json } = await service.post('personal-data:get');
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        operation: { name: expect.stringMatching(/^op_\w+$/), state: 'SUCCEEDED', counts: { profiles: 2 } },
        records: [
          { collection: 'profiles', row: { id: '1' } },
          { collection: 'profiles', row: { id: '2' } },
        ],
      },
    });
  });

  it('erases once, and then holds nothing', async () => {
    const service = await startService();
    expect((await service.post('personal-data:delete')).json.operation).toMatchObject({
      state: 'SUCCEEDED',
      counts: { profiles: 2 },
    });
    expect((await service.post('personal-data:verify')).json.operation).toMatchObject({ state: 'NO_MATCH' });
    expect((await service.post('personal-data:get')).json.operation).toMatchObject({ state: 'NO_MATCH' });
  });

  it('answers the same operation to the same key and erases once, one after the other and at the same time', async () => {
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const service = await startService({
      delete: async () => {
        runs += 1;
        await gate.promise;
        return { counts: { profiles: 2 } };
      },
    });
    const body = call();
    const pending = Array.from({ length: 10 }, () => service.post('personal-data:delete', body));
    // These calls came later and are answered: the ten are all in by now.
    for (let index = 0; index < 10; index += 1) await service.post('personal-data:describe', {});
    gate.resolve();
    const answers = await Promise.all(pending);
    answers.push(await service.post('personal-data:delete', body));
    for (const answer of answers) expect(answer.json).toEqual(answers[0]?.json);
    expect(answers[0]?.json.operation).toMatchObject({ state: 'SUCCEEDED', counts: { profiles: 2 } });
    expect(runs).toBe(1);
  });

  it('refuses a key that is at work on another call, and does not begin it', async () => {
    const asked: (readonly string[])[] = [];
    const service = await startService({
      delete: (given) =>
        given.later(async () => {
          asked.push(given.values('email'));
          return new Promise((_, reject) => given.signal.addEventListener('abort', reject));
        }),
    });
    const body = call();
    await service.post('personal-data:delete', body);
    const other = { ...body, identities: [{ type: 'email', value: 'bob@example.org' }] };
    expect((await service.post('personal-data:delete', other)).status).toBe(400);
    await expect.poll(() => asked).toEqual([[ADA]]);
    await service.close();
    expect(asked).toEqual([[ADA]]);
  });

  it('refuses a key that was used for another call', async () => {
    const service = await startService();
    const body = call();
    await service.post('personal-data:delete', body);
    const others = [
      ['personal-data:get', body],
      ['personal-data:delete', { ...body, requestId: 'req_2' }],
      ['personal-data:delete', { ...body, identities: [{ type: 'email', value: 'bob@example.org' }] }],
      ['personal-data:delete', { ...body, dryRun: true }],
    ] as const;
    for (const [path, other] of others) {
      expect(await service.post(path, other)).toEqual({
        status: 400,
        json: { code: 'invalid_argument', message: 'this idempotency_key was used for another call' },
      });
    }
    expect(service.deletions).toHaveLength(1);
    const moved = await service.post('personal-data:delete', { ...body, dueTime: '2030-01-01T00:00:00Z' });
    expect(moved.json.operation.state).toBe('SUCCEEDED');
  });

  it('counts in a dry run what would be erased, and never calls delete', async () => {
    const service = await startService();
    const { json } = await service.post('personal-data:delete', call({ dryRun: true }));
    expect(json.operation).toMatchObject({ state: 'SUCCEEDED', counts: { profiles: 2 } });
    expect(service.deletions).toEqual([]);
    expect(service.data.get(ADA)).toHaveLength(2);
    const got = await service.post('personal-data:get', call({ dryRun: true }));
    expect(got.json.operation).toMatchObject({ state: 'SUCCEEDED', counts: { profiles: 2 } });
    expect(got.json.records).toBeUndefined();
  });

  it('says what was kept, why and until when', async () => {
    const until = new Date('2033-01-01T00:00:00Z');
    const service = await startService({
      delete: () => ({
        counts: { profiles: 2 },
        retained: [{ category: 'invoices', count: 3, reason: 'tax law', until }],
        residuals: [{ what: 'nightly backup', until }, { what: 'search cache' }],
      }),
    });
    expect((await service.post('personal-data:delete')).json.operation).toMatchObject({
      state: 'RETAINED',
      retained: [{ category: 'invoices', count: 3, reason: 'tax law', until: '2033-01-01T00:00:00Z' }],
      residuals: [{ what: 'nightly backup', until: '2033-01-01T00:00:00Z' }, { what: 'search cache' }],
    });
  });

  it('tells a failure without the text of the error, and tries again under the same key', async () => {
    const errors: unknown[] = [];
    let attempts = 0;
    const service = await startService({
      onError: (error) => errors.push(error),
      delete: () => {
        attempts += 1;
        if (attempts === 1) throw new RangeError(`duplicate key (email)=(${ADA})`);
        if (attempts === 2)
          throw new PersonalDataError('READ_ONLY', 'The database is read-only until 14:00.');
        return { counts: { profiles: 2 } };
      },
    });
    const body = call();
    const first = await service.post('personal-data:delete', body);
    expect(first.json.operation).toMatchObject({
      state: 'FAILED',
      error: { code: 'HANDLER_FAILED', message: "The service's handler threw RangeError.", retryable: true },
    });
    expect((await service.post('personal-data:delete', body)).json.operation).toMatchObject({
      name: first.json.operation.name,
      state: 'FAILED',
      error: { code: 'READ_ONLY', message: 'The database is read-only until 14:00.' },
    });
    expect((await service.post('personal-data:delete', body)).json.operation).toMatchObject({
      name: first.json.operation.name,
      state: 'SUCCEEDED',
    });
    expect(errors).toHaveLength(2);
  });

  it('refuses calls without a key, without a person, with NUL, and bodies that are none', async () => {
    const service = await startService();
    const bad = [
      call({ idempotencyKey: '' }),
      call({ requestId: '' }),
      call({ identities: [] }),
      call({ identities: [{ type: 'email', value: '' }] }),
      call({ identities: [{ type: 'email', value: 'a\0b' }] }),
      call({ identities: [{ type: 'email', value: 'x'.repeat(1_001) }] }),
      call({ identities: 'ada' }),
      call({ callback: { url: 'file:///etc/passwd', secret: 'x' } }),
      [],
    ];
    for (const body of bad) {
      const { status, json } = await service.post('personal-data:get', body);
      expect(status).toBe(400);
      expect(json.code).toBe('invalid_argument');
      expect(JSON.stringify(json)).not.toContain('ada');
    }
  });

  it('takes identities literally', async () => {
    const service = await startService();
    const hostile = [
      `o'brien"@example.org`,
      `x'; drop table profiles; --@example.org`,
      'a\r\nb@example.org',
      'ж@пример.рф',
    ];
    for (const value of hostile) {
      service.data.set(value, [{ id: value }]);
      const { json } = await service.post(
        'personal-data:get',
        call({ identities: [{ type: 'email', value }] }),
      );
      expect(json.records).toEqual([{ collection: 'profiles', row: { id: value } }]);
    }
  });

  it('describes itself, resolves identities or says that it does not', async () => {
    const plain = await startService();
    expect((await plain.post('personal-data:describe', {})).json).toEqual({
      service: 'accounts',
      dataCategories: ['user.contact.email'],
      identityTypesNeeded: ['email'],
      rights: ['access', 'erasure'],
      limits: { maxPageSize: 5000 },
    });
    expect((await plain.post('personal-data:resolve-identities')).status).toBe(501);
    const resolving = await startService({ resolveIdentities: () => [{ type: 'user_id', value: '7' }] });
    expect((await resolving.post('personal-data:resolve-identities')).json).toMatchObject({
      operation: { state: 'SUCCEEDED', counts: { identities: 1 } },
      identities: [{ type: 'user_id', value: '7' }],
    });
  });

  it('keeps rows without loss: long numbers, times, bytes, nothing', async () => {
    const row = {
      long: 9_007_199_254_740_993n,
      at: new Date(0),
      bytes: new Uint8Array([1, 2, 255]),
      none: null,
      missing: undefined,
      nan: Number.NaN,
      nested: { list: [1.5, true, 'ü'] },
    };
    const service = await startService({ get: () => [{ collection: 'all', row }] });
    expect((await service.post('personal-data:get')).json.records).toEqual([
      {
        collection: 'all',
        row: {
          long: '9007199254740993',
          at: '1970-01-01T00:00:00.000Z',
          bytes: 'AQL/',
          none: null,
          nan: 'NaN',
          nested: { list: [1.5, true, 'ü'] },
        },
      },
    ]);
  });

  it('answers 404, 405 and 415 where they belong', async () => {
    const service = await startService();
    const authorization = `Bearer ${await service.signer.token()}`;
    expect((await fetch(`${service.url}/v2/nothing`)).status).toBe(404);
    const wrongVerb = await fetch(`${service.url}/v1/personal-data:get`, { headers: { authorization } });
    expect([wrongVerb.status, wrongVerb.headers.get('allow')]).toEqual([405, 'POST']);
    const html = await fetch(`${service.url}/v1/personal-data:get`, {
      method: 'POST',
      body: '<p>',
      headers: { authorization },
    });
    expect(html.status).toBe(415);
    expect((await service.get(`operations/${randomUUID()}`)).status).toBe(404);
  });
});
