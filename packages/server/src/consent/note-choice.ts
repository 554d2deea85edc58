import { appendAudit } from '../audit/index.ts';
import { type Flag, type Identity, namesThings } from '../catalog/index.ts';
import type { FlagEffect } from '../connectors/index.ts';
import { type Database, HabeasError } from '../foundation/index.ts';
import type { Purpose, PurposeBits } from './purposes/index.ts';
import { type MergeRule, recordSignals, type Signal, type Subjects, type Validity } from './record/index.ts';

/** What a person's request objects to, or takes back. */
export interface RequestedChoice {
  readonly organizationId: string;
  readonly requestId: string;
  /** All that are known of the person. */
  readonly identities: readonly Identity[];
  readonly flag: Flag;
  /** Of an objection; one covers what is below it. */
  readonly purposes: readonly string[];
  readonly effect: FlagEffect;
  /** When the request came: what the person says after that counts more. */
  readonly saidAt: Date;
}

export interface NoteChoiceOptions {
  readonly purposes: readonly Purpose[];
  readonly bits: PurposeBits;
  readonly subjects: Subjects;
  readonly rule: MergeRule;
  readonly validities: readonly Validity[];
  readonly now: Date;
}

/**
 * Records what a request objects to as a signal of each of the person's identities, in the caller's transaction. Who takes an objection
 * back allows what may happen until they object; where consent is needed they have not agreed by that.
 */
export async function noteChoice(
  transaction: Database,
  choice: RequestedChoice,
  { purposes, bits, subjects, rule, validities, now }: NoteChoiceOptions,
): Promise<void> {
  const { organizationId, requestId, effect, saidAt } = choice;
  const granted = effect === 'lift';
  const concerned = purposes.filter(
    (purpose) => isConcerned(purpose, choice) && !(granted && purpose.legal_basis === 'consent'),
  );
  const identities = choice.identities.filter(({ type }) => !namesThings(type));
  if (concerned.length === 0 || identities.length === 0) return;
  const { digests, identities: each } = subjects.prepare(identities);
  const signals = each.map(
    (identity, place): Signal => ({
      eventId: `${requestId}:${digests[place]?.toString('base64url').slice(0, 22)}`,
      identity,
      saidAt,
      choices: Object.fromEntries(concerned.map(({ code }) => [code, granted])),
      source: 'request',
    }),
  );
  const outcomes = await recordSignals(transaction, signals, {
    organizationId,
    subjects,
    purposes: bits,
    now,
    rule,
    validities,
  });
  const refused = outcomes.find((outcome) => typeof outcome === 'object');
  if (refused !== undefined)
    throw new HabeasError('INTERNAL', `What a request objects to was refused as a signal: ${refused.reason}`);
  const stored = outcomes.filter((outcome) => outcome === 'stored').length;
  if (stored === 0) return;
  const details = { signals: stored, request: requestId };
  const entry = {
    organizationId,
    actor: 'system',
    action: 'consent.recorded',
    subject: organizationId,
    details,
  };
  await appendAudit(transaction, [entry], now);
}

function isConcerned(purpose: Purpose, { flag, purposes }: RequestedChoice): boolean {
  switch (flag) {
    case 'objection':
      return [purpose.code, ...(purpose.objections ?? [])].some((name) =>
        purposes.some((asked) => name === asked || name.startsWith(`${asked}.`)),
      );
    // Global Privacy Control is an opt-out of the same (11 CCR § 7025).
    case 'opt_out_of_sale':
      return purpose.gpc || purpose.gpp.includes('sale') || purpose.gpp.includes('sharing');
    // They are about all processing, or about kinds of data, and not about a purpose.
    case 'restriction':
    case 'limit_sensitive_data':
      return false;
    default:
      return flag satisfies never;
  }
}
