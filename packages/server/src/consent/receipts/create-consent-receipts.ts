import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { appendAudit, canonicalJson, type EntryProof } from '../../audit/index.ts';
import type { Identity } from '../../catalog/index.ts';
import { type Clock, type Database, HabeasError, newId, sha256Hex } from '../../foundation/index.ts';
import type { Consent, ConsentCaller } from '../create-consent.ts';
import { historyItems } from '../history-items.ts';
import { type Purpose, readBits } from '../purposes/index.ts';
import { type ConsentParties, consentRecordOf } from './consent-record.ts';
import { purposesWhen } from './purposes-when.ts';

/** What somebody who said something gets as proof. */
export interface ConsentReceipts {
  /**
   * The signed receipt of one signal of a person; the first call makes it, and writes its hash into the audit log. Throws NOT_FOUND where this
   * person said nothing under this id.
   */
  issue(caller: ConsentCaller, asked: IssueAsked): Promise<api.ConsentReceipt>;
}

export interface IssueAsked {
  readonly identity: Identity;
  readonly eventId: string;
}

export interface CreateConsentReceiptsOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly consent: Pick<Consent, 'history'>;
  readonly purposes: readonly Purpose[];
  /** As they are when a receipt is made. */
  readonly parties: () => ConsentParties;
  readonly sign: (
    payload: Uint8Array,
  ) => Promise<{ readonly signature: string; readonly publicKey: Readonly<Record<string, unknown>> }>;
  /** Proves an audit entry; undefined: the log cannot have it yet. */
  readonly prove: (sequence: number) => Promise<EntryProof | undefined>;
}

const SAID_NOTHING = 'This person said nothing under this event id.';

type Signed = Omit<api.ConsentReceipt, 'log'>;

export function createConsentReceipts(options: CreateConsentReceiptsOptions): ConsentReceipts {
  const { db, clock, consent, purposes, parties, sign, prove } = options;

  async function load(organizationId: string, eventId: string) {
    const { rows } = await sql<{ receipt: string; sequence: number }>`
      select receipt, sequence from consent_receipts where organization_id = ${organizationId} and event_id = ${eventId}`.execute(
      db,
    );
    return rows[0];
  }

  /** Also about purposes that are newer than this process. */
  async function saidBy(organizationId: string, subject: number, eventId: string) {
    const bits = await readBits(db, organizationId);
    const items = await historyItems(db, { organizationId, subject, purposes: bits });
    const place = items.findIndex(({ event_id }) => event_id === eventId);
    const said = items[place];
    if (said === undefined) throw new HabeasError('NOT_FOUND', SAID_NOTHING);
    return { said, before: items.slice(0, place) };
  }

  async function make({ organizationId, actor }: ConsentCaller, asked: IssueAsked, subject: number) {
    const now = clock.now();
    const { said, before } = await saidBy(organizationId, subject, asked.eventId);
    const id = newId('rcp', now);
    const record = consentRecordOf({
      organizationId,
      receiptId: id,
      issuedAt: now,
      subject,
      said,
      before,
      purposes: await purposesWhen(db, { organizationId, said, purposes }),
      parties: parties(),
    });
    const receipt = { version: 1 as const, organization: organizationId, consent_receipt_id: id, record };
    const payload = Buffer.from(canonicalJson(receipt));
    const { signature, publicKey } = await sign(payload);
    const signed: Signed = { receipt, signature, public_key: { ...publicKey } };
    await db.transaction().execute(async (transaction) => {
      // Of two calls at once the second waits here, and then makes none.
      const { rows } = await sql`
        insert into consent_receipts (organization_id, event_id, id, sequence, receipt)
        values (${organizationId}, ${asked.eventId}, ${id}, 0, ${JSON.stringify(signed)})
        on conflict do nothing returning id`.execute(transaction);
      if (rows.length === 0) return;
      const details = { sha256: sha256Hex(payload) };
      const entry = { organizationId, actor, action: 'receipt.signed', subject: id, details };
      await appendAudit(transaction, [entry], now);
      await sql`
        update consent_receipts set sequence = e.sequence from audit_entries as e
        where consent_receipts.organization_id = ${organizationId} and consent_receipts.id = ${id}
          and e.organization_id = ${organizationId} and e.subject = ${id}`.execute(transaction);
    });
  }

  return {
    async issue(caller, asked) {
      const { subject, items } = await consent.history(caller.organizationId, asked.identity);
      if (subject === undefined || !items.some(({ event_id }) => event_id === asked.eventId))
        throw new HabeasError('NOT_FOUND', SAID_NOTHING);
      if ((await load(caller.organizationId, asked.eventId)) === undefined)
        await make(caller, asked, subject);
      const row = await load(caller.organizationId, asked.eventId);
      if (row === undefined) throw new HabeasError('INTERNAL', 'A receipt was not stored.');
      const proved = await prove(Number(row.sequence));
      return {
        ...(JSON.parse(row.receipt) as Signed),
        log: proved === undefined ? null : { entry: { ...proved.entry }, proof: proved.proof },
      };
    },
  };
}
