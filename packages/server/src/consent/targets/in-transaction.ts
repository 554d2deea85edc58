import type pg from 'pg';

/** Runs it in a transaction of this kind. */
export async function inTransaction<Result>(
  client: pg.ClientBase,
  kind: string,
  work: () => Promise<Result>,
): Promise<Result> {
  await client.query(`begin isolation level ${kind}`);
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
