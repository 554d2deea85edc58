import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';

let database: TestDatabase;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase();
  app = await createHttpServer(inMemoryApplication({ db: database.db }));
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const send = (url: string, payload?: object) =>
  app.inject({
    method: payload === undefined ? 'GET' : 'POST',
    url,
    headers: { authorization: `Bearer ${TEST_KEY}` },
    ...(payload === undefined ? {} : { payload }),
  });
const work = async () => (await app.inject({ method: 'GET', url: '/health' })).json().work;

describe('the switch that stops work', () => {
  it('shows in health and figures for as long as it is set', async () => {
    expect(await work()).toBe('goes-on');
    const reason = 'an incident';
    expect((await send('/api/v1/pauses', { system: 'shop', reason })).json().items).toMatchObject([
      { scope: 'system', system: 'shop', reason, paused_by: 'key:key_test' },
    ]);
    expect(await work()).toBe('partly-paused');
    await send('/api/v1/pauses', { reason });
    expect([await work(), (await app.inject('/health')).statusCode]).toEqual(['paused', 200]);
    const figures = (await send('/metrics')).body;
    expect(figures).toContain('habeas_paused{scope="system",system="shop"} 1');
    expect(figures).toContain('habeas_paused{scope="organization",system=""} 1');
    await send('/api/v1/pauses:resume', {});
    expect((await send('/api/v1/pauses:resume', { system: 'shop' })).json()).toEqual({ items: [] });
    expect([await work(), (await send('/metrics')).body.includes('habeas_paused{')]).toEqual([
      'goes-on',
      false,
    ]);
  });

  it('needs a reason', async () => {
    expect((await send('/api/v1/pauses', {})).json().code).toBe('BAD_INPUT');
  });
});
