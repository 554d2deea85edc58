import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { auditMigrations } from '../../audit/index.ts';
import { fixedClock, newSecretKey } from '../../foundation/index.ts';
import { createConsent } from '../create-consent.ts';
import { parsePurposeFile } from '../purposes/index.ts';
import { consentMigrations } from '../record/index.ts';
import { choicesOfGpp, choicesOfTcf, stringsOf } from './choices.ts';
import { encodeGpp } from './gpp.ts';
import { decodeTcf, encodeTcf, vendorsOf } from './tcf.ts';

const file = parsePurposeFile(
  `
purposes:
  - { code: storage, name: { en: Storage }, legal_basis: consent, tcf: { purposes: [1] } }
  - { code: profiles, name: { en: Profiles }, legal_basis: consent, tcf: { purposes: [3, 4] } }
  - { code: location, name: { en: Location }, legal_basis: consent, tcf: { special_features: [1] } }
  - { code: measuring, name: { en: Measuring }, legal_basis: legitimate_interests, tcf: { purposes: [7] } }
  - { code: selling, name: { en: Selling }, legal_basis: opt_out, gpc: true, gpp: [sale, sharing] }
tcf: { cmp_id: 27, vendor_list_version: 48, country: DE, vendors: [2, 6, 8] }
`,
  'purposes.yaml',
);
/** Of the specification: purposes 1 to 3 are granted, and some vendors are disclosed. */
const CORE = 'COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA';
const STRING = `${CORE}.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
});
afterAll(() => database?.close());

it('reads of a string of Europe what it grants, and without its disclosed vendors only what it refuses', () => {
  const refused = { profiles: false, location: false, measuring: false };
  expect(choicesOfTcf(STRING, file.purposes)).toEqual({ storage: true, ...refused });
  expect(choicesOfTcf(CORE, file.purposes)).toEqual(refused);
});

it('takes legitimate interests from where nobody objected to them, and consent from where somebody agreed', () => {
  const said = { ...decodeTcf(STRING), disclosedVendors: vendorsOf([2]) };
  const read = (purposeConsents: readonly number[], purposeInterests: readonly number[]) => {
    const text = encodeTcf({
      ...said,
      purposeConsents: new Set(purposeConsents),
      purposeInterests: new Set(purposeInterests),
    });
    const { storage, profiles, measuring } = choicesOfTcf(text, file.purposes);
    return { storage, profiles, measuring };
  };
  expect(read([7], [1, 3, 4])).toEqual({ storage: false, profiles: false, measuring: false });
  expect(read([1, 3], [7])).toEqual({ storage: true, profiles: false, measuring: true });
  expect(read([3, 4], [])).toEqual({ storage: false, profiles: true, measuring: false });
});

it('reads of a string of the United States each opt-out, and Global Privacy Control', () => {
  const not = { id: 7, sale: false, sharing: false, targeted_advertising: undefined, gpc: false };
  const read = (...sections: readonly Parameters<typeof encodeGpp>[0][number][]) =>
    choicesOfGpp(encodeGpp(sections), file.purposes);
  expect(read(not)).toEqual({ selling: true });
  expect(read(not, { ...not, id: 8, sharing: true })).toEqual({ selling: false });
  expect(read({ ...not, gpc: true })).toEqual({ selling: false });
  expect(read({ ...not, sale: undefined, sharing: undefined })).toEqual({});
});

it('takes no opt-out for no agreement where consent is needed, and what is allowed without one for no consent', () => {
  const { purposes, tcf } = parsePurposeFile(
    `
purposes:
  - { code: ads, name: { en: Ads }, legal_basis: consent, gpp: [sale], tcf: { purposes: [3], special_features: [1] } }
  - { code: research, name: { en: Research }, legal_basis: opt_out, gpp: [sharing], tcf: { purposes: [3, 4], special_features: [1, 2] } }
  - { code: measuring, name: { en: Measuring }, legal_basis: legitimate_interests, tcf: { purposes: [7], special_features: [2] } }
