import { createHmac } from 'node:crypto';
import { type Database, deriveKey, open, type SecretKey, seal } from '../foundation/index.ts';
import type { PartnerRow } from './partner.ts';
import type { PartnerTables } from './tables.ts';
import type { PartnerRequestRow, PrivatePart, ToldStatus } from './told-status.ts';

export const PARTNER_REQUEST_COLUMNS = [
  'organization_id',
  'partner',
  'wire_id',
  'request_id',
  'ask_digest',
  'status',
  'ended_at',
  'revoked',
  'received_at',
  'expires_at',
  'sealed',
] as const satisfies readonly (keyof PartnerRequestRow)[];

/** How long after its end a partner can ask about a request. The Data Rights Protocol (§3.02) has 60 days at most. */
const REMEMBERED_MILLISECONDS = 60 * 86_400_000;

export interface NewPartnerRequest {
  readonly partner: PartnerRow;
  readonly wireId: string;
  readonly requestId: string | null;
  /** What makes it the same when it comes again, in words of the protocol. */
  readonly sameness: string;
  readonly status: ToldStatus;
  readonly details: PrivatePart;
  readonly expiresAt: Date | null;
  readonly now: Date;
}

/** Which requests came from which partner, and what it was told of them. */
export interface PartnerRequests {
  /** Keeps a request; the one that is kept already where it came before. */
  keep(request: NewPartnerRequest): Promise<PartnerRequestRow>;
  /** Of this partner alone. */
  find(partner: PartnerRow, wireId: string): Promise<PartnerRequestRow | undefined>;
  findSame(partner: PartnerRow, sameness: string): Promise<PartnerRequestRow | undefined>;
  /** What resumes the proof of a request; the same each time, and stored nowhere. */
  proofToken(partner: PartnerRow, sameness: string): string;
  proofTokenOf(row: PartnerRequestRow): string;
  /** The request of ours became that of a partner's request for which nobody was verified so far. */
  attach(row: PartnerRequestRow, requestId: string): Promise<PartnerRequestRow>;
  markRevoked(row: PartnerRequestRow): Promise<PartnerRequestRow>;
  details(row: PartnerRequestRow): PrivatePart;
  /** Forgets what ended long ago. */
  prune(now: Date): Promise<void>;
}

export function createPartnerRequests(options: {
  readonly db: Database;
  readonly organizationId: string;
  readonly masterKey: SecretKey;
}): PartnerRequests {
  const { db, organizationId } = options;
  const sealKey = deriveKey(options.masterKey, 'partner requests');
  const digestKey = deriveKey(options.masterKey, 'partner request sameness');
  const tokenKey = deriveKey(options.masterKey, 'partner request proof');
  const tokenOf = (digest: Uint8Array) => createHmac('sha256', tokenKey).update(digest).digest('base64url');
  const contextOf = (partner: string, wireId: string) => `${organizationId}/${partner}/${wireId}`;
  const digestOf = (partner: PartnerRow, sameness: string) =>
    createHmac('sha256', digestKey).update(`${organizationId}/${partner.id}/${sameness}`).digest();
  const tables = db.withTables<PartnerTables>();
  const ofPartner = (partner: string) =>
    tables
      .selectFrom('partner_requests')
      .select(PARTNER_REQUEST_COLUMNS)
      .where('organization_id', '=', organizationId)
      .where('partner', '=', partner);
  const update = (
    row: PartnerRequestRow,
    set: Partial<Pick<PartnerRequestRow, 'request_id' | 'revoked' | 'expires_at'>>,
  ) =>
    tables
      .updateTable('partner_requests')
      .set(set)
      .where('organization_id', '=', organizationId)
      .where('partner', '=', row.partner)
      .where('wire_id', '=', row.wire_id)
      .returning(PARTNER_REQUEST_COLUMNS)
      .executeTakeFirstOrThrow();

  const findSame: PartnerRequests['findSame'] = (partner, sameness) =>
    ofPartner(partner.id).where('ask_digest', '=', digestOf(partner, sameness)).executeTakeFirst();

  return {
    findSame,
    proofToken: (partner, sameness) => tokenOf(digestOf(partner, sameness)),
    proofTokenOf: (row) => tokenOf(row.ask_digest),
    async keep({ partner, wireId, requestId, sameness, status, details, expiresAt, now }) {
      const made = await tables
        .insertInto('partner_requests')
        .values({
          organization_id: organizationId,
          partner: partner.id,
          wire_id: wireId,
          request_id: requestId,
          ask_digest: digestOf(partner, sameness),
          status: status.status,
          ended_at: status.ended ? now : null,
          revoked: false,
          received_at: now,
          expires_at: expiresAt,
          sealed: seal(sealKey, Buffer.from(JSON.stringify(details)), contextOf(partner.id, wireId)),
        })
        .onConflict((conflict) => conflict.doNothing())
        .returning(PARTNER_REQUEST_COLUMNS)
        .executeTakeFirst();
      return (
        made ??
        (await findSame(partner, sameness)) ??
        (await ofPartner(partner.id).where('wire_id', '=', wireId).executeTakeFirstOrThrow())
      );
    },
    find: (partner, wireId) => ofPartner(partner.id).where('wire_id', '=', wireId).executeTakeFirst(),
    attach: (row, requestId) => update(row, { request_id: requestId, expires_at: null }),
    markRevoked: (row) => update(row, { revoked: true }),
    details: (row) =>
      JSON.parse(open(sealKey, row.sealed, contextOf(row.partner, row.wire_id)).toString('utf8')),
    async prune(now) {
      const before = new Date(now.getTime() - REMEMBERED_MILLISECONDS);
      await db.transaction().execute(async (transaction) => {
        const own = transaction.withTables<PartnerTables>();
        const old = await own
          .selectFrom('partner_requests')
          .select(['partner', 'wire_id'])
          .where('organization_id', '=', organizationId)
          .where('ended_at', '<', before)
          .orderBy('ended_at')
          .limit(500)
          .execute();
        for (const { partner, wire_id } of old) {
          for (const table of ['partner_callbacks', 'partner_requests'] as const) {
            await own
              .deleteFrom(table)
              .where('organization_id', '=', organizationId)
              .where('partner', '=', partner)
              .where('wire_id', '=', wire_id)
              .execute();
          }
        }
        await own
          .deleteFrom('partner_messages')
          .where('organization_id', '=', organizationId)
          .where('expires_at', '<', now)
          .execute();
      });
    },
  };
}
