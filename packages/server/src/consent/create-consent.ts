import { api } from '@habeas/contract';
import { sql } from 'kysely';
import { appendAudit } from '../audit/index.ts';
import { type Identity, namesThings } from '../catalog/index.ts';
import type { Clock, Database, SecretKey } from '../foundation/index.ts';
import { agesOf } from './ages.ts';
import { validitiesOf } from './expire-consent.ts';
import { type HeldConsent, heldConsent } from './held-consent.ts';
import { historyItems } from './history-items.ts';
import { importRows } from './import/import-rows.ts';
import { noteChoice, type RequestedChoice } from './note-choice.ts';
import {
  allowedByDefault,
  assignBits,
  NO_PURPOSES,
  type Purpose,
  type PurposeBits,
  type PurposeFile,
} from './purposes/index.ts';
import {
  createSubjects,
  joinAnonymous,
  type MergeRule,
  type Outcome,
  type RefusedOutcome,
  refusalOf,
  type Signal,
  type Subjects,
  signatureOf,
  type Validity,
} from './record/index.ts';
import { choicesOfGpp, choicesOfTcf, MalformedString, stringsOf, UnknownSections } from './strings/index.ts';
import { inTurn, type Said, takeTogether } from './take-together.ts';

/** What people agreed to. */
export interface Consent {
  /** The purposes of the configuration, in its order. */
  readonly purposes: readonly api.PurposeView[];
  /** Stores signals and what they come to in one transaction; outcomes in the order of the signals. */
  record(
    caller: ConsentCaller,
    signals: readonly api.ConsentSignal[],
  ): Promise<readonly api.ConsentOutcome[]>;
  /** Records what a request objects to, in the caller's transaction. */
  noteChoice(transaction: Database, choice: RequestedChoice): Promise<void>;
  /** Makes what a browser said under a random id part of what the person said who signed in with it. */
  join(caller: ConsentCaller, anonymous: Identity, person: Identity): Promise<void>;
  /** Stores the rows of a piece of a list. Throws BAD_INPUT for one that cannot be read. */
  importRows(caller: ConsentCaller, list: ConsentList): Promise<api.ConsentImportResult>;
  /** All that a person ever said, the earliest first; nothing of somebody who is not known. */
  history(organizationId: string, identity: Identity): Promise<ConsentHistory>;
  /** All that a person ever said under any of these identities, for a package. */
  held(person: {
    readonly organizationId: string;
    readonly identities: readonly Identity[];
  }): Promise<readonly HeldConsent[]>;
  /** Whether a signal with this id is stored. */
  has(organizationId: string, eventId: string): Promise<boolean>;
  /** What a person said about each purpose, now or as it was at a moment, and what follows from it. */
  read(organizationId: string, identity: Identity, asOf?: Date): Promise<api.ConsentView>;
}

export interface ConsentCaller {
  readonly organizationId: string;
  /** As audit entries name it: `key:<id>`. */
  readonly actor: string;
}

export interface ConsentHistory {
  /** The person by number; undefined: nobody. */
  readonly subject: number | undefined;
  readonly items: readonly api.ConsentHistoryItem[];
}

/** A piece of a list. */
export interface ConsentList extends api.ConsentImportQuery {
  readonly format: 'csv' | 'json-lines';
  readonly text: string;
}

export interface CreateConsentOptions {
  readonly db: Database;
  /** Whose purposes these are; another organization on the same server has none. */
  readonly organizationId: string;
  readonly file: PurposeFile;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  /** What counts of what was said before somebody signed in. (Default: latest) */
  readonly rule?: MergeRule;
  /** Is called again and again while many signals come, which leave much garbage behind. */
  readonly whileManyCome?: () => void;
}

interface Scope {
  readonly bits: PurposeBits;
  readonly subjects: Subjects;
  readonly file: PurposeFile;
  readonly validities: readonly Validity[];
  /** Stores signals, together with those that come at the same time. */
  readonly take: (said: Said) => Promise<readonly Outcome[]>;
}

