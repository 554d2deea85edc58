import type { api } from '@habeas/contract';
import type { Purpose } from '../purposes/index.ts';

export interface ConsentRecordOptions {
  readonly organizationId: string;
  readonly receiptId: string;
  readonly issuedAt: Date;
  /** The person by number; who they are is not in it. */
  readonly subject: number;
  readonly said: api.ConsentHistoryItem;
  readonly purposes: readonly Purpose[];
}

const DPV = 'https://w3id.org/dpv#';
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
  const { organizationId, receiptId, issuedAt, subject, said } = options;
  const controller = `urn:habeas:${organizationId}`;
  const notice =
    said.notice === null
      ? {}
      : {
          'dpv:hasNotice': {
            '@type': 'dpv:ConsentNotice',
            'schema:version': said.notice.version,
            'dct:language': said.notice.language,
            ...(said.notice.variant === '' ? {} : { 'dct:type': said.notice.variant }),
          },
        };
  return {
    '@context': { dpv: DPV, dct: 'http://purl.org/dc/terms/', schema: 'https://schema.org/' },
    '@id': `${controller}:receipt:${receiptId}`,
    '@type': 'dpv:ConsentReceipt',
    'dct:conformsTo': `${PROFILE}#receipt`,
    'dct:identifier': receiptId,
    'dct:created': issuedAt.toISOString(),
    'dct:publisher': controller,
    'dpv:hasRecordOfActivity': {
      '@id': `${controller}:record:${said.event_id}`,
      '@type': 'dpv:ConsentRecord',
      'dct:conformsTo': `${PROFILE}#record`,
      'dct:identifier': said.event_id,
      'dpv:hasDataSubject': { '@id': `${controller}:subject:${subject}`, '@type': 'dpv:DataSubject' },
      'dpv:hasDataController': controller,
      ...notice,
      'dpv:hasProcess': Object.entries(said.choices).map(([code, granted]) =>
        processOf(code, granted, options),
      ),
      'dct:created': said.received_at,
      'dct:source': said.source,
    },
  };
}

function processOf(code: string, granted: boolean, { said, purposes }: ConsentRecordOptions): object {
  const purpose = purposes.find((one) => one.code === code);
  const basis = purpose === undefined ? undefined : LEGAL_BASES[purpose.legal_basis];
  return {
    '@type': 'dpv:Process',
    'dpv:hasPurpose': {
      '@id': purpose?.dpv ?? `urn:habeas:purpose:${code}`,
      '@type': 'dpv:Purpose',
      'dct:identifier': code,
      ...(purpose === undefined ? {} : { 'dct:title': purpose.name }),
    },
    ...(purpose === undefined || purpose.data_categories.length === 0
      ? {}
      : { 'dpv:hasPersonalData': purpose.data_categories }),
    ...(basis === undefined ? {} : { 'dpv:hasLegalBasis': basis }),
    'dpv:hasConsentStatus': {
      '@type': granted ? 'dpv:ConsentGiven' : 'dpv:ConsentRefused',
      'dpv:isIndicatedAtTime': said.said_at,
    },
  };
}
