import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { appendAudit } from '../audit/index.ts';
import type { Clock, Database } from '../foundation/index.ts';
import { HabeasError } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import { DUE_CHANNEL, type PauseNotice } from './due-tasks.ts';

export type PauseTables = {
  pauses: {
    /** {@link EVERY_ORGANIZATION} for a pause of the whole installation. */
    organization_id: string;
    /** '' for all systems. */
    system: string;
    reason: string;
    paused_by: string;
    paused_at: Date;
  };
};

/** Stands for all organizations on one database; no organization can have this name. */
const EVERY_ORGANIZATION = '*';

/** What a pause stops: all organizations on this database, one, or one of its systems. */
export type PauseTarget =
  | { readonly scope: 'installation' | 'organization' }
  | { readonly scope: 'system'; readonly system: string };

/**
 * The switch that stops work. What is paused starts nothing more: no task of it is claimed by any server, a second after the
 * pause at the latest. Tasks that run end. Requests are still received, planned and held, and deadlines go on. A pause is a row:
 * it outlives every process and ends only when somebody ends it.
 */
export interface Pauses {
  /** As they are in the database now: the installation's first, then the organization's, then those of its systems by name. */
  list(): Promise<readonly api.PauseView[]>;
  /** Pausing what is paused leaves it as it is. Throws NOT_FOUND for a system that nothing knows. */
  pause(target: PauseTarget, by: { readonly actor: string; readonly reason: string }): Promise<void>;
  /** Resuming what is not paused changes nothing. */
  resume(target: PauseTarget, by: { readonly actor: string }): Promise<void>;
}

/** The same, with what this process heeds. */
export interface HeededPauses extends Pauses {
  /** Reads them anew; one statement, once a second and on every change. Gives whether something changed. */
  refresh(): Promise<boolean>;
  /** Whether nothing may be claimed at a system; null stands for packages. Asks nobody: as of the last reading. */
  stops(system: string | null): boolean;
  /** As of the last reading. */
  heeded(): readonly api.PauseView[];
}

export interface PausesOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
  /** Names of systems that requests reach. */
  readonly knownSystems: () => Promise<readonly string[]>;
}

export function createPauses(options: PausesOptions): HeededPauses {
  const { db, organizationId, clock } = options;
  let heeded: readonly api.PauseView[] = [];
  let stopsAll = false;
  let stopped: ReadonlySet<string> = new Set();

  const keyOf = (target: PauseTarget) => ({
    organization_id: target.scope === 'installation' ? EVERY_ORGANIZATION : organizationId,
    system: target.scope === 'system' ? target.system : '',
  });
  const tell = async (transaction: Database, action: string, told: Told): Promise<void> => {
    const details = { scope: told.target.scope, system: systemOf(told.target) };
    const { actor, now } = told;
    await appendAudit(
      transaction,
      [{ organizationId, actor, action, subject: organizationId, details }],
      now,
    );
    await publish(transaction, [{ organizationId, type: action, data: details }], now);
    const notice: PauseNotice = { pauses: true };
    await sql`select pg_notify(${DUE_CHANNEL}, ${JSON.stringify(notice)})`.execute(transaction);
  };

  return {
    list: () => readPauses(db, organizationId),
    async pause(target, { actor, reason }) {
      if (target.scope === 'system') await refuseUnknown(options, target.system);
      const now = clock.now();
      await db.transaction().execute(async (transaction) => {
        const made = await transaction
          .withTables<PauseTables>()
          .insertInto('pauses')
          .values({ ...keyOf(target), reason, paused_by: actor, paused_at: now })
          .onConflict((conflict) => conflict.doNothing())
          .returning('system')
          .executeTakeFirst();
        if (made !== undefined) await tell(transaction, 'work.paused', { target, actor, now });
      });
    },
    async resume(target, { actor }) {
      const key = keyOf(target);
      await db.transaction().execute(async (transaction) => {
        const ended = await transaction
          .withTables<PauseTables>()
          .deleteFrom('pauses')
          .where('organization_id', '=', key.organization_id)
          .where('system', '=', key.system)
          .returning('system')
          .executeTakeFirst();
        if (ended !== undefined) await tell(transaction, 'work.resumed', { target, actor, now: clock.now() });
      });
    },
    async refresh() {
      const found = await readPauses(db, organizationId);
      const changed = JSON.stringify(found) !== JSON.stringify(heeded);
      heeded = found;
      stopsAll = found.some(({ scope }) => scope !== 'system');
      stopped = new Set(found.flatMap(({ system }) => (system === null ? [] : [system])));
      return changed;
    },
    stops: (system) => stopsAll || (system !== null && stopped.has(system)),
    heeded: () => heeded,
  };
}

interface Told {
  readonly target: PauseTarget;
  readonly actor: string;
  readonly now: Date;
}

function systemOf(target: PauseTarget): string | null {
  return target.scope === 'system' ? target.system : null;
}

async function readPauses(db: Database, organizationId: string): Promise<readonly api.PauseView[]> {
  const rows = await db
    .withTables<PauseTables>()
    .selectFrom('pauses')
    .select(['organization_id', 'system', 'reason', 'paused_by', 'paused_at'])
    .where('organization_id', 'in', [EVERY_ORGANIZATION, organizationId])
    .orderBy(({ eb }) => eb('organization_id', '=', organizationId))
    .orderBy('system')
    .execute();
  return rows.map((row) => ({
    scope:
      row.organization_id === EVERY_ORGANIZATION
        ? 'installation'
        : row.system === ''
          ? 'organization'
          : 'system',
    system: row.system === '' ? null : row.system,
    reason: row.reason,
    paused_by: row.paused_by,
    paused_at: row.paused_at.toISOString(),
  }));
}

/** A switch with a misspelled name must not look as if it had worked. Work that is there counts, whatever is configured now. */
async function refuseUnknown(options: PausesOptions, system: string): Promise<void> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from tasks
      where organization_id = ${options.organizationId} and state in ('ready', 'waiting') and kind <> 'ticket'
        and coalesce(system, '') = ${system}) as found`.execute(options.db);
  if (system !== '' && rows[0]?.found === true) return;
  const known = await options.knownSystems();
  if (known.includes(system)) return;
  throw new HabeasError(
    'NOT_FOUND',
    `There is no system "${system}" to pause. Known are ${known.length === 0 ? 'none' : known.join(', ')}.`,
  );
}
