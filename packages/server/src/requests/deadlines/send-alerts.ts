import type { Clock, Database } from '../../foundation/index.ts';
import { type OutboxEvent, publish } from '../../notify/index.ts';
import type { RequestRow } from '../neighbourhood.ts';
import { REQUEST_COLUMNS, type RequestTables } from '../tables.ts';
import {
  ALERT_LEVELS,
  type AlertLevel,
  levelReached,
  nextAlertAt,
  type RunningTerm,
  runningTerms,
} from './alert-levels.ts';
import { termsOf } from './deadlines.ts';

const BATCH = 200;

/**
 * Tells owner, teams and officer of the terms that have reached a level: each level of each deadline once, however often and in however
 * many processes this runs. When several levels passed unseen, such as while no server ran, the highest one is told. Gives how many
 * requests were looked at.
 */
export async function sendDeadlineAlerts(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly organizationId: string;
}): Promise<number> {
  const { organizationId, clock } = options;
  const now = clock.now();
  return options.db.transaction().execute(async (transaction) => {
    const tables = transaction.withTables<RequestTables>();
    const due = await tables
      .selectFrom('requests')
      .select(REQUEST_COLUMNS)
      .where('organization_id', '=', organizationId)
      .where('completed_at', 'is', null)
      .where('next_alert_at', '<=', now)
      .orderBy('next_alert_at')
      .limit(BATCH)
      .forNoKeyUpdate()
      // Another process tells of the others.
      .skipLocked()
      .execute();
    for (const row of due) await tell(transaction, row, now);
    return due.length;
  });
}

async function tell(transaction: Database, row: RequestRow, now: Date): Promise<void> {
  const terms = runningTerms(termsOf(row));
  const events: OutboxEvent[] = [];
  for (const term of terms) {
    const level = levelReached(term, now);
    if (level === undefined || !(await isNews(transaction, { row, term, level, now }))) continue;
    events.push(...(await eventsOf(transaction, { row, term, level })));
  }
  await transaction
    .withTables<RequestTables>()
    .updateTable('requests')
    .set({ next_alert_at: nextAlertAt(terms, now) })
    .where('organization_id', '=', row.organization_id)
    .where('id', '=', row.id)
    .execute();
  await publish(transaction, events, now);
}

/** Notes the level, and those below it that passed unseen; whether nobody was told of it before. */
async function isNews(
  transaction: Database,
  alert: {
    readonly row: RequestRow;
    readonly term: RunningTerm;
    readonly level: AlertLevel;
    readonly now: Date;
  },
): Promise<boolean> {
  const { row, term, level, now } = alert;
  const noted = await transaction
    .withTables<RequestTables>()
    .insertInto('deadline_alerts')
    .values(
      ALERT_LEVELS.filter((one) => one <= level).map((one) => ({
        organization_id: row.organization_id,
        request_id: row.id,
        term: term.term,
        due_at: term.until,
        level: one,
        at: now,
        told: one === level,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('level')
    .execute();
  return noted.some((one) => one.level === level);
}

/** One for owner and officer, and one for each team that has open work of the request. */
async function eventsOf(
  transaction: Database,
  alert: { readonly row: RequestRow; readonly term: RunningTerm; readonly level: AlertLevel },
): Promise<readonly OutboxEvent[]> {
  const { row, term, level } = alert;
  const about = { organizationId: row.organization_id, requestId: row.id };
  const data = {
    term: term.term,
    level: level === 100 ? 'late' : `${level}%`,
    due_at: term.until.toISOString(),
    right: row.right_kind,
    regime: row.regime,
    state: row.state,
  };
  const teams =
    term.term === 'acknowledgement'
      ? []
      : await transaction
          .withTables<RequestTables>()
          .selectFrom('tasks')
          .select(({ fn }) => ['team', fn.countAll<number>().as('open')])
          .where('organization_id', '=', row.organization_id)
          .where('request_id', '=', row.id)
          .where('team', 'is not', null)
          .where('state', 'in', ['ready', 'running', 'waiting', 'blocked'])
          .groupBy('team')
          .orderBy('team')
          .execute();
  return [
    { ...about, type: 'request.deadline-near', data: { ...data, owner: row.owner } },
    ...teams.map(({ team, open }) => ({
      ...about,
      type: 'request.team-deadline-near',
      data: { ...data, team, open: Number(open) },
    })),
  ];
}
