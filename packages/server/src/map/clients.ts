import { appendAudit } from '../audit/index.ts';
import { type Database, newId } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import { type AllowList, parseClientAddress } from './client-address.ts';
import type { ClientDeclaration, Declaration } from './declaration.ts';
import type { MapTables } from './tables.ts';

/** Who decided, where it was the configuration and not a person. */
export const ALLOW_LIST = 'allow-list';

export interface ProposeOptions {
  readonly organizationId: string;
  readonly now: Date;
  readonly declarations: readonly Declaration[];
}

/** Each client that was never seen before becomes a proposal. Another address or protocol is another client. */
export async function proposeClients(transaction: Database, options: ProposeOptions): Promise<void> {
  const { organizationId, now } = options;
  // Sorted, so that sources that declare the same clients at the same time take locks in one order.
  const declared = options.declarations
    .filter((declaration) => declaration.kind === 'client')
    .sort((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1));
  if (declared.length === 0) return;
  const tables = transaction.withTables<MapTables>();
  const known = await tables
    .selectFrom('map_clients')
    .select(['team', 'service', 'address', 'protocol'])
    .where('organization_id', '=', organizationId)
    .execute();
  const seen = new Set(known.map(identityOf));
  const rows = declared
    .filter((client) => !seen.has(identityOf(client)))
    .map((client) => ({ ...toRow(client), organization_id: organizationId, first_seen: now }));
  if (rows.length === 0) return;
  const inserted = await tables
    .insertInto('map_clients')
    .values(rows.map((row) => ({ ...row, id: newId('cli', now), reason: null })))
    .onConflict((conflict) => conflict.doNothing())
    .returning(['id', 'team', 'service', 'address', 'protocol'])
    .execute();
  for (const client of inserted) {
    await recordClient(transaction, {
      organizationId,
      now,
      actor: 'system',
      action: 'client.proposed',
      client,
    });
  }
}

export interface ApplyAllowListOptions {
  readonly organizationId: string;
  readonly now: Date;
  readonly allows: AllowList;
}

/**
 * Approves proposals that the allow-list accepts. What only the allow-list approved, and it does not accept any more,
 * is a proposal again. What a person decided stays.
 */
export async function applyAllowList(db: Database, options: ApplyAllowListOptions): Promise<void> {
  const { organizationId, now, allows } = options;
  const undecided = (await clientsOpenToAllowList(db, organizationId)).filter(changes);
  if (undecided.length === 0) return;
  await db.transaction().execute(async (transaction) => {
    const rows = await clientsOpenToAllowList(transaction, organizationId, { lock: true });
    for (const client of rows.filter(changes)) {
      const approve = client.state === 'proposed';
      await transaction
        .withTables<MapTables>()
        .updateTable('map_clients')
        .set(
          approve
            ? { state: 'approved', decided_by: ALLOW_LIST, decided_at: now, reason: null }
            : { state: 'proposed', decided_by: null, decided_at: null, reason: null },
        )
        .where('organization_id', '=', organizationId)
        .where('id', '=', client.id)
        .execute();
      const action = approve ? 'client.approved' : 'client.proposed';
      await recordClient(transaction, {
        organizationId,
        now,
        actor: 'system',
        action,
        client,
        by: ALLOW_LIST,
      });
    }
  });

  function changes(client: { readonly state: string; readonly address: string }): boolean {
    const address = parseClientAddress(client.address);
    const allowed = address !== undefined && allows(address);
    return allowed === (client.state === 'proposed');
  }
}

/** Proposals, and clients that the allow-list approved, in the order of their ids. */
async function clientsOpenToAllowList(
  db: Database,
  organizationId: string,
  options: { readonly lock?: boolean } = {},
) {
  const query = db
    .withTables<MapTables>()
    .selectFrom('map_clients')
    .select(['id', 'team', 'service', 'address', 'protocol', 'state'])
    .where('organization_id', '=', organizationId)
    .where((where) => where.or([where('state', '=', 'proposed'), where('decided_by', '=', ALLOW_LIST)]))
    .orderBy('id');
  return options.lock === true ? query.forUpdate().execute() : query.execute();
}

export interface RecordClientOptions {
  readonly organizationId: string;
  readonly now: Date;
  readonly actor: string;
  readonly action: 'client.proposed' | 'client.approved' | 'client.rejected';
  readonly client: Pick<MapTables['map_clients'], 'id' | 'team' | 'service' | 'address' | 'protocol'>;
  /** What decided, if it was no person. */
  readonly by?: string;
  /** What they said about it. */
  readonly reason?: string | undefined;
}

/** The audit entry and the event of a change of a client. */
export async function recordClient(transaction: Database, options: RecordClientOptions): Promise<void> {
  const { organizationId, now, client, actor, action } = options;
  const details = {
    team: client.team,
    service: client.service === '' ? null : client.service,
    address: client.address,
    protocol: client.protocol,
    ...(options.by === undefined ? {} : { by: options.by }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  };
  await appendAudit(transaction, [{ organizationId, actor, action, subject: client.id, details }], now);
  const data = { client: client.id, team: client.team };
  await publish(transaction, [{ organizationId, type: action, data }], now);
}

function toRow(client: ClientDeclaration) {
  const { team, address, protocol } = client;
  return { team, service: client.service ?? '', address, protocol };
}

/** What makes two client declarations one client. */
function identityOf(client: {
  readonly team: string;
  readonly service?: string | undefined;
  readonly address: string;
  readonly protocol: string;
}): string {
  return JSON.stringify([client.team, client.service ?? '', client.address, client.protocol]);
}
