import jsonld from 'jsonld';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { newLogKey, testAuditLog } from '../../../test/log-key.ts';
import { auditMigrations, parseTrust, verifyFile } from '../../audit/index.ts';
import { fixedClock, newSecretKey } from '../../foundation/index.ts';
import { createConsent } from '../create-consent.ts';
import { parsePurposeFile } from '../purposes/index.ts';
import { consentMigrations } from '../record/index.ts';
import { consentRecordOf } from './consent-record.ts';
import { createConsentReceipts } from './create-consent-receipts.ts';

const file = parsePurposeFile(
  `purposes:
  - { code: analytics, name: { en: Analytics }, legal_basis: consent, validity: 365d, data_categories: [user.behavior], dpv: 'https://w3id.org/dpv#ServiceUsageAnalytics' }
  - { code: ads, name: { en: Ads }, legal_basis: opt_out }`,
  'purposes.yaml',
);
const clock = fixedClock('2026-06-01T12:00:00Z');
const caller = { organizationId: 'acme', actor: 'key:x' };
const identity = { type: 'email', value: 'ada@x.org' };
const asked = { identity, eventId: 'web-1' };
const parties = {
  controller: { name: 'Acme Ltd', contact: 'privacy@acme.example' },
  noticeUrl: 'https://acme.example/privacy-notice',
  withdrawUrl: 'https://habeas.acme.example/privacy/request',
};

/** What a processor of linked data makes of a record; nothing may be fetched. */
async function expanded(record: unknown): Promise<Record<string, unknown>> {
  const options: object = {
    documentLoader: async (url: string) => Promise.reject(new Error(`fetched ${url}`)),
    // Nothing is left out in silence.
    safe: true,
  };
  const nodes: unknown = await jsonld.expand(record as jsonld.JsonLdDocument, options);
  return (nodes as readonly Record<string, unknown>[])[0] ?? {};
}

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
});
afterAll(() => database?.close());

it('gives a receipt of a signal once, that is verified without the server and names nobody', async () => {
  const { db } = database;
  const key = newLogKey();
  const log = testAuditLog({ db, key });
  const consent = createConsent({ db, organizationId: 'acme', file, masterKey: newSecretKey(), clock });
  const receipts = createConsentReceipts({
    db,
    clock,
    consent,
    purposes: file.purposes,
    parties: () => parties,
    sign: (payload) => key.signReceipt('acme', payload),
    prove: (sequence) => log.proveNow(sequence),
  });
  await consent.record(caller, [
    {
      event_id: 'web-1',
      identity: { ...identity, value: 'Ada@x.org' },
      said_at: '2026-05-01T10:00:00Z',
      choices: { analytics: true, ads: false },
      source: 'tag',
      notice: { version: '2026-03', language: 'de', variant: 'banner' },
    },
  ]);
  const [first, second] = await Promise.all([receipts.issue(caller, asked), receipts.issue(caller, asked)]);
  expect(second.receipt).toEqual(first.receipt);
  expect(first.receipt.record).toMatchObject({
    '@type': 'dpv:ConsentReceipt',
    'dct:conformsTo': 'https://w3id.org/dpv/schema/dpv-27560#receipt',
    'dpv:hasRecordOfActivity': {
      '@type': 'dpv:ConsentRecord',
      'dct:identifier': 'web-1',
      'dct:source': 'tag',
      'dpv:hasNotice': { 'schema:version': '2026-03', 'dct:language': 'de', 'dct:type': 'banner' },
      'dpv:hasProcess': [
        {
          'dpv:hasPurpose': { '@id': 'https://w3id.org/dpv#ServiceUsageAnalytics' },
          'dpv:hasPersonalData': [{ '@type': 'pd:Behavioural', 'dct:identifier': 'user.behavior' }],
          'dpv:hasLegalBasis': 'dpv:Consent',
          'dpv:hasConsentStatus': {
            '@type': 'dpv:ConsentGiven',
            'dpv:isIndicatedAtTime': '2026-05-01T10:00:00.000Z',
          },
        },
        { 'dpv:hasConsentStatus': { '@type': 'dpv:ConsentRefused' } },
      ],
    },
  });
  await log.advance();
  const text = JSON.stringify(await receipts.issue(caller, asked));
  const trust = parseTrust((await log.verifierKeys()).join('\n'));
  expect(verifyFile({ text, trust })).toMatchObject({ kind: 'receipt', verified: true });
  expect(verifyFile({ text: text.replace('dpv:ConsentRefused', 'dpv:ConsentGiven'), trust }).verified).toBe(
    false,
  );
  expect(text).not.toContain('x.org');
  const { rows } = await database.pool.query(`select from audit_entries where action = 'receipt.signed'`);
  expect(rows).toHaveLength(1);
});

