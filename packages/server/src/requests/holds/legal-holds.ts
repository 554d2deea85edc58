import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { appendAudit } from '../../audit/index.ts';
import type { Identity } from '../../catalog/index.ts';
import type { Systems } from '../../connectors/index.ts';
import { type Clock, type Database, HabeasError, newId, type SecretKey } from '../../foundation/index.ts';
import { DEFAULT_RETRY } from '../back-off.ts';
import type { RequestEvent } from '../event.ts';
import { loadIdentities, loadRequestKey } from '../identity-vault.ts';
import { loadNeighbourhoods } from '../neighbourhood.ts';
import type { Caller, LegalHolds } from '../requests.ts';
import type { StepToSave } from '../save-steps.ts';
import { step } from '../step.ts';
import type { RequestTables } from '../tables.ts';
import type { SaveSteps, Transitions } from '../transitions.ts';
import {
  type ActiveHold,
  activeHolds,
  holdDigest,
  holdsOnIdentities,
  lockHolds,
  mayHold,
} from './covering-holds.ts';

export interface LegalHoldsOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly systems: Pick<Systems, 'plannable'>;
  readonly transitions: Transitions;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
}

const COLUMNS = [
  'id',
  'scope',
  'system',
  'category',
  'identity_types',
  'reason',
  'placed_by',
  'placed_at',
  'released_by',
  'released_at',
  'release_reason',
] as const;

/** Requests that could be covered: they change systems, have a plan, and go on. */
const OPEN: readonly api.RequestState[] = ['planned', 'approving', 'waiting', 'held', 'running', 'blocked'];

