import type { Systems } from '../connectors/index.ts';
import type { Clock, Database, Logger } from '../foundation/index.ts';
import type { RequestTables } from './tables.ts';

export interface StopOptions {
  readonly organizationId: string;
  readonly db: Database;
  readonly systems: Pick<Systems, 'connector'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const BATCH = 50;
/** A system that cannot be asked for so long has ended the work by itself, or will. */
const GIVE_UP_MILLISECONDS = 3_600_000;
const CALL_MILLISECONDS = 2_000;

/**
 * Has systems stop work that goes on for tasks which were cancelled or skipped. Such a task names its operation until the system was
 * asked, so that neither a crash nor a system that is down makes it forgotten. Gives whether there is something to be tried again.
 */
export async function stopOperations(options: StopOptions): Promise<boolean> {
  const { organizationId, db, clock, logger, signal } = options;
  const tables = db.withTables<RequestTables>();
  const tasks = await tables
    .selectFrom('tasks')
    .select(['id', 'request_id', 'system', 'operation', 'ended_at'])
    .where('organization_id', '=', organizationId)
    .where('state', 'in', ['cancelled', 'skipped'])
    .where('operation', 'is not', null)
    .limit(BATCH)
    .execute();
  const oldest = clock.now().getTime() - GIVE_UP_MILLISECONDS;
  const left = await Promise.all(
    tasks.map(async ({ id, request_id: requestId, system, operation, ended_at: endedAt }) => {
      try {
        // Only services that answer the contract work on after they answered; nothing of theirs is frozen with a plan.
        const connector = await options.systems.connector(system ?? '', null);
        const ending = AbortSignal.any([signal, AbortSignal.timeout(CALL_MILLISECONDS)]);
        await connector.cancel?.({ requestId, operation: operation ?? '', signal: ending });
      } catch (error) {
        if (signal.aborted || (endedAt !== null && endedAt.getTime() > oldest)) {
          logger.warn(
            { err: error, task: id, system },
            'a system could not be asked to stop work; it is asked again',
          );
          return true;
        }
      }
      await tables
        .updateTable('tasks')
        .set({ operation: null })
        .where('organization_id', '=', organizationId)
        .where('id', '=', id)
        .where('operation', '=', operation)
        .execute();
      return false;
    }),
  );
  return left.includes(true);
}

/** The system began work for a task that had been cancelled or skipped meanwhile: it is noted, so that it is stopped. */
export async function noteUselessOperation(
  db: Database,
  of: { readonly organizationId: string; readonly taskId: string; readonly operation: string },
): Promise<void> {
  await db
    .withTables<RequestTables>()
    .updateTable('tasks')
    .set({ operation: of.operation })
    .where('organization_id', '=', of.organizationId)
    .where('id', '=', of.taskId)
    .where('state', 'in', ['cancelled', 'skipped'])
    .execute();
}
