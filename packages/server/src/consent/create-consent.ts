import type { api } from '@habeas/contract';
import { appendAudit } from '../audit/index.ts';
import type { Identity } from '../catalog/index.ts';
import { type Clock, type Database, type SecretKey, sha256Hex } from '../foundation/index.ts';
import { allowedByDefault, assignBits, type Purpose, type PurposeBits } from './purposes/index.ts';
import { createSubjects, recordSignals, type Signal, type Subjects, signatureOf } from './record/index.ts';

/** What people agreed to. */
export interface Consent {
  /** The purposes of the configuration, in its order. */
  readonly purposes: readonly api.PurposeView[];
  /** Stores signals and what they come to in one transaction; outcomes in the order of the signals. */
  record(
    caller: ConsentCaller,
    signals: readonly api.ConsentSignal[],
  ): Promise<readonly api.ConsentOutcome[]>;
  /** What a person said about each purpose, now or as it was at a moment, and what follows from it. */
  read(organizationId: string, identity: Identity, asOf?: Date): Promise<api.ConsentView>;
}

export interface ConsentCaller {
  readonly organizationId: string;
  /** As audit entries name it: `key:<id>`. */
  readonly actor: string;
}

export interface CreateConsentOptions {
  readonly db: Database;
  /** Whose purposes these are; another organization on the same server has none. */
  readonly organizationId: string;
  readonly purposes: readonly Purpose[];
  readonly masterKey: SecretKey;
  readonly clock: Clock;
}

interface Scope {
  readonly bits: PurposeBits;
  readonly subjects: Subjects;
  readonly purposes: readonly Purpose[];
}

export function createConsent({
  db,
  organizationId: own,
  masterKey,
  clock,
  ...options
}: CreateConsentOptions): Consent {
  const scopes = new Map<string, Promise<Scope>>();

  /** Bits are given when they are first needed; a failure is tried again by the next call. */
  function scopeOf(organizationId: string): Promise<Scope> {
    const known = scopes.get(organizationId);
    if (known !== undefined) return known;
    const purposes = organizationId === own ? options.purposes : [];
    const opening = assignBits(
      db,
      organizationId,
      purposes.map(({ code }) => code),
    ).then((bits) => ({ bits, purposes, subjects: createSubjects({ organizationId, masterKey }) }));
    scopes.set(organizationId, opening);
    opening.catch(() => scopes.delete(organizationId));
    return opening;
  }

  return {
    purposes: options.purposes.map(viewOf),

    async record({ organizationId, actor }, given) {
      const { bits, subjects } = await scopeOf(organizationId);
      const signals = given.map(signalOf);
      const now = clock.now();
      const outcomes = await inTurn(db, async (transaction) => {
        const found = await recordSignals(transaction, signals, {
          organizationId,
          subjects,
          purposes: bits,
          now,
        });
        const stored = signals.filter((_, place) => found[place] === 'stored');
        // One entry for all of them, with a hash of what they say, but not of whom: that could be guessed from it.
        if (stored.length > 0) {
          const details = {
            signals: stored.length,
            sha256: sha256Hex(JSON.stringify(stored.map(({ identity: _, ...said }) => said))),
          };
          await appendAudit(
            transaction,
            [{ organizationId, actor, action: 'consent.recorded', subject: organizationId, details }],
            now,
          );
        }
        return found;
      });
      return outcomes.map((outcome, place) => {
        const id = given[place]?.event_id ?? '';
        return typeof outcome === 'string'
          ? { event_id: id, state: outcome, code: null, reason: null }
          : { event_id: id, state: 'refused', code: outcome.refused, reason: outcome.reason };
      });
    },

    async read(organizationId, identity, asOf) {
      const { bits, subjects, purposes } = await scopeOf(organizationId);
      const subject = await subjects.find(db, normalized(identity));
      const { known, granted } =
        subject === undefined
          ? { known: 0n, granted: 0n }
          : await signatureOf(db, { organizationId, subject, ...(asOf === undefined ? {} : { asOf }) });
      return {
        as_of: (asOf ?? clock.now()).toISOString(),
        purposes: purposes.map((purpose) => {
          const bit = 1n << BigInt(bits.get(purpose.code) ?? 0);
          const said = (known & bit) === 0n ? null : (granted & bit) !== 0n;
          return { code: purpose.code, said, allowed: said ?? allowedByDefault(purpose) };
        }),
      };
    },
  };
}

/** PostgreSQL ends one of two transactions that wait for each other; it has changed nothing and is done again. */
const DEADLOCK = '40P01';
const TRIES = 5;

async function inTurn<Result>(
  db: Database,
  work: (transaction: Database) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if ((error as { code?: string }).code !== DEADLOCK || attempt === TRIES) throw error;
    }
  }
}

function viewOf({ code, name, legal_basis, data_categories, dpv, gpc }: Purpose): api.PurposeView {
  const allowed = allowedByDefault({ legal_basis });
  return { code, name, legal_basis, data_categories, dpv: dpv ?? null, gpc, allowed_by_default: allowed };
}

function signalOf({ event_id, identity, said_at, choices, source, notice }: api.ConsentSignal): Signal {
  return {
    eventId: event_id,
    identity: normalized(identity),
    saidAt: new Date(said_at),
    choices,
    source,
    ...(notice === undefined ? {} : { notice }),
  };
}

/** E-mail addresses are one whatever their case and the blanks around them; everything else is taken as it is, in Unicode's composed form. */
function normalized({ type, value }: Identity): Identity {
  const composed = value.normalize('NFC');
  return { type, value: type === 'email' ? composed.trim().toLowerCase() : composed };
}