/** Legal holds: what they cover is not destroyed before they are released. */
export function createLegalHolds(options: LegalHoldsOptions): LegalHolds & { applyPending(): Promise<void> } {
  const { db, masterKey, clock } = options;

  /** Holds the open requests that a new hold covers. A hold that was stored before a crash is applied by the reconciler. */
  const apply = async (organizationId: string, hold: ActiveHold & { readonly placed_by: string }) => {
    const systems = hold.scope === 'category' ? await systemsHolding(hold.category ?? '') : [];
    await options.transitions.transact(async (transaction, save) => {
      await lockHolds(transaction, organizationId);
      const ids = await covered(transaction, { organizationId, hold, systems });
      await applyEvent(transaction, save, {
        organizationId,
        ids,
        actor: hold.placed_by,
        event: { type: 'legal-hold-placed', hold: hold.id },
      });
      await transaction
        .withTables<RequestTables>()
        .updateTable('legal_holds')
        .set({ applied_at: clock.now() })
        .where('organization_id', '=', organizationId)
        .where('id', '=', hold.id)
        .execute();
    });
  };

  const systemsHolding = async (category: string): Promise<readonly string[]> =>
    (await options.systems.plannable())
      .filter((system) => mayHold(system, category, ['email', 'user_id', 'phone_number']))
      .map(({ key }) => key);

  /** Locks what is open first: a person's identities that are just being stored are read after that. */
  const covered = async (
    transaction: Database,
    of: { readonly organizationId: string; readonly hold: ActiveHold; readonly systems: readonly string[] },
  ): Promise<readonly string[]> => {
    const { organizationId, hold } = of;
    const tables = transaction.withTables<RequestTables>();
    const open = await tables
      .selectFrom('requests')
      .select('id')
      .where('organization_id', '=', organizationId)
      .where('completed_at', 'is', null)
      .where('dry_run', '=', false)
      .where('state', 'in', OPEN)
      .orderBy('id')
      .forNoKeyUpdate()
      .execute();
    const ids = open.map(({ id }) => id);
    if (hold.scope === 'organization' || ids.length === 0) return ids;
    if (hold.scope === 'subject') {
      const matching: string[] = [];
      for (const requestId of ids) {
        const ref = { organizationId, requestId };
        const identities = await loadIdentities(
          transaction,
          ref,
          await loadRequestKey(transaction, ref, masterKey),
        );
        const digests = identities.map((identity) => holdDigest(masterKey, organizationId, identity));
        if ((await holdsOnIdentities(transaction, organizationId, digests)).has(hold.id))
          matching.push(requestId);
      }
      return matching;
    }
    const names = hold.scope === 'system' ? [hold.system ?? ''] : of.systems;
    if (names.length === 0) return [];
    const rows = await tables
      .selectFrom('tasks')
      .select('request_id')
      .distinct()
      .where('organization_id', '=', organizationId)
      .where('request_id', 'in', ids)
      .where('system', 'in', [...names])
      .where('state', 'not in', ['succeeded', 'skipped', 'cancelled'])
      .orderBy('request_id')
      .execute();
    return rows.map((row) => row.request_id);
  };

  const applyEvent = async (
    transaction: Database,
    save: SaveSteps,
    made: {
      readonly organizationId: string;
      readonly ids: readonly string[];
      readonly actor: string;
      readonly event: RequestEvent;
    },
  ): Promise<void> => {
    const { organizationId, event, actor } = made;
    const targets = made.ids.map((requestId) => ({ target: { organizationId, requestId }, event }));
    const loaded = await loadNeighbourhoods(transaction, targets);
    const context = { now: clock.now(), retry: DEFAULT_RETRY, random: 0 };
    const steps = targets.flatMap(({ target }, index): readonly StepToSave[] => {
      const before = loaded[index];
      const outcome = before === undefined ? undefined : step(before, event, context);
      // One that changes nothing, or ended meanwhile, needs no hold.
      if (before === undefined || outcome === undefined || 'refused' in outcome) return [];
      return [{ target, before, step: outcome, result: {}, actor }];
    });
    await save(steps);
  };

  const view = async (caller: Caller, holdId: string): Promise<api.LegalHoldView> => {
    const row = await db
      .withTables<RequestTables>()
      .selectFrom('legal_holds')
      .select(COLUMNS)
      .where('organization_id', '=', caller.organizationId)
      .where('id', '=', holdId)
      .executeTakeFirst();
    if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no legal hold ${holdId}.`);
    return holdView(row, await heldBy(caller.organizationId, holdId));
  };

  const heldBy = async (organizationId: string, holdId: string): Promise<readonly string[]> => {
    const { rows } = await sql<{ id: string }>`
      select id from requests
      where organization_id = ${organizationId} and legal_holds <> '{}' and ${holdId} = any (legal_holds)
      order by id`.execute(db);
    return rows.map(({ id }) => id);
  };

  return {
    async place(caller, { scope, reason }) {
      const { organizationId } = caller;
      const now = clock.now();
      const hold = {
        id: newId('lho', now),
        scope: scope.kind,
        system: scope.kind === 'system' ? scope.system : null,
        category: scope.kind === 'category' ? scope.category : null,
        placed_by: caller.actor,
      };
      const identities = scope.kind === 'subject' ? scope.identities : [];
      await db.transaction().execute(async (transaction) => {
        const tables = transaction.withTables<RequestTables>();
        await tables
          .insertInto('legal_holds')
          .values({
            ...hold,
            organization_id: organizationId,
            identity_types: [...new Set(identities.map(({ type }) => type))].sort(),
            reason,
            placed_at: now,
          })
          .execute();
        if (identities.length > 0)
          await tables
            .insertInto('legal_hold_identities')
            .values(
              identities.map((identity) => ({
                organization_id: organizationId,
                hold_id: hold.id,
                digest: holdDigest(masterKey, organizationId, identity),
              })),
            )
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        const details = { scope: hold.scope, system: hold.system, category: hold.category };
        await appendAudit(
          transaction,
          [{ organizationId, actor: caller.actor, action: 'legal-hold.placed', subject: hold.id, details }],
          now,
        );
      });
      await apply(organizationId, hold);
      return view(caller, hold.id);
    },
    async release(caller, holdId, reason) {
      const { organizationId } = caller;
      await options.transitions.transact(async (transaction, save) => {
        await lockHolds(transaction, organizationId);
        const now = clock.now();
        const tables = transaction.withTables<RequestTables>();
        const released = await tables
          .updateTable('legal_holds')
          .set({ released_at: now, released_by: caller.actor, release_reason: reason })
          .where('organization_id', '=', organizationId)
          .where('id', '=', holdId)
          .where('released_at', 'is', null)
          .returning('id')
          .executeTakeFirst();
        if (released === undefined) return;
        await tables
          .deleteFrom('legal_hold_identities')
          .where('organization_id', '=', organizationId)
          .where('hold_id', '=', holdId)
          .execute();
        await appendAudit(
          transaction,
          [{ organizationId, actor: caller.actor, action: 'legal-hold.released', subject: holdId }],
          now,
        );
        await applyEvent(transaction, save, {
          organizationId,
          ids: await heldBy(organizationId, holdId),
          actor: caller.actor,
          event: { type: 'legal-hold-lifted', hold: holdId },
        });
      });
      return view(caller, holdId);
    },
    get: view,
    async list(caller, query) {
      let select = db
        .withTables<RequestTables>()
        .selectFrom('legal_holds')
        .select(COLUMNS)
        .where('organization_id', '=', caller.organizationId)
        .orderBy('id', 'desc')
        .limit(query.limit + 1);
      if (query.cursor !== undefined) select = select.where('id', '<', query.cursor);
      if (query.released !== undefined)
        select = select.where('released_at', query.released ? 'is not' : 'is', null);
      const rows = await select.execute();
      const page = rows.slice(0, query.limit);
      const items = await Promise.all(
        page.map(async (row) => holdView(row, await heldBy(caller.organizationId, row.id))),
      );
      return { items, next: rows.length > query.limit ? (page.at(-1)?.id ?? null) : null };
    },
    async applyPending() {
      const { organizationId } = options;
      const pending = await db
        .withTables<RequestTables>()
        .selectFrom('legal_holds')
        .select(['id', 'scope', 'system', 'category', 'placed_by'])
        .where('organization_id', '=', organizationId)
        .where('released_at', 'is', null)
        .where('applied_at', 'is', null)
        .execute();
      for (const hold of pending) await apply(organizationId, hold);
    },
  };
}

type HoldRow = Pick<RequestTables['legal_holds'], (typeof COLUMNS)[number]>;

function holdView(row: HoldRow, requests: readonly string[]): api.LegalHoldView {
  return {
    ...row,
    placed_at: row.placed_at.toISOString(),
    released_at: row.released_at?.toISOString() ?? null,
    requests: [...requests],
  };
}

/** The hold on a person of whom a system just told these identities; undefined: none is. */
export async function holdOnFound(
  transaction: Database,
  found: { readonly organizationId: string; readonly identities: readonly Identity[] },
  masterKey: SecretKey,
): Promise<string | undefined> {
  const { organizationId, identities } = found;
  const holds = identities.length === 0 ? [] : await activeHolds(transaction, organizationId);
  if (holds.every(({ scope }) => scope !== 'subject')) return undefined;
  const digests = identities.map((identity) => holdDigest(masterKey, organizationId, identity));
  const [hold] = await holdsOnIdentities(transaction, organizationId, digests);
  return hold;
}
