import { createHash } from 'node:crypto';
import type { api } from '@habeas/contract';
import type pg from 'pg';
import Cursor from 'pg-cursor';
import { type Clock, csvLine, HabeasError, sha256Hex } from '../../foundation/index.ts';
import { inTransaction, readTargetState, readWatermark, rewriteSql, type Target } from '../targets/index.ts';
import { jobNameOf, readJobHeader } from './job-file.ts';

export { jobNameOf, readJobHeader } from './job-file.ts';

export interface RunJobOptions {
  /** As it stands in messages and gives the job its name. */
  readonly file: string;
  readonly sql: string;
  readonly target: Target;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  /** Takes what the job gives, as CSV. */
  readonly write: (text: string) => void | Promise<void>;
  /** Notes the run, and gives its receipt. Before it has, nothing that the job wrote is there. */
  readonly record: (run: api.RecordJobRun) => Promise<api.JobRunReceipt>;
}

const ROWS = 1_000;

/**
 * Runs a job for the purpose that it names, on one state of the database and of consent, and has that noted before anything that it wrote
 * is there. Throws BAD_INPUT for a job without a purpose, SQL_REFUSED for what may not run, CONFLICT before the first sync.
 */
export async function runJob(options: RunJobOptions): Promise<api.JobRunReceipt> {
  const { file, sql, target, pool, clock } = options;
  const job = jobNameOf(file);
  const { purpose } = readJobHeader(sql, file);
  const startedAt = clock.now();
  const state = await readTargetState(pool, target);
  const rewritten = await rewriteSql(sql, { target, state, purpose });
  const client = await pool.connect();
  try {
    return await inTransaction(client, 'repeatable read', async () => {
      const watermark = await readWatermark(client, target);
      if (watermark === undefined)
        throw new HabeasError(
          'CONFLICT',
          `${target.key} does not know yet what people agreed to. Is the server running?`,
        );
      const output = await runStatement(client, rewritten.sql, options.write);
      return options.record({
        job,
        purpose,
        target: target.key,
        input_sha256: sha256Hex(sql),
        sql_sha256: sha256Hex(rewritten.sql),
        output_sha256: output.sha256,
        rows: output.rows,
        watermark: { snapshot: watermark.snapshot, as_of: watermark.asOf.toISOString() },
        relations: rewritten.relations.map(({ schema, name, form }) => ({ name: `${schema}.${name}`, form })),
        started_at: startedAt.toISOString(),
      });
    });
  } finally {
    client.release();
  }
}

/** Values as PostgreSQL writes them, so that the same answer is always the same bytes. */
const AS_TEXT = { getTypeParser: () => (value: unknown) => value };

async function runStatement(
  client: pg.ClientBase,
  sql: string,
  write: RunJobOptions['write'],
): Promise<{ readonly rows: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  const put = async (text: string) => {
    hash.update(text);
    await write(text);
  };
  const cursor = client.query(new Cursor<unknown[]>(sql, [], { rowMode: 'array', types: AS_TEXT as never }));
  let rows = 0;
  for (;;) {
    const { batch, result } = await new Promise<{ batch: unknown[][]; result: pg.QueryResult }>(
      (resolve, reject) => {
        cursor.read(ROWS, (error, batch, result) =>
          error == null ? resolve({ batch, result }) : reject(error),
        );
      },
    );
    if (rows === 0 && result.fields.length > 0) await put(csvLine(result.fields.map(({ name }) => name)));
    rows += batch.length;
    for (const row of batch) await put(csvLine(row));
    if (batch.length < ROWS) {
      await cursor.close();
      return { rows: result.fields.length > 0 ? rows : (result.rowCount ?? 0), sha256: hash.digest('hex') };
    }
  }
}
