import type { api } from '@habeas/contract';
import { dpvTermOf } from '../../map/index.ts';
import type { Purpose } from '../purposes/index.ts';
import { CONSENT_CONTEXT } from './consent-context.ts';

export interface ConsentRecordOptions {
  readonly organizationId: string;
  readonly receiptId: string;
  readonly issuedAt: Date;
  /** The person by number; who they are is not in it. */
  readonly subject: number;
  readonly said: api.ConsentHistoryItem;
  /** What the person said before that, the earliest first. */
  readonly before: readonly api.ConsentHistoryItem[];
  /** As they were when it was said, as far as that is known. */
  readonly purposes: readonly RecordedPurpose[];
  readonly parties: ConsentParties;
}

/** What a record says of a purpose. */
export interface RecordedPurpose extends Pick<Purpose, 'code' | 'name' | 'legal_basis' | 'data_categories'> {
  readonly dpv?: Purpose['dpv'];
  readonly validity?: Purpose['validity'];
}

/** Who asked, and where people turn to, as far as the configuration says. */
export interface ConsentParties {
  /** The name of the organization, and how to reach it. */
  readonly controller: { readonly name?: string | undefined; readonly contact?: string | undefined };
  /** The address of the organization's notice about its processing. */
  readonly noticeUrl: string | undefined;
  /** The address at which people withdraw. */
  readonly withdrawUrl: string | undefined;
}

const PROFILE = 'https://w3id.org/dpv/schema/dpv-27560';

/** Opting out is no legal basis of the vocabulary. */
const LEGAL_BASES: Readonly<Record<Purpose['legal_basis'], string | undefined>> = {
  consent: 'dpv:Consent',
  legitimate_interests: 'dpv:LegitimateInterest',
  contract: 'dpv:Contract',
  legal_obligation: 'dpv:LegalObligation',
  opt_out: undefined,
};

/**
 * A signal as a consent receipt after ISO/IEC TS 27560:2023, in JSON-LD with the W3C Data Privacy Vocabulary (profiles
 * `dpv-27560:receipt` and `dpv-27560:record`): header, processing with its notice, parties, and the event.
 */
export function consentRecordOf(options: ConsentRecordOptions): Record<string, unknown> {
  const { organizationId, receiptId, issuedAt, said, parties } = options;
  const base = baseOf(options);
  return {
    '@context': CONSENT_CONTEXT,
    '@id': `${base}:receipt:${receiptId}`,
    '@type': 'dpv:ConsentReceipt',
    'dct:conformsTo': `${PROFILE}#receipt`,
    'dct:identifier': receiptId,
    'dct:created': issuedAt.toISOString(),
    'dct:publisher': base,
    'dpv:hasRecordOfActivity': {
      '@id': `${base}:record:${encodeURIComponent(said.event_id)}`,
      '@type': 'dpv:ConsentRecord',
      'dct:conformsTo': `${PROFILE}#record`,
      'dct:identifier': said.event_id,
      'dpv:hasDataSubject': { '@id': personOf(options), '@type': 'dpv:DataSubject' },
      'dpv:hasDataController': {
        '@id': base,
        '@type': 'dpv:DataController',
        'dct:identifier': organizationId,
        ...given('dpv:hasName', parties.controller.name),
        ...given('dpv:hasContact', parties.controller.contact),
      },
      ...given('dpv:hasNotice', noticeOf(options)),
      'dpv:hasProcess': Object.entries(said.choices).map(([code, granted]) =>
        processOf(code, granted, options),
      ),
      'dct:created': said.received_at,
      'dct:source': said.source,
    },
  };
}

const baseOf = ({ organizationId }: Pick<ConsentRecordOptions, 'organizationId'>) =>
  `urn:habeas:${organizationId}`;
const personOf = (options: ConsentRecordOptions) => `${baseOf(options)}:subject:${options.subject}`;

function noticeOf({ said: { notice }, parties }: ConsentRecordOptions): object | undefined {
  if (notice === null) return undefined;
  return {
    '@type': 'dpv:ConsentNotice',
    'schema:version': notice.version,
    'dct:language': notice.language,
    ...given('dct:type', notice.variant === '' ? undefined : notice.variant),
    ...given('schema:url', parties.noticeUrl),
  };
}

/** The property, where there is a value for it. */
function given(property: string, value: string | object | undefined): Record<string, string | object> {
  return value === undefined ? {} : { [property]: value };
}

function processOf(code: string, granted: boolean, options: ConsentRecordOptions): object {
  const { purposes, parties } = options;
  const purpose = purposes.find((one) => one.code === code);
  const basis = purpose === undefined ? undefined : LEGAL_BASES[purpose.legal_basis];
  return {
    '@type': 'dpv:Process',
    'dpv:hasPurpose': {
      // A purpose of its own, of the kind that the vocabulary has: two of one kind are two.
      '@id': `${baseOf(options)}:purpose:${code}`,
      '@type': purpose?.dpv === undefined ? 'dpv:Purpose' : ['dpv:Purpose', purpose.dpv],
      'dct:identifier': code,
      ...(purpose === undefined ? {} : { 'dct:title': purpose.name }),
    },
    ...(purpose === undefined || purpose.data_categories.length === 0
      ? {}
      : { 'dpv:hasPersonalData': purpose.data_categories.map(personalData) }),
    ...given('dpv:hasLegalBasis', basis),
    ...given(
      'dpv:hasConsentControl',
      purpose?.legal_basis === 'consent' && parties.withdrawUrl !== undefined
        ? { '@type': 'dpv:WithdrawConsent', 'dpv:isExercisedAt': parties.withdrawUrl }
        : undefined,
    ),
    'dpv:hasConsentStatus': {
      '@type': statusOf(code, granted, { ...options, purpose }),
      'dpv:isIndicatedAtTime': options.said.said_at,
      'dpv:isIndicatedBy': personOf(options),
      // A refusal counts until the person agrees.
      'dpv:hasDuration':
        granted && purpose?.validity !== undefined
          ? { '@type': 'dpv:TemporalDuration', 'rdf:value': `P${purpose.validity}D` }
          : { '@type': 'dpv:EndlessDuration' },
    },
  };
}

const DAY_MILLISECONDS = 86_400_000;

/**
 * Who agreed before, and whose agreement still counted, withdraws it or renews it. Of Global Privacy Control, which a browser says again with each
 * page, only the first time counts: later ones take back nothing that the person chose.
 */
function statusOf(
  code: string,
  granted: boolean,
  { said, before, purpose }: ConsentRecordOptions & { readonly purpose: RecordedPurpose | undefined },
): string {
  const about = [...before, said].filter(({ choices }) => choices[code] !== undefined);
  const automatic = about.find(({ source }) => source === 'gpc');
  const counting = about.filter((one) => one.source !== 'gpc' || one === automatic);
  const last = counting.at(-2);
  const age = last === undefined ? 0 : Date.parse(said.said_at) - Date.parse(last.said_at);
  const counted =
    counting.at(-1) === said &&
    last?.choices[code] === true &&
    age < (purpose?.validity ?? Infinity) * DAY_MILLISECONDS;
  if (granted) return counted ? 'dpv:RenewedConsentGiven' : 'dpv:ConsentGiven';
  return counted ? 'dpv:ConsentWithdrawn' : 'dpv:ConsentRefused';
}

/** The nearest term of the vocabulary, and the category as the organization names it. */
function personalData(category: string): object {
  return { '@type': dpvTermOf(category), 'dct:identifier': category };
}
