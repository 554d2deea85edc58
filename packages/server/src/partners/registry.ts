import type { api } from '@habeas/contract';
import { appendAudit } from '../audit/index.ts';
import { type Clock, type Database, HabeasError, newId } from '../foundation/index.ts';
import type { Directory } from './drp/directory.ts';
import { checkVerifyKey } from './drp/verify-key.ts';
import { PARTNER_COLUMNS, type PartnerRow, partnerView } from './partner.ts';
import type { PartnerTables, Protocol } from './tables.ts';
import { dropTokens, partnerOfToken, replaceToken } from './tokens.ts';

/** Who may send requests from another organization's system. */
export interface PartnerRegistry {
  /** Newest first, with those that are revoked, because audit entries name them. */
  list(): Promise<readonly api.PartnerView[]>;
  /** The one time that the token is told. Registering a controller that exists gives it a new token and takes it back from revocation. */
  registerController(actor: string, controller: ControllerToRegister): Promise<api.NewControllerView>;
  /** Throws BAD_INPUT for a key that nobody can sign with. */
  registerAgents(actor: string, agents: readonly api.DirectoryAgent[]): Promise<readonly api.PartnerView[]>;
  /**
   * Makes the directory's agents those that it names. The ones that a person registered or revoked stay as they are, and so do
   * those of which the directory is unclear.
   */
  syncDirectory(
    directory: Pick<Directory, 'agents' | 'unclear'>,
  ): Promise<{ readonly added: number; readonly changed: number; readonly revoked: number }>;
  /** Throws NOT_FOUND. */
  allowCallbacks(actor: string, id: string, origins: readonly string[]): Promise<api.PartnerView>;
  /** Throws NOT_FOUND. It stays revoked, whatever the directory says, until somebody registers it. */
  revoke(actor: string, id: string): Promise<api.PartnerView>;
  /** Whose token it is; undefined: nobody's who may call now. */
  authenticate(protocol: Protocol, token: string): Promise<PartnerRow | undefined>;
  /** An agent that is not revoked. */
  agent(agentId: string): Promise<PartnerRow | undefined>;
}

export interface ControllerToRegister {
  readonly controllerId: string;
  readonly name: string;
  readonly callbackOrigins: readonly string[];
}

export interface RegistryOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
}

type Registered = Pick<
  PartnerRow,
  'protocol' | 'partner_id' | 'name' | 'source' | 'verify_key' | 'callback_origins'
>;

