import { type Generated, sql } from 'kysely';
import type { Clock, Database } from '../foundation/index.ts';
import { hasPackage } from './rights.ts';
import type { StatusReport } from './streams/read-status.ts';
import type { RequestTables } from './tables.ts';
import type { Transitions } from './transitions.ts';

export type ReportTables = {
  /** What systems said by events; kept until it took effect or cannot any more. */
  task_reports: {
    organization_id: string;
    /** Which mapping of the configuration read it. */
    source: string;
    message_id: string;
    task_id: string;
    request_id: string;
    status: 'completed' | 'failed';
    generation: number | null;
    records: number | null;
    at: Date;
    received_at: Date;
    settled_at: Generated<Date | null>;
    outcome: Generated<string | null>;
  };
};

/** What a system said by an event, with where it came from. */
export interface ReceivedReport extends StatusReport {
  /** Names the mapping that read it. */
  readonly source: string;
  /** The same for the same message, however often it comes. */
  readonly messageId: string;
  /** The system that the mapping is for: an event of one system ends no task of another. */
  readonly system: string;
}

export interface Reports {
  /**
   * Stores what a system said and lets it take effect, once. When it resolves, the message need not come again. What it is about
   * may be unknown: then nothing happens.
   */
  take(report: ReceivedReport): Promise<void>;
  /** Lets take effect what came too early, as far as its time has come. */
  settle(): Promise<void>;
}

export interface ReportsOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly transitions: Transitions;
  readonly clock: Clock;
}

const BATCH = 200;
/** Tasks of systems whose end an event can tell. */
const REPORTED = ['erase', 'rectify', 'restrict', 'object', 'collect'] as const;

interface StoredReport {
  readonly source: string;
  readonly message_id: string;
  readonly task_id: string;
  readonly request_id: string;
  readonly status: 'completed' | 'failed';
  readonly generation: number | null;
  readonly records: number | null;
  readonly at: Date;
  readonly system: string;
}

export function createReports(options: ReportsOptions): Reports {
  const { db, organizationId, transitions, clock } = options;

  const settled = (executor: Database, report: StoredReport, outcome: string) =>
    executor
      .withTables<ReportTables>()
      .updateTable('task_reports')
      .set({ settled_at: clock.now(), outcome })
      .where('organization_id', '=', organizationId)
      .where('source', '=', report.source)
      .where('message_id', '=', report.message_id)
      .where('task_id', '=', report.task_id)
      .where('status', '=', report.status)
      .execute();

  const apply = async (report: StoredReport): Promise<void> => {
    const applied = await transitions.apply(
      { organizationId, requestId: report.request_id, taskId: report.task_id },
      { type: 'task-reported', status: report.status, at: report.at, generation: report.generation },
      {
        actor: `service:${report.system}`,
        result: report.status === 'completed' ? { operation: null, evidence: evidenceOf(report) } : {},
        also: async (transaction) => {
          await settled(transaction, report, 'it took effect');
        },
      },
    );
    if (!applied.applied && applied.early !== true) await settled(db, report, applied.refused);
  };

  return {
    async take({ requestId, taskId, system, status, source, messageId, generation, records, at }) {
      if (status === 'in-progress') return;
      const request = await db
        .withTables<RequestTables>()
        .selectFrom('requests')
        .select(['right_kind', 'dry_run'])
        .where('organization_id', '=', organizationId)
        .where('id', '=', requestId)
        .executeTakeFirst();
      if (request === undefined) return;
      // What is found by hand has to be handed over; an event cannot, unless it says that there was nothing.
      const needsData = hasPackage(request.right_kind) && !request.dry_run;
      const kinds =
        needsData && status === 'completed' && records !== 0 ? REPORTED : [...REPORTED, 'ticket' as const];
      let find = db
        .withTables<RequestTables>()
        .selectFrom('tasks')
        .select('id')
        .where('organization_id', '=', organizationId)
        .where('request_id', '=', requestId)
        .where('system', '=', system)
        .where('state', 'in', ['ready', 'running', 'waiting', 'blocked'])
        .where('kind', 'in', kinds);
      if (taskId !== null) find = find.where('id', '=', taskId);
      const tasks = await find.execute();
      if (tasks.length === 0) return;
      const rows = tasks.map(({ id }) => ({
        source,
        message_id: messageId,
        task_id: id,
        request_id: requestId,
        status,
        generation,
        records,
        at,
      }));
      const fresh = await db
        .withTables<ReportTables>()
        .insertInto('task_reports')
        .values(rows.map((row) => ({ ...row, organization_id: organizationId, received_at: clock.now() })))
        .onConflict((conflict) => conflict.doNothing())
        .returning(['task_id'])
        .execute();
      const ids = new Set(fresh.map((row) => row.task_id));
      for (const row of rows) if (ids.has(row.task_id)) await apply({ ...row, system });
    },
    async settle() {
      for (const report of await dueReports(db, organizationId)) await apply(report);
    },
  };
}

/** What was said about tasks that are not under way any more, of requests that are not held. */
async function dueReports(db: Database, organizationId: string): Promise<readonly StoredReport[]> {
  const { rows } = await sql<StoredReport>`
    select p.source, p.message_id, p.task_id, p.request_id, p.status, p.generation, p.records, p.at, t.system
    from task_reports p
    join tasks t on t.organization_id = p.organization_id and t.id = p.task_id
    join requests r on r.organization_id = p.organization_id and r.id = p.request_id
    where p.organization_id = ${organizationId} and p.settled_at is null
      and t.state <> 'running' and r.state <> 'held'
    order by p.received_at
    limit ${BATCH}`.execute(db);
  return rows;
}

/** How long a message is known again; longer than streams keep what was not acknowledged. */
const KEPT_MILLISECONDS = 90 * 86_400_000;

/** Forgets messages that cannot come again. */
export async function pruneReports(db: Database, organizationId: string, now: Date): Promise<void> {
  await db
    .withTables<ReportTables>()
    .deleteFrom('task_reports')
    .where('organization_id', '=', organizationId)
    .where('received_at', '<', new Date(now.getTime() - KEPT_MILLISECONDS))
    .execute();
}

function evidenceOf({ records, system, at }: StoredReport) {
  return {
    // It took the work and says that it is done; only a count can say that there was none.
    matched: records === null || records > 0,
    counts: records === null ? {} : { [system]: records },
    retained: [],
    residuals: [],
    notes: [`reported as done by an event of the system, for ${at.toISOString()}`],
  };
}
