import type { api } from '@habeas/contract';
import type pg from 'pg';
import { type Clock, HabeasError, sha256Hex } from '../../foundation/index.ts';
import { writtenRows } from '../enforce/index.ts';
import { inTransaction, readTargetState, readWatermark, rewriteSql, type Target } from '../targets/index.ts';
import { jobNameOf, readJobHeader } from './job-file.ts';
import { runStatement } from './run-statement.ts';

export { jobNameOf, readJobHeader } from './job-file.ts';

export interface RunJobOptions {
  /** As it stands in messages and gives the job its name. */
  readonly file: string;
  readonly sql: string;
  readonly target: Target;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly output: JobOutput;
  /** Notes the run, and gives its receipt. Before it has, nothing that the job wrote is there. */
  readonly record: (run: api.RecordJobRun) => Promise<api.JobRunReceipt>;
}

/** Takes what a job gives. */
export interface JobOutput {
  /** Takes the next piece of the CSV, and says when it can take more. */
  readonly write: (text: string) => Promise<void>;
  /** Says that everything which was written is kept, whatever happens to the machine. */
  readonly finish: () => Promise<void>;
  /** Lets others see it: the run is noted, and what it did to the database is there. */
  readonly publish: () => Promise<void>;
  /** Takes away what nobody has seen. */
  readonly discard: () => Promise<void>;
}

/**
 * Runs a job for the purpose that it names, on one state of the database and of consent, and has that noted before anything that it wrote
 * is there, and after all of it is kept. Throws BAD_INPUT for a job without a purpose, SQL_REFUSED for what may not run, CONFLICT before
 * the first sync.
 */
export async function runJob({ output, ...options }: RunJobOptions): Promise<api.JobRunReceipt> {
  let receipt: api.JobRunReceipt;
  try {
    receipt = await runAndRecord({ output, ...options });
  } catch (error) {
    await output.discard();
    throw error;
  }
  await output.publish();
  return receipt;
}

async function runAndRecord(options: RunJobOptions): Promise<api.JobRunReceipt> {
  const { file, sql, target, pool, clock, output } = options;
  const job = jobNameOf(file);
  const { purpose } = readJobHeader(sql, file);
  const startedAt = clock.now();
  const state = await readTargetState(pool, target);
  const rewritten = await rewriteSql(sql, { target, state, purpose });
  const written = writtenRows(rewritten.sql);
  const ran = written.kind === 'returned' ? written.sql : rewritten.sql;
  const client = await pool.connect();
  try {
    return await inTransaction(client, 'repeatable read', async () => {
      const watermark = await readWatermark(client, target);
      if (watermark === undefined)
        throw new HabeasError(
          'CONFLICT',
          `${target.key} does not know yet what people agreed to. Is the server running?`,
        );
      const result = await runStatement(client, { sql: ran, written, write: output.write });
      // What would be found wrong at the commit is found before the run is noted.
      await client.query('set constraints all immediate');
      await output.finish();
      return options.record({
        job,
        purpose,
        target: target.key,
        input_sha256: sha256Hex(sql),
        sql_sha256: sha256Hex(ran),
        ...result,
        watermark: { snapshot: watermark.snapshot, as_of: watermark.asOf.toISOString() },
        relations: rewritten.relations.map(({ schema, name, form }) => ({ name: `${schema}.${name}`, form })),
        started_at: startedAt.toISOString(),
      });
    });
  } finally {
    client.release();
  }
}
