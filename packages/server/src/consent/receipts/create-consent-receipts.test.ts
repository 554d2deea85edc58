import jsonld from 'jsonld';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { newLogKey, testAuditLog } from '../../../test/log-key.ts';
import { auditMigrations, parseTrust, verifyFile } from '../../audit/index.ts';
import { createLogger, fixedClock, newSecretKey } from '../../foundation/index.ts';
import { createConsent } from '../create-consent.ts';
import { parsePurposeFile } from '../purposes/index.ts';
import { consentMigrations } from '../record/index.ts';
import { createNotices } from '../tag/index.ts';
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

/** A document once for each of its values, with that one changed. */
function changesOf(given: unknown): readonly { readonly place: string; readonly given: unknown }[] {
  if (given === null) return [];
  if (typeof given !== 'object') {
    if (typeof given === 'number') return [{ place: '', given: given + 1 }];
    return [
      { place: '', given: typeof given === 'string' ? `${given === '' ? '' : given.slice(1)}x` : !given },
    ];
  }
  return Object.entries(given).flatMap(([name, value]) =>
    changesOf(value).map((one) => ({
      place: `${name}/${one.place}`,
      given: Array.isArray(given)
        ? given.map((item, index) => (String(index) === name ? one.given : item))
        : { ...given, [name]: one.given },
    })),
  );
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
          'dpv:hasPurpose': {
            '@id': 'urn:habeas:acme:purpose:analytics',
            '@type': ['dpv:Purpose', 'https://w3id.org/dpv#ServiceUsageAnalytics'],
          },
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
  const changed = changesOf(JSON.parse(text));
  expect(changed.length).toBeGreaterThan(60);
  for (const { place, given } of changed)
    expect([place, verifyFile({ text: JSON.stringify(given), trust }).verified]).toEqual([place, false]);
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
    before: [],
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
        '@id': 'urn:habeas:acme:purpose:analytics',
        '@type': [`${DPV}Purpose`, `${DPV}ServiceUsageAnalytics`],
        [`${DCT}title`]: [{ '@language': 'en', '@value': 'Analytics' }],
      },
    ],
    [`${DPV}hasLegalBasis`]: [{ '@id': `${DPV}Consent` }],
    [`${DPV}hasPersonalData`]: [{ '@type': ['https://w3id.org/dpv/pd#Behavioural'] }],
    [`${DPV}hasConsentControl`]: [
      { '@type': [`${DPV}WithdrawConsent`], [`${DPV}isExercisedAt`]: [{ '@id': parties.withdrawUrl }] },
    ],
    [`${DPV}hasConsentStatus`]: [
      {
        [`${DPV}isIndicatedAtTime`]: [{ '@type': `${XSD}dateTime`, '@value': '2026-05-01T10:00:00.000Z' }],
        [`${DPV}isIndicatedBy`]: [{ '@id': 'urn:habeas:acme:subject:7' }],
        [`${DPV}hasDuration`]: [
          {
            '@type': [`${DPV}TemporalDuration`],
            'http://www.w3.org/1999/02/22-rdf-syntax-ns#value': [
              { '@type': `${XSD}duration`, '@value': 'P365D' },
            ],
          },
        ],
      },
    ],
  });
  expect(of('ConsentRefused')).not.toHaveProperty(`${DPV}hasConsentControl`);
  expect(of('ConsentRefused')).toMatchObject({
    [`${DPV}hasConsentStatus`]: [{ [`${DPV}hasDuration`]: [{ '@type': [`${DPV}EndlessDuration`] }] }],
  });
});

const signal = (event_id: string, said_at: string, choices: Readonly<Record<string, boolean>>) => ({
  event_id,
  said_at,
  received_at: said_at,
  source: 'tag',
  choices,
  notice: null,
});

/** The states of a signal's purposes in a record. */
function statesOf(
  said: ReturnType<typeof signal>,
  before: readonly ReturnType<typeof signal>[],
  purposes = file.purposes,
) {
  const record = consentRecordOf({
    organizationId: 'acme',
    receiptId: 'rcp_1',
    issuedAt: new Date('2026-06-01T12:00:00Z'),
    subject: 7,
    said,
    before,
    purposes,
    parties,
  });
  const { 'dpv:hasProcess': processes } = record['dpv:hasRecordOfActivity'] as Record<string, object[]>;
  const states = processes?.map(
    (one) => JSON.stringify(one).match(/"dpv:(\w*Consent(?:Given|Refused|Withdrawn))"/)?.[1],
  );
  return { record, states };
}

it('tells what is withdrawn from what was never given, and what is renewed from what is new', () => {
  const agreed = signal('1', '2025-05-01T10:00:00.000Z', { analytics: true });
  const refused = signal('2', '2025-06-01T10:00:00.000Z', { analytics: false, ads: false });
  const again = signal('3', '2025-07-01T10:00:00.000Z', { analytics: true });
  const other = signal('4', '2025-05-02T10:00:00.000Z', { ads: true });
  expect(statesOf(agreed, []).states).toEqual(['ConsentGiven']);
  expect(statesOf(refused, []).states).toEqual(['ConsentRefused', 'ConsentRefused']);
  expect(statesOf(refused, [agreed, other]).states).toEqual(['ConsentWithdrawn', 'ConsentWithdrawn']);
  expect(statesOf(again, [agreed]).states).toEqual(['RenewedConsentGiven']);
  expect(statesOf(again, [agreed, refused]).states).toEqual(['ConsentGiven']);
  // The agreement had expired by then.
  const late = signal('5', '2026-05-01T10:00:00.000Z', { analytics: false });
  expect(statesOf(late, [agreed]).states).toEqual(['ConsentRefused']);
});

