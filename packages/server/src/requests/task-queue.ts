import { sql } from 'kysely';
import { fromKysely, PgBoss } from 'pg-boss';
import type { Database, Logger } from '../foundation/index.ts';

/** Wakes workers the moment a job is committed; the payload is the organization, a slash and the system, or nothing for packages. */
export const JOBS_CHANNEL = 'habeas_jobs';

const SCHEMA = 'habeas_jobs';
/** A delivered job is of no further use; the task's row is the record. */
const DELETE_AFTER_SECONDS = 3_600;
/** Longer than any wait that a task may have; a job that is lost all the same is made anew by the reconciler. */
const RETENTION_SECONDS = 400 * 86_400;

export interface TaskJob {
  readonly organizationId: string;
  readonly requestId: string;
  readonly taskId: string;
}

export interface DueTask extends TaskJob {
  readonly system: string | null;
  readonly at: Date;
}

/**
 * Delivers tasks to workers: a queue per system, so that a slow or broken one holds up no other. Organizations share a database
 * and name their systems alike, so no queue has tasks of two of them: a server knows the systems of its own only.
 */
export interface TaskQueue {
  /** Puts jobs into the queues in the caller's transaction: they exist if, and only if, the change does. */
  enqueue(transaction: Database, due: readonly DueTask[], now: Date): Promise<void>;
  /** Takes up to `limit` jobs that are due. They are then gone: who takes them claims the tasks, or the reconciler makes new jobs. */
  take(queue: string, limit: number): Promise<readonly TaskJob[]>;
  /** Makes the queue of a system, once. */
  ensure(organizationId: string, system: string | null): Promise<string>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The queue of a system's tasks; packages have one of their own. */
export function queueName(organizationId: string, system: string | null): string {
  const name = system === null ? 'package' : `system/${system.replaceAll(/[^A-Za-z0-9_.-]/g, '.')}`;
  return `${organizationId}/${name}`;
}

export function createTaskQueue(options: {
  readonly databaseUrl: string;
  readonly logger: Logger;
}): TaskQueue {
  const boss = new PgBoss({
    connectionString: options.databaseUrl,
    schema: SCHEMA,
    application_name: 'habeas jobs',
    max: 4,
    schedule: false,
  });
  boss.on('error', (error) => options.logger.warn({ err: error }, 'the job queue had a failure; it goes on'));
  const made = new Map<string, Promise<string>>();

  const ensure: TaskQueue['ensure'] = (organizationId, system) => {
    const name = queueName(organizationId, system);
    const known = made.get(name);
    if (known !== undefined) return known;
    const making = boss
      .createQueue(name, {
        retryLimit: 0,
        retentionSeconds: RETENTION_SECONDS,
        deleteAfterSeconds: DELETE_AFTER_SECONDS,
      })
      .then(() => name);
    making.catch(() => made.delete(name));
    made.set(name, making);
    return making;
  };

  return {
    ensure,
    async enqueue(transaction, due, now) {
      if (due.length === 0) return;
      const db = fromKysely(transaction);
      const payloads: string[] = [];
      for (const [organizationId, own] of Map.groupBy(due, (task) => task.organizationId)) {
        for (const [system, tasks] of Map.groupBy(own, (task) => task.system)) {
          const queue = await ensure(organizationId, system);
          payloads.push(`${organizationId}/${system ?? ''}`);
          const jobs = tasks.map(({ at, system: _, ...job }) => ({
            data: job satisfies TaskJob,
            ...(at > now ? { startAfter: at } : {}),
          }));
          await boss.insert(queue, jobs, { db });
        }
      }
      await sql`select pg_notify(${JOBS_CHANNEL}, payload) from unnest(${payloads}::text[]) as payload`.execute(
        transaction,
      );
    },
    async take(queue, limit) {
      const jobs = await boss.fetch<TaskJob>(queue, { batchSize: limit });
      if (jobs.length > 0)
        await boss.complete(
          queue,
          jobs.map((job) => job.id),
        );
      return jobs.map((job) => job.data);
    },
    async start() {
      await boss.start();
    },
    stop: () => boss.stop({ graceful: false, close: true }),
  };
}
