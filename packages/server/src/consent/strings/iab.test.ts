import { GppModel, Sections, UsNatField } from '@iabgpp/cmpapi';
import * as iab from '@iabtcf/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeGpp, encodeGpp } from './gpp.ts';
import { GPP_LAYOUTS } from './gpp-layouts.ts';
import { decodeTcf, encodeTcf, type TcfString, vendorsOf } from './tcf.ts';

// The encoders and decoders of IAB Tech Lab, each against ours.

const OPT_OUTS = {
  sale: 'SaleOptOut',
  sharing: 'SharingOptOut',
  targeted_advertising: 'TargetedAdvertisingOptOut',
} as const;
const meaning = (value: number) => [undefined, true, false][value];

/** The names of all fields of a section that can be set, in the order of their bits. */
function fieldsOf(id: number): readonly string[] {
  const model = new GppModel();
  model.setFieldValueBySectionId(id, 'SaleOptOut', 0);
  return Object.keys(model.getSection(nameOf(id)) as object).filter(
    (name) => !/^(Version|MspaVersion|Gpc\w*|SensitiveDataConsentSegmentIncluded)$/.test(name),
  );
}
const nameOf = (id: number): string => Sections.SECTION_ID_NAME_MAP.get(id) ?? '';
const ids = [...GPP_LAYOUTS.keys()];

describe('strings of the United States', () => {
  it('are known of all sections that there are', () => {
    const states = [...Sections.SECTION_ID_NAME_MAP].filter(([, name]) => /^us(?!p)/.test(name));
    expect(ids).toEqual(states.map(([id]) => id).sort((one, other) => one - other));
    expect(ids).toHaveLength(21);
  });

  it.each(ids)('are read as others write section %i, whatever its other fields say', (id) => {
    const fields = fieldsOf(id);
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 2 })), fc.boolean(), (values, gpc) => {
        const next = () => values.next().value as number;
        const model = new GppModel();
        model.setFieldValueBySectionId(id, 'SaleOptOut', 0);
        for (const field of fields) {
          const was: unknown = model.getFieldValueBySectionId(id, field);
          const value = field === 'MspaCoveredTransaction' ? 1 + (next() % 2) : next();
          model.setFieldValueBySectionId(id, field, Array.isArray(was) ? was.map(next) : value);
        }
        const hasGpc = 'Gpc' in (model.getSection(nameOf(id)) as object);
        if (hasGpc) model.setFieldValueBySectionId(id, 'Gpc', gpc);
        const want = Object.entries(OPT_OUTS).map(([ours, theirs]) => [
          ours,
          fields.includes(theirs) ? meaning(model.getFieldValueBySectionId(id, theirs) as number) : undefined,
        ]);
        expect(decodeGpp(model.encode())).toEqual({
          sections: [{ id, ...Object.fromEntries(want), gpc: hasGpc ? gpc : undefined }],
          unknown: [],
        });
      }),
      { numRuns: 40 },
    );
  });

  it.each(ids)('are read by others as section %i is written', (id) => {
    const fields = fieldsOf(id);
    const opt = fc.constantFrom(true, false, undefined);
    fc.assert(
      fc.property(opt, opt, opt, (sale, sharing, targeted_advertising) => {
        const said = { sale, sharing, targeted_advertising };
        const model = new GppModel(encodeGpp([{ id, ...said, gpc: undefined }]));
        for (const [ours, theirs] of Object.entries(OPT_OUTS)) {
          if (!fields.includes(theirs)) continue;
          const value = said[ours as keyof typeof said];
          expect(model.getFieldValueBySectionId(id, theirs)).toBe(value === undefined ? 0 : value ? 1 : 2);
          expect(model.getFieldValueBySectionId(id, `${theirs}Notice`)).toBe(value === undefined ? 0 : 1);
        }
        // Yes or No, and nothing else (specification, "MspaCoveredTransaction").
        expect(model.getFieldValueBySectionId(id, 'MspaCoveredTransaction')).toBe(2);
        for (const field of fields.filter((one) => /^(Mspa.*Mode|Sensitive|KnownChild)/.test(one)))
          expect([model.getFieldValueBySectionId(id, field)].flat().every((value) => value === 0)).toBe(true);
      }),
    );
  });

  it('are read of both versions of the national section', () => {
    for (const version of [1, 2]) {
      const model = new GppModel();
      model.setFieldValueBySectionId(7, UsNatField.VERSION, version);
      model.setFieldValueBySectionId(7, UsNatField.TARGETED_ADVERTISING_OPT_OUT, 1);
      expect(decodeGpp(model.encode()).sections).toMatchObject([{ id: 7, targeted_advertising: true }]);
    }
  });

  it('are read beside those of Europe', () => {
    const model = new GppModel();
    model.setFieldValueBySectionId(2, 'CmpId', 27);
    model.setFieldValueBySectionId(16, 'SaleOptOut', 1);
    expect(decodeGpp(model.encode())).toMatchObject({ sections: [{ id: 16, sale: true }], unknown: [] });
  });
});