export function createConsent({
  db,
  organizationId: own,
  masterKey,
  clock,
  rule = 'latest',
  whileManyCome = () => undefined,
  ...options
}: CreateConsentOptions): Consent {
  const scopes = new Map<string, Promise<Scope>>();

  /** Bits are given when they are first needed; a failure is tried again by the next call. */
  function scopeOf(organizationId: string): Promise<Scope> {
    const known = scopes.get(organizationId);
    if (known !== undefined) return known;
    const file = organizationId === own ? options.file : NO_PURPOSES;
    const opening = assignBits(
      db,
      organizationId,
      file.purposes.map(({ code }) => code),
    ).then((bits) => {
      const subjects = createSubjects({ organizationId, masterKey });
      const validities = validitiesOf(file.purposes, bits);
      const take = takeTogether({ db, clock, organizationId, subjects, purposes: bits, rule, validities });
      return { bits, file, subjects, validities, take };
    });
    scopes.set(organizationId, opening);
    opening.catch(() => scopes.delete(organizationId));
    return opening;
  }

  return {
    purposes: options.file.purposes.map(viewOf),

    async record({ organizationId, actor }, given) {
      whileManyCome();
      const scope = await scopeOf(organizationId);
      const read = given.map((one) => signalOf(one, scope.file.purposes));
      const signals = read.filter((one) => 'eventId' in one);
      const taken = (await scope.take({ actor, signals })).values();
      const outcomes = read.map((one) => ('eventId' in one ? (taken.next().value ?? 'stored') : one));
      return outcomes.map((outcome, place) => {
        const id = given[place]?.event_id ?? '';
        return typeof outcome === 'string'
          ? { event_id: id, state: outcome, code: null, reason: null }
          : { event_id: id, state: 'refused', code: outcome.refused, reason: outcome.reason };
      });
    },

    async noteChoice(transaction, choice) {
      const { bits, subjects, file, validities } = await scopeOf(choice.organizationId);
      const identities = choice.identities.map(normalized).filter(({ value }) => value !== '');
      const options = { bits, subjects, rule, validities, purposes: file.purposes, now: clock.now() };
      await noteChoice(transaction, { ...choice, identities }, options);
    },

    async join({ organizationId, actor }, anonymous, person) {
      const { bits, subjects, validities } = await scopeOf(organizationId);
      const now = clock.now();
      await inTurn(db, async (transaction) => {
        const joined = await joinAnonymous(transaction, {
          organizationId,
          subjects,
          purposes: bits,
          now,
          rule,
          validities,
          anonymous: normalized(anonymous),
          person: normalized(person),
        });
        if (joined === 0) return;
        const details = { signals: joined };
        const entry = { organizationId, actor, action: 'consent.joined', subject: organizationId, details };
        await appendAudit(transaction, [entry], now);
      });
    },

    async importRows({ organizationId, actor }, { text, format, name, first_line, dry_run }) {
      whileManyCome();
      const scope = await scopeOf(organizationId);
      const judge = (signal: Signal) =>
        refusalOf(signal, { purposes: scope.bits, now: clock.now() }) ?? 'checked';
      return importRows({
        text,
        format,
        name,
        firstLine: first_line ?? (format === 'csv' ? 2 : 1),
        mostRows: api.MAX_CONSENT_IMPORT_ROWS,
        take: async (given) => {
          const signals = given.map((one) => ({ ...one, identity: normalized(one.identity) }));
          return dry_run === 'true' ? signals.map(judge) : scope.take({ actor, signals });
        },
      });
    },

    async history(organizationId, identity) {
      const { bits, subjects } = await scopeOf(organizationId);
      const subject = await subjects.find(db, normalized(identity));
      if (subject === undefined) return { subject, items: [] };
      return { subject, items: await historyItems(db, { organizationId, subject, purposes: bits }) };
    },

    async held({ organizationId, identities }) {
      const { subjects } = await scopeOf(organizationId);
      const own = identities.filter(({ type }) => !namesThings(type)).map(normalized);
      return heldConsent(db, { organizationId, subjects, identities: own });
    },

    async has(organizationId, eventId) {
      const { rows } = await sql`
        select from consent_signals where organization_id = ${organizationId} and event_id = ${eventId}`.execute(
        db,
      );
      return rows.length > 0;
    },

    async read(organizationId, identity, asOf) {
      const { bits, subjects, file, validities } = await scopeOf(organizationId);
      const now = clock.now();
      const subject = await subjects.find(db, normalized(identity));
      const { known, granted } =
        subject === undefined
          ? { known: 0n, granted: 0n }
          : await signatureOf(db, {
              organizationId,
              subject,
              rule,
              validities,
              now,
              ...(asOf === undefined ? {} : { asOf }),
            });
      const ages = await agesOf(db, {
        organizationId,
        subject,
        bits,
        purposes: file.purposes,
        rule,
        at: asOf ?? now,
      });
      const purposes = file.purposes.map((purpose) => {
        const bit = 1n << BigInt(bits.get(purpose.code) ?? 0);
        const said = (known & bit) === 0n ? null : (granted & bit) !== 0n;
        const age = ages.get(purpose.code);
        return {
          code: purpose.code,
          said,
          allowed: said ?? allowedByDefault(purpose),
          ...(age !== undefined && said !== null && { said_at: age.saidAt.toISOString() }),
          ...(age?.isTooOld && { ask_again: true as const }),
        };
      });
      const allowed = new Set(purposes.filter((one) => one.allowed).map(({ code }) => code));
      const strings = stringsOf(file, (code) => allowed.has(code), now);
      return {
        as_of: (asOf ?? now).toISOString(),
        purposes,
        ...(Object.keys(strings).length === 0 ? {} : { strings }),
      };
    },
  };
}

function viewOf({ code, name, legal_basis, data_categories, dpv, gpc }: Purpose): api.PurposeView {
  const allowed = allowedByDefault({ legal_basis });
  return { code, name, legal_basis, data_categories, dpv: dpv ?? null, gpc, allowed_by_default: allowed };
}

/** The signal, or why what it says cannot be read. */
function signalOf(given: api.ConsentSignal, purposes: readonly Purpose[]): Signal | RefusedOutcome {
  const { event_id, identity, said_at, source, notice, tcf, gpp } = given;
  let choices = given.choices;
  for (const [kind, text, read] of [
    ['tcf', tcf, choicesOfTcf],
    ['gpp', gpp, choicesOfGpp],
  ] as const) {
    if (text === undefined) continue;
    try {
      choices = { ...read(text, purposes), ...choices };
    } catch (error) {
      if (error instanceof MalformedString)
        return { refused: `malformed-${kind}`, reason: `The string cannot be read: ${error.message}.` };
      if (!(error instanceof UnknownSections)) throw error;
      if (Object.keys(choices).length === 0)
        return {
          refused: 'unknown-gpp-section',
          reason: `What the string says cannot be read: ${error.message}.`,
        };
    }
  }
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
export function normalized({ type, value }: Identity): Identity {
  const composed = value.normalize('NFC');
  return { type, value: type === 'email' ? composed.trim().toLowerCase() : composed };
}