tcf: { vendor_list_version: 48, country: DE, vendors: [2] }
`,
    'purposes.yaml',
  );
  const said = { id: 7, targeted_advertising: undefined, gpc: undefined };
  const read = (sale: boolean, sharing: boolean) =>
    choicesOfGpp(encodeGpp([{ ...said, sale, sharing }]), purposes);
  expect(read(false, false)).toEqual({ research: true });
  expect(read(true, true)).toEqual({ ads: false, research: false });
  const written = (...refused: readonly string[]) => {
    const strings = stringsOf(
      { purposes, tcf, notice: { texts: {} }, jurisdictions: [] },
      (code) => !refused.includes(code),
      new Date('2026-06-01T00:00:00Z'),
    );
    const { purposeConsents, purposeInterests, specialFeatures } = decodeTcf(strings.tcf ?? '');
    return [purposeConsents, specialFeatures, purposeInterests].map((ids) => [...ids]);
  };
  expect(written()).toEqual([[3], [1], [7]]);
  expect(written('ads')).toEqual([[], [], [7]]);
  expect(written('research', 'measuring')).toEqual([[], [], []]);
});

// As IAB Tech Lab's library writes it: opted out of the sale, in section 16.
const TEXAS = 'DBABEw~BAQAAAQA.QA';

it('takes a string with a section that is not known for no grant', () => {
  const not = { sale: false, sharing: false, targeted_advertising: undefined, gpc: undefined };
  const both = encodeGpp([
    { id: 7, ...not },
    { id: 24, ...not, sharing: undefined },
  ]);
  expect(choicesOfGpp(both, file.purposes)).toEqual({ selling: true });
  // Of a version that is not known; and with the number of the section first, as a draft has it.
  for (const first of ['D', 'Y']) {
    const [header, national, state = ''] = both.split('~');
    const unknown =
      first === 'Y'
        ? `${header}~${national}~Y${state.slice(1)}`
        : `${header}~D${national?.slice(1)}~${state}`;
    expect(() => choicesOfGpp(unknown, file.purposes)).toThrow(
      `sections ${first === 'Y' ? 24 : 7} are not known`,
    );
  }
  const out = encodeGpp([
    { id: 7, ...not, sale: true },
    { id: 24, ...not, sharing: undefined },
  ]);
  const [header, national, state] = out.split('~');
  expect(choicesOfGpp(`${header}~${national}~Y${state?.slice(1)}`, file.purposes)).toEqual({
    selling: false,
  });
  expect(choicesOfGpp(TEXAS, file.purposes)).toEqual({ selling: false });
});

it('stores what strings say, refuses broken ones by name, and tells the state as strings', async () => {
  const consent = createConsent({
    db: database.db,
    organizationId: 'acme',
    file,
    masterKey: newSecretKey(),
    clock: fixedClock('2026-06-01T12:34:56Z'),
  });
  const identity = { type: 'email', value: 'ada@x.org' };
  const signal = (event_id: string, more: object) => ({
    event_id,
    identity,
    said_at: '2026-05-01T10:00:00Z',
    choices: {},
    source: 'tcf' as const,
    ...more,
  });
  const outcomes = await consent.record({ organizationId: 'acme', actor: 'key:x' }, [
    signal('1', { tcf: STRING }),
    signal('2', { tcf: `${STRING}!` }),
    signal('3', { gpp: '1YYN' }),
    signal('4', {
      gpp: encodeGpp([
        { id: 8, sale: true, sharing: undefined, targeted_advertising: undefined, gpc: undefined },
      ]),
    }),
    signal('5', { gpp: 'DBAA' }),
    signal('6', { gpp: TEXAS }),
    signal('7', { gpp: TEXAS.replace(/~B/, '~C') }),
    signal('8', { gpp: TEXAS.replace(/~B/, '~C'), choices: { selling: false } }),
  ]);
  expect(outcomes.map(({ code, state }) => code ?? state)).toEqual([
    'stored',
    'malformed-tcf',
    'malformed-gpp',
    'stored',
    'nothing-said',
    'stored',
    'unknown-gpp-section',
    'stored',
  ]);
  const { strings } = await consent.read('acme', identity);
  const said = decodeTcf(strings?.tcf ?? '');
  expect([...said.purposeConsents]).toEqual([1]);
  expect([...said.purposeInterests]).toEqual([]);
  expect(said).toMatchObject({ cmpId: 27, policyVersion: 5, created: new Date('2026-06-01T00:00:00Z') });
  expect(said.disclosedVendors).toEqual(vendorsOf([2, 6, 8]));
  expect(choicesOfTcf(strings?.tcf ?? '', file.purposes)).toMatchObject({ storage: true, profiles: false });
  expect(choicesOfGpp(strings?.gpp ?? '', file.purposes)).toEqual({ selling: false });
});