const VENDORS = [2, 6, 8];
const byId = (all: readonly number[]) => Object.fromEntries(all.map((id) => [id, { id, name: `${id}` }]));
const range = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** A list of vendors, as the encoder wants one. */
function vendorList() {
  return new iab.GVL({
    gvlSpecificationVersion: 3,
    vendorListVersion: 48,
    tcfPolicyVersion: 5,
    lastUpdated: '2026-01-01T00:00:00Z',
    purposes: byId(range(11)),
    specialPurposes: byId(range(3)),
    features: byId(range(3)),
    specialFeatures: byId(range(2)),
    stacks: {},
    dataCategories: {},
    vendors: Object.fromEntries(
      VENDORS.map((id) => [
        id,
        {
          id,
          name: `${id}`,
          purposes: range(11),
          legIntPurposes: range(11),
          flexiblePurposes: [],
          specialPurposes: [],
          features: [],
          specialFeatures: [],
        },
      ]),
    ),
  } as unknown as ConstructorParameters<typeof iab.GVL>[0]);
}

describe('strings of Europe', () => {
  it('are read as others write them, with the vendors that were disclosed', () => {
    const model = new iab.TCModel(vendorList());
    model.cmpId = 27;
    model.cmpVersion = 3;
    model.publisherCountryCode = 'DE';
    model.isServiceSpecific = true;
    model.purposeConsents.set([1, 3, 4]);
    model.purposeLegitimateInterests.set([7, 9]);
    model.specialFeatureOptins.set([2]);
    model.vendorConsents.set([2, 8]);
    model.vendorLegitimateInterests.set([6]);
    model.vendorsDisclosed.set(VENDORS);
    // Left to itself, it writes the disclosed vendors into strings for several sites alone.
    const segments = [iab.Segment.CORE, iab.Segment.VENDORS_DISCLOSED];
    expect(decodeTcf(iab.TCString.encode(model, { segments }))).toMatchObject({
      cmpId: 27,
      cmpVersion: 3,
      vendorListVersion: 48,
      policyVersion: 5,
      publisherCountry: 'DE',
      isServiceSpecific: true,
      purposeConsents: new Set([1, 3, 4]),
      purposeInterests: new Set([7, 9]),
      specialFeatures: new Set([2]),
      vendorConsents: vendorsOf([2, 8]),
      vendorInterests: vendorsOf([6]),
      disclosedVendors: vendorsOf(VENDORS),
    });
  });

  it('are read by others as they are written', () => {
    const day = new Date('2026-06-01T00:00:00Z');
    const said: TcfString = {
      created: day,
      lastUpdated: day,
      cmpId: 27,
      cmpVersion: 3,
      consentScreen: 1,
      language: 'EN',
      vendorListVersion: 48,
      policyVersion: 5,
      isServiceSpecific: true,
      useNonStandardTexts: false,
      specialFeatures: new Set([2]),
      purposeConsents: new Set([1, 3, 4]),
      purposeInterests: new Set([7, 9]),
      purposeOneTreatment: false,
      publisherCountry: 'DE',
      vendorConsents: vendorsOf([2, 8]),
      vendorInterests: vendorsOf([6]),
      restrictions: [{ purpose: 3, type: 1, vendors: vendorsOf([2, 3, 4, 8]) }],
      disclosedVendors: vendorsOf(VENDORS),
    };
    const read = iab.TCString.decode(encodeTcf(said));
    expect(read).toMatchObject({
      cmpId: 27,
      cmpVersion: 3,
      vendorListVersion: 48,
      policyVersion: 5,
      publisherCountryCode: 'DE',
      isServiceSpecific: true,
      created: day,
    });
    const setOf = (vector: iab.Vector) => new Set([...vector].flatMap(([id, is]) => (is ? [id] : [])));
    expect({
      purposeConsents: setOf(read.purposeConsents),
      purposeInterests: setOf(read.purposeLegitimateInterests),
      specialFeatures: setOf(read.specialFeatureOptins),
      vendorConsents: vendorsOf(setOf(read.vendorConsents)),
      vendorInterests: vendorsOf(setOf(read.vendorLegitimateInterests)),
      disclosedVendors: vendorsOf(setOf(read.vendorsDisclosed)),
    }).toEqual({
      purposeConsents: said.purposeConsents,
      purposeInterests: said.purposeInterests,
      specialFeatures: said.specialFeatures,
      vendorConsents: said.vendorConsents,
      vendorInterests: said.vendorInterests,
      disclosedVendors: said.disclosedVendors,
    });
    const restriction = new iab.PurposeRestriction(3, iab.RestrictionType.REQUIRE_CONSENT);
    expect(read.publisherRestrictions.getVendors(restriction)).toEqual([2, 3, 4, 8]);
  });
});
