import type { api } from '@habeas/contract';
import type pg from 'pg';
import { type Clock, HabeasError, sha256Hex } from '../../foundation/index.ts';
import { writtenRows } from '../enforce/index.ts';
import { inTransaction, readTargetState, readWatermark, rewriteSql, type Target } from '../targets/index.ts';
import { jobNameOf, readJobHeader, withoutMark } from './job-file.ts';
import { runStatement } from './run-statement.ts';
import { statementError } from './statement-error.ts';

export { jobNameOf, jobPathOf, readJobHeader } from './job-file.ts';

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
  /** Has the statement stopped, and all that it did taken back, until the run is noted. */
  readonly signal: AbortSignal;
  /** Another connection than that of the job, to have it stopped. */
  readonly spare: Pick<pg.ClientBase, 'query'>;
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
 * is there, and after all of it is kept. Throws BAD_INPUT for a job without a purpose or one that the database cannot run, SQL_REFUSED for what may
 * not run, CONFLICT before the first sync, SYSTEM_FAILED for one that fails on what the tables hold.
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
  const { file, sql, target, pool, clock, output, signal, spare } = options;
  const job = jobNameOf(file);
  const { purpose } = readJobHeader(sql, file);
  const startedAt = clock.now();
  const state = await readTargetState(pool, target);
  const rewritten = await rewriteSql(withoutMark(sql), { target, state, purpose });
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
      const result = await stoppable({ client, spare, signal }, async () => {
        const result = await runStatement(client, { sql: ran, written, write: output.write, signal });
        // What would be found wrong at the commit is found before the run is noted.
        await client.query('set constraints all immediate');
        return result;
      }).catch((error: unknown) => {
        throw statementError(error, { file, target: target.key });
      });
      await output.finish();
      signal.throwIfAborted();
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

/** Works in the transaction that is open, and has PostgreSQL cancel what it is at where somebody asks for that: a statement may run for hours. */
async function stoppable<Result>(
  { client, spare, signal }: Pick<RunJobOptions, 'spare' | 'signal'> & { readonly client: pg.ClientBase },
  work: () => Promise<Result>,
): Promise<Result> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  let cancelled: Promise<unknown> = Promise.resolve();
  const stop = () => {
    // Where it does not arrive, the statement goes on to its end, and is taken back then.
    cancelled = spare.query('select pg_cancel_backend($1)', [rows[0]?.pid]).catch(() => undefined);
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', stop);
    // So that it does not hit what comes next.
    await cancelled;
  }
}
