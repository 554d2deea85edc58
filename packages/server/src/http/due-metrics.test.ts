import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { requireProgram } from '../../test/requirements.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const examples = fileURLToPath(new URL('../../../../docs/examples/', import.meta.url));

let database: TestDatabase;
let app: HttpServer;
beforeAll(async () => {
  database = await createTestDatabase({});
  app = await createHttpServer(inMemoryApplication({ db: database.db }));
});
afterAll(async () => {
  await app.close();
  await database.close();
});

const metrics = async () =>
  (await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${TEST_KEY}` } })).body;

describe('the metrics of deadlines', () => {
  it('tell how many open requests have used how much of their term', async () => {
    const text = await metrics();
    expect(text).toContain('habeas_requests_due{right="access",regime="gdpr",stage="late"} 2');
    expect(text).toContain('habeas_requests_unacknowledged 1');
    expect(text).toContain('habeas_requests_next_due_timestamp_seconds 1772366400');
    expect(text).toContain('habeas_requests_clock_stopped_timestamp_seconds 0');
  });

  it('are what the example rules ask for', async () => {
    const text = await metrics();
    const rules = readFileSync(`${examples}deadline-rules.yml`, 'utf8');
    const asked = new Set(rules.match(/habeas_[a-z_]+/g));
    expect(asked.size).toBeGreaterThan(3);
    for (const name of asked) expect(text).toContain(`# TYPE ${name} gauge`);
  });
});

const promtool = requireProgram('promtool');
const amtool = requireProgram('amtool');

describe.skipIf(promtool === undefined)('with promtool', () => {
  const run = (...args: readonly string[]) =>
    execFileSync(promtool ?? '', [...args], { cwd: examples, encoding: 'utf8', stdio: 'pipe' });

  it('the example rules are valid', () => {
    expect(run('check', 'rules', 'deadline-rules.yml')).toContain('SUCCESS: 6 rules found');
  });

  it('the example rules alert when they should, and not before', () => {
    expect(run('test', 'rules', 'deadline-rules.test.yml')).toContain('SUCCESS');
  });

  it('what Habeas adds to the metrics of Node.js is named as it should be', async () => {
    const answer = (await metrics()).split('\n').filter((line) => line.includes('habeas_requests_'));
    execFileSync(promtool ?? '', ['check', 'metrics'], { input: `${answer.join('\n')}\n`, stdio: 'pipe' });
  });
});

describe.skipIf(amtool === undefined)('with amtool', () => {
  it('the example configuration of Alertmanager is valid', () => {
    const told = execFileSync(amtool ?? '', ['check-config', 'alertmanager.yml'], {
      cwd: examples,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(told).toContain('SUCCESS');
  });
});