it('takes what a browser says with each page for no withdrawal of what the person chose', () => {
  const gpc = (id: string, at: string) => ({ ...signal(id, at, { analytics: false }), source: 'gpc' });
  const agreed = signal('1', '2025-05-01T10:00:00.000Z', { analytics: true });
  const first = gpc('2', '2025-05-02T10:00:00.000Z');
  expect(statesOf(first, [agreed]).states).toEqual(['ConsentWithdrawn']);
  const chosen = signal('3', '2025-05-03T10:00:00.000Z', { analytics: true });
  expect(statesOf(chosen, [agreed, first]).states).toEqual(['ConsentGiven']);
  const next = gpc('4', '2025-05-04T10:00:00.000Z');
  expect(statesOf(next, [agreed, first, chosen]).states).toEqual(['ConsentRefused']);
  const again = signal('5', '2025-05-05T10:00:00.000Z', { analytics: true });
  expect(statesOf(again, [agreed, first, chosen, next]).states).toEqual(['RenewedConsentGiven']);
  const withdrawn = signal('6', '2025-05-06T10:00:00.000Z', { analytics: false });
  expect(statesOf(withdrawn, [agreed, first, chosen, next]).states).toEqual(['ConsentWithdrawn']);
});

it('is a graph in which two purposes of one kind are two, whatever stands in an event id', async () => {
  const both = parsePurposeFile(
    `purposes:
  - { code: letters, name: { en: Letters }, legal_basis: consent, dpv: 'https://w3id.org/dpv#Marketing' }
  - { code: calls, name: { en: Calls }, legal_basis: consent, dpv: 'https://w3id.org/dpv#Marketing' }`,
    'purposes.yaml',
  ).purposes;
  const said = signal('a<b>"{|}^`\\%#', '2026-05-01T10:00:00.000Z', { letters: true, calls: false });
  const { record } = statesOf(said, [], both);
  const quads = (await jsonld.toRDF(record as jsonld.JsonLdDocument, { safe: true } as object)) as {
    readonly subject: { readonly value: string };
    readonly predicate: { readonly value: string };
    readonly object: { readonly value: string };
  }[];
  const of = (predicate: string) => quads.filter((one) => one.predicate.value.endsWith(predicate));
  expect(of('hasPurpose').map(({ object }) => object.value)).toEqual([
    'urn:habeas:acme:purpose:letters',
    'urn:habeas:acme:purpose:calls',
  ]);
  const recordId = of('hasRecordOfActivity')[0]?.object.value ?? '';
  expect(recordId).toMatch(/^urn:habeas:acme:record:[\w.~%-]+$/);
  const identifiers = of('terms/identifier').filter(({ subject }) => subject.value === recordId);
  expect(identifiers.map(({ object }) => object.value)).toEqual([said.event_id]);
});

it('says of a purpose what the notice said that the person saw, also after the configuration is another one', async () => {
  const { db } = database;
  const masterKey = newSecretKey();
  const key = newLogKey();
  const before = parsePurposeFile(
    `purposes:
  - { code: profiles, name: { en: Profiles }, legal_basis: consent, data_categories: [user.behavior] }
  - { code: studies, name: { en: Studies }, legal_basis: consent }
notice: { version: v1 }`,
    'purposes.yaml',
  );
  const after = parsePurposeFile(
    'purposes: [{ code: profiles, name: { en: Something else }, legal_basis: legitimate_interests }]',
    'purposes.yaml',
  );
  const organizationId = 'beta';
  const logger = createLogger({ level: 'silent' });
  await createNotices({ db, organizationId, file: before, clock, logger }).keep();
  // A process that was started before there were these purposes.
  const old = createConsent({ db, organizationId, file: after, masterKey, clock });
  await old.history(organizationId, identity);
  const consent = createConsent({ db, organizationId, file: before, masterKey, clock });
  const notice = { version: 'v1', language: 'en', variant: 'banner' };
  const choices = { profiles: true, studies: false };
  const said = { event_id: 'n1', identity, said_at: '2026-05-01T10:00:00Z', choices, notice };
  await consent.record({ ...caller, organizationId }, [{ ...said, source: 'tag' }]);
  const receipts = createConsentReceipts({
    db,
    clock,
    consent: old,
    purposes: after.purposes,
    parties: () => parties,
    sign: (payload) => key.signReceipt(organizationId, payload),
    prove: async () => undefined,
  });
  const { receipt } = await receipts.issue({ ...caller, organizationId }, { identity, eventId: 'n1' });
  expect(receipt.record).toMatchObject({
    'dpv:hasRecordOfActivity': {
      'dpv:hasProcess': [
        {
          'dpv:hasPurpose': { 'dct:identifier': 'profiles', 'dct:title': { en: 'Profiles' } },
          'dpv:hasPersonalData': [{ 'dct:identifier': 'user.behavior' }],
          'dpv:hasLegalBasis': 'dpv:Consent',
          'dpv:hasConsentStatus': { '@type': 'dpv:ConsentGiven' },
        },
        {
          'dpv:hasPurpose': { 'dct:identifier': 'studies', 'dct:title': { en: 'Studies' } },
          'dpv:hasLegalBasis': 'dpv:Consent',
          'dpv:hasConsentStatus': { '@type': 'dpv:ConsentRefused' },
        },
      ],
    },
  });
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