it('is linked data: what it refers to are IRIs, moments and durations, and no texts', async () => {
  const record = consentRecordOf({
    organizationId: 'acme',
    receiptId: 'rcp_1',
    issuedAt: new Date('2026-06-01T12:00:00Z'),
    subject: 7,
    said: {
      event_id: 'web-1',
      said_at: '2026-05-01T10:00:00.000Z',
      received_at: '2026-05-01T10:00:01.000Z',
      source: 'tag',
      choices: { analytics: true, ads: false },
      notice: { version: '2026-03', language: 'de', variant: '' },
    },
    purposes: file.purposes,
    parties,
  });
  const DPV = 'https://w3id.org/dpv#';
  const DCT = 'http://purl.org/dc/terms/';
  const XSD = 'http://www.w3.org/2001/XMLSchema#';
  const receipt = await expanded(record);
  expect(receipt).toMatchObject({
    '@id': 'urn:habeas:acme:receipt:rcp_1',
    '@type': [`${DPV}ConsentReceipt`],
    [`${DCT}conformsTo`]: [{ '@id': 'https://w3id.org/dpv/schema/dpv-27560#receipt' }],
    [`${DCT}publisher`]: [{ '@id': 'urn:habeas:acme' }],
    [`${DCT}created`]: [{ '@type': `${XSD}dateTime`, '@value': '2026-06-01T12:00:00.000Z' }],
  });
  const [said] = receipt[`${DPV}hasRecordOfActivity`] as Record<string, unknown>[];
  expect(said).toMatchObject({
    [`${DPV}hasDataController`]: [
      {
        '@id': 'urn:habeas:acme',
        '@type': [`${DPV}DataController`],
        [`${DPV}hasName`]: [{ '@value': 'Acme Ltd' }],
        [`${DPV}hasContact`]: [{ '@value': 'privacy@acme.example' }],
      },
    ],
    [`${DPV}hasNotice`]: [
      {
        '@type': [`${DPV}ConsentNotice`],
        'https://schema.org/version': [{ '@value': '2026-03' }],
        'https://schema.org/url': [{ '@id': parties.noticeUrl }],
      },
    ],
  });
  const processes = said?.[`${DPV}hasProcess`] as Record<string, unknown>[];
  const of = (type: string) =>
    processes.find((one) => JSON.stringify(one[`${DPV}hasConsentStatus`]).includes(type)) ?? {};
  expect(of('ConsentGiven')).toMatchObject({
    [`${DPV}hasPurpose`]: [
      {
        '@id': 'https://w3id.org/dpv#ServiceUsageAnalytics',
        [`${DCT}title`]: [{ '@language': 'en', '@value': 'Analytics' }],
      },
    ],
    [`${DPV}hasLegalBasis`]: [{ '@id': `${DPV}Consent` }],
    [`${DPV}hasPersonalData`]: [{ '@type': ['https://w3id.org/dpv/pd#Behavioural'] }],
    [`${DPV}hasDuration`]: [
      {
        'http://www.w3.org/1999/02/22-rdf-syntax-ns#value': [
          { '@type': `${XSD}duration`, '@value': 'P365D' },
        ],
      },
    ],
    [`${DPV}hasConsentControl`]: [
      { '@type': [`${DPV}WithdrawConsent`], [`${DPV}isExercisedAt`]: [{ '@id': parties.withdrawUrl }] },
    ],
    [`${DPV}hasConsentStatus`]: [
      { [`${DPV}isIndicatedAtTime`]: [{ '@type': `${XSD}dateTime`, '@value': '2026-05-01T10:00:00.000Z' }] },
    ],
  });
  expect(of('ConsentRefused')).not.toHaveProperty(`${DPV}hasConsentControl`);
  expect(of('ConsentRefused')).not.toHaveProperty(`${DPV}hasDuration`);
});

it('gives nobody the receipt of somebody else', async () => {
  const { db } = database;
  const key = newLogKey();
  const consent = createConsent({ db, organizationId: 'acme', file, masterKey: newSecretKey(), clock });
  const sign = (payload: Uint8Array) => key.signReceipt('acme', payload);
  const options = {
    db,
    clock,
    consent,
    purposes: file.purposes,
    parties: () => parties,
    sign,
    prove: async () => undefined,
  };
  const receipts = createConsentReceipts(options);
  const mallory = { identity: { type: 'email', value: 'mallory@x.org' }, eventId: 'web-1' };
  await expect(receipts.issue(caller, mallory)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