export function createRegistry({ db, organizationId, clock }: RegistryOptions): PartnerRegistry {
  const audited = async (
    transaction: Database,
    options: {
      readonly actor: string;
      readonly action: string;
      readonly subject: string;
      readonly now: Date;
    },
  ) => appendAudit(transaction, [{ organizationId, ...options }], options.now);

  /** Inserts a partner, or makes the one of this name what it is now; undefined where nothing is different. */
  async function put(
    transaction: Database,
    options: { readonly partner: Registered; readonly actor: string; readonly now: Date },
  ): Promise<PartnerRow | undefined> {
    const { partner, actor, now } = options;
    const row = await transaction
      .withTables<PartnerTables>()
      .insertInto('partners')
      .values({
        organization_id: organizationId,
        id: newId('prt', now),
        ...partner,
        callback_origins: [...partner.callback_origins],
        created_at: now,
        created_by: actor,
        revoked_at: null,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['organization_id', 'protocol', 'partner_id'])
          .doUpdateSet((row) => ({
            name: row.ref('excluded.name'),
            source: row.ref('excluded.source'),
            verify_key: row.ref('excluded.verify_key'),
            callback_origins: row.ref('excluded.callback_origins'),
            revoked_at: null,
          }))
          .where((where) =>
            where.or([
              where('partners.revoked_at', 'is not', null),
              where('partners.name', 'is distinct from', where.ref('excluded.name')),
              where('partners.source', 'is distinct from', where.ref('excluded.source')),
              where('partners.verify_key', 'is distinct from', where.ref('excluded.verify_key')),
              where('partners.callback_origins', 'is distinct from', where.ref('excluded.callback_origins')),
            ]),
          ),
      )
      .returning(PARTNER_COLUMNS)
      .executeTakeFirst();
    if (row !== undefined)
      await audited(transaction, { actor, action: 'partner.registered', subject: row.id, now });
    return row;
  }

  const all = (transaction: Database, protocol: Protocol) =>
    transaction
      .withTables<PartnerTables>()
      .selectFrom('partners')
      .select(PARTNER_COLUMNS)
      .where('organization_id', '=', organizationId)
      .where('protocol', '=', protocol);

  async function update(
    id: string,
    options: {
      readonly actor: string;
      readonly action: string;
      readonly set: Partial<Pick<PartnerRow, 'callback_origins' | 'revoked_at' | 'source'>>;
    },
  ): Promise<api.PartnerView> {
    return db.transaction().execute(async (transaction) => {
      const now = clock.now();
      const row = await transaction
        .withTables<PartnerTables>()
        .updateTable('partners')
        .set(options.set)
        .where('organization_id', '=', organizationId)
        .where('id', '=', id)
        .returning(PARTNER_COLUMNS)
        .executeTakeFirst();
      if (row === undefined) throw new HabeasError('NOT_FOUND', 'There is no partner with this id.');
      if (row.revoked_at !== null) await dropTokens(transaction, row);
      await audited(transaction, { actor: options.actor, action: options.action, subject: id, now });
      return partnerView(row);
    });
  }

  const agentRow = (agent: api.DirectoryAgent, source: PartnerRow['source']): Registered => ({
    protocol: 'drp',
    partner_id: agent.id,
    name: agent.name,
    source,
    verify_key: checkVerifyKey(agent.verify_key),
    callback_origins: agent.callback_origins,
  });

  return {
    async list() {
      const rows = await db
        .withTables<PartnerTables>()
        .selectFrom('partners')
        .select(PARTNER_COLUMNS)
        .where('organization_id', '=', organizationId)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(partnerView);
    },
    registerController: (actor, { controllerId, name, callbackOrigins }) =>
      db.transaction().execute(async (transaction) => {
        const now = clock.now();
        const partner: Registered = {
          protocol: 'opendsr',
          partner_id: controllerId,
          name,
          source: 'registered',
          verify_key: null,
          callback_origins: [...callbackOrigins],
        };
        const row =
          (await put(transaction, { partner, actor, now })) ??
          (await all(transaction, 'opendsr')
            .where('partner_id', '=', controllerId)
            .executeTakeFirstOrThrow());
        const token = await replaceToken(transaction, row, now);
        await audited(transaction, { actor, action: 'partner.token-made', subject: row.id, now });
        return { ...partnerView(row), token };
      }),
    registerAgents: (actor, agents) =>
      db.transaction().execute(async (transaction) => {
        const now = clock.now();
        for (const agent of agents) {
          await put(transaction, { partner: agentRow(agent, 'registered'), actor, now });
        }
        const rows = await all(transaction, 'drp')
          .where(
            'partner_id',
            'in',
            agents.map(({ id }) => id),
          )
          .orderBy('partner_id')
          .execute();
        return rows.map(partnerView);
      }),
    syncDirectory: ({ agents, unclear }) =>
      db.transaction().execute(async (transaction) => {
        const now = clock.now();
        const known = new Map(
          (await all(transaction, 'drp').forUpdate().execute()).map((row) => [row.partner_id, row]),
        );
        const told = new Set([...agents.map(({ id }) => id), ...unclear]);
        let added = 0;
        let changed = 0;
        let revoked = 0;
        for (const agent of agents) {
          const before = known.get(agent.id);
          if (before?.source === 'registered') continue;
          // What a person approved stays approved while the directory names no addresses of callbacks.
          const origins =
            agent.callback_origins.length > 0
              ? agent.callback_origins
              : (before?.callback_origins ?? agent.homeOrigins);
          const partner = agentRow({ ...agent, callback_origins: [...origins] }, 'directory');
          const row = await put(transaction, { partner, actor: 'system', now });
          if (before === undefined) added += 1;
          else if (row !== undefined) changed += 1;
        }
        for (const row of known.values()) {
          if (row.source !== 'directory' || row.revoked_at !== null || told.has(row.partner_id)) continue;
          await transaction
            .withTables<PartnerTables>()
            .updateTable('partners')
            .set({ revoked_at: now })
            .where('organization_id', '=', organizationId)
            .where('id', '=', row.id)
            .execute();
          await dropTokens(transaction, row);
          await audited(transaction, { actor: 'system', action: 'partner.revoked', subject: row.id, now });
          revoked += 1;
        }
        return { added, changed, revoked };
      }),
    allowCallbacks: (actor, id, origins) =>
      update(id, { actor, action: 'partner.callbacks-allowed', set: { callback_origins: [...origins] } }),
    // From now on it is a person's word, and no directory takes it back.
    revoke: (actor, id) =>
      update(id, {
        actor,
        action: 'partner.revoked',
        set: { revoked_at: clock.now(), source: 'registered' },
      }),
    authenticate: (protocol, token) => partnerOfToken(db, { organizationId, protocol, token }),
    agent: (agentId) =>
      all(db, 'drp').where('partner_id', '=', agentId).where('revoked_at', 'is', null).executeTakeFirst(),
  };
}
