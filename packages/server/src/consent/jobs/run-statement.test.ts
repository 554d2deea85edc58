import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { runStatement } from './run-statement.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.close());

async function run(
  sql: string,
  put: (text: string) => Promise<void> = async () => undefined,
  { signal } = new AbortController(),
) {
  const client = await database.pool.connect();
  let text = '';
  const write = async (piece: string) => {
    text += piece;
    await put(piece);
  };
  try {
    const result = await runStatement(client, { sql, written: { kind: 'given' }, write, signal });
    return { text, result };
  } finally {
    client.release(true);
  }
}

it('gives values as PostgreSQL writes them, and tells null from a text without letters', async () => {
  const { text, result } = await run(
    `select -5 as number, '+49 30' as phone, '@ada' as name, '=1' as formula, null as nothing, '' as empty, 'a"b' as quote, ' x' as blank`,
  );
  expect(text).toBe(
    'number,phone,name,formula,nothing,empty,quote,blank\r\n-5,+49 30,@ada,=1,,"","a""b"," x"\r\n',
  );
  expect(result).toEqual({ rows: 1, output_sha256: createHash('sha256').update(text).digest('hex') });
});

it.each([1_000, 1_001, 2_000])('gives each of %i rows once, behind one header', async (count) => {
  const { text, result } = await run(`select n from generate_series(1, ${count}) n`);
  expect(text.split('\r\n')).toEqual(['n', ...Array.from({ length: count }, (_, n) => `${n + 1}`), '']);
  expect(result.rows).toBe(count);
});

it.each([
  ['reads on', async () => undefined],
  ['fails', () => Promise.reject(new Error('The disk is full.'))],
])('ends when the connection is lost while who takes the rows %s', async (_, then) => {
  let pieces = 0;
  const ran = run(`select n, 'lost' as of_test from generate_series(1, 5000) n`, async () => {
    pieces += 1;
    if (pieces < 2) return;
    await database.pool.query(
      `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and query like '%of\\_test%' and pid <> pg_backend_pid()`,
    );
    await then();
  });
  await expect(ran).rejects.toThrow();
});

it('reads no more rows when it is stopped while somebody takes the last ones', async () => {
  const controller = new AbortController();
  let pieces = 0;
  const put = async () => {
    pieces += 1;
    controller.abort();
  };
  await expect(run('select n from generate_series(1, 5000) n', put, controller)).rejects.toThrow('aborted');
  expect(pieces).toBe(1);
});
