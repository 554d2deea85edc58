import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitWriter, MalformedString } from './bits.ts';
import { decodeGpp as decodeString, encodeGpp, type GppSection } from './gpp.ts';
import { decodeTcf, encodeTcf, type TcfString, type Vendors, vendorsOf } from './tcf.ts';

const ids = (most: number) =>
  fc.uniqueArray(fc.integer({ min: 1, max: most }), { maxLength: 30 }).map((all) => new Set(all));
const runs = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2_000 }), fc.nat({ max: 200 })), { maxLength: 4 })
  .map(
    (all) =>
      new Set(all.flatMap(([first, length]) => Array.from({ length: length + 1 }, (_, at) => first + at))),
  );
const vendors = fc.oneof(ids(2_000), runs).map(vendorsOf);
const moment = fc.integer({ min: 0, max: 2 ** 36 - 1 }).map((deciseconds) => new Date(deciseconds * 100));
const letters = fc.stringMatching(/^[A-Z]{2}$/);
const tcf: fc.Arbitrary<TcfString> = fc.record({
  created: moment,
  lastUpdated: moment,
  cmpId: fc.nat({ max: 4_095 }),
  cmpVersion: fc.nat({ max: 4_095 }),
  consentScreen: fc.nat({ max: 63 }),
  language: letters,
  vendorListVersion: fc.nat({ max: 4_095 }),
  policyVersion: fc.nat({ max: 63 }),
  isServiceSpecific: fc.boolean(),
  useNonStandardTexts: fc.boolean(),
  specialFeatures: ids(12),
  purposeConsents: ids(24),
  purposeInterests: ids(24),
  purposeOneTreatment: fc.boolean(),
  publisherCountry: letters,
  vendorConsents: vendors,
  vendorInterests: vendors,
  restrictions: fc.array(
    fc.record({ purpose: fc.integer({ min: 1, max: 24 }), type: fc.nat({ max: 2 }), vendors }),
    { maxLength: 3 },
  ),
  disclosedVendors: vendors,
});

describe('strings of Europe', () => {
  it('are read as they are written, always with the vendors that were disclosed', () => {
    fc.assert(
      fc.property(tcf, (said) => {
        expect(decodeTcf(encodeTcf(said))).toEqual(said);
      }),
    );
  });

  it('are read as the specification has them', () => {
    // The example of the specification of the framework, "What are the purposes and features supported", with each segment.
    const read = decodeTcf(
      'COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw',
    );
    expect(read).toMatchObject({
      cmpId: 27,
      cmpVersion: 0,
      language: 'EN',
      vendorListVersion: 15,
      policyVersion: 2,
    });
    expect([...read.purposeConsents]).toEqual([1, 2, 3]);
    expect(read.vendorConsents).toEqual(vendorsOf([2, 6, 8]));
    expect(read.vendorInterests).toEqual(vendorsOf([2, 6, 8]));
    expect(read.created.toISOString().slice(0, 10)).toBe('2020-02-20');
    expect(read.disclosedVendors?.some(([first, last]) => first <= 23 && 23 <= last)).toBe(true);
    expect(decodeTcf('COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA').disclosedVendors).toBeUndefined();
  });

  it('take no more work and memory than their length, whatever ranges of vendors they have', () => {
    const all: Vendors = [[1, 65_535]];
    const restrictions = Array.from({ length: 4_000 }, () => ({ purpose: 1, type: 0, vendors: all }));
    const [said] = fc.sample(tcf, 1);
    const text = encodeTcf({ ...(said as TcfString), vendorConsents: all, restrictions });
    const began = performance.now();
    for (let times = 0; times < 10; times += 1)
      expect(decodeTcf(text)).toMatchObject({ vendorConsents: all, restrictions: { length: 4_000 } });
    // The same range again and again: the type of the part, the highest number, and that ranges follow.
    const disclosed = new BitWriter().int(1, 3).int(65_535, 16).flag(true).int(4_000, 12);
    for (let times = 0; times < 4_000; times += 1) disclosed.flag(true).int(1, 16).int(65_535, 16);
    expect(decodeTcf(text.replace(/\..*/, `.${disclosed}`)).disclosedVendors).toEqual(all);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('are refused, and never misread, wherever they are cut or damaged', () => {
    fc.assert(
      fc.property(
        tcf,
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
        (said, at, junk) => {
          const [core = '', disclosed = ''] = encodeTcf(said).split('.');
          const cut = core.slice(0, at % Math.max(1, core.length - 1));
          expect(() => decodeTcf(`${cut}.${disclosed}`)).toThrow(MalformedString);
          fc.pre(!/^[\w.-]$/.test(junk));
          expect(() => decodeTcf(`${core}${junk}`)).toThrow(MalformedString);
          expect(() => decodeTcf(`${core}.${disclosed}.${disclosed}`)).toThrow(MalformedString);
        },
      ),
      { numRuns: 30 },
    );
  });
});

const decodeGpp = (text: string) => decodeString(text).sections;
const opt = fc.constantFrom(true, false, undefined);
const stateIds = Array.from({ length: 21 }, (_, index) => index + 7);
const section = fc
  .record({
    id: fc.constantFrom(...stateIds),
    sale: opt,
    sharing: opt,
    targeted_advertising: opt,
    gpc: opt,
  })
  .map(
    (one): GppSection => ({
      ...one,
      sharing: one.id === 7 || one.id === 8 ? one.sharing : undefined,
      targeted_advertising: one.id === 8 ? undefined : one.targeted_advertising,
      // Indiana, Kentucky and Rhode Island know no Global Privacy Control.
      gpc: one.id >= 25 ? undefined : one.gpc,
    }),
  );
const gpp = fc
  .uniqueArray(section, { selector: ({ id }) => id, maxLength: 6 })
  .map((all) => all.sort((one, other) => one.id - other.id));

describe('strings of the United States', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(gpp, (said) => {
        expect(decodeGpp(encodeGpp(said))).toEqual(said);
      }),
    );
  });

  it('are read as other encoders write them', () => {
    expect(decodeGpp('DBAA')).toEqual([]);
    expect(decodeGpp('DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN')).toMatchObject([
      { id: 6, sale: false },
    ]);
    expect(decodeGpp('DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YYN')).toMatchObject([
      { id: 6, sale: true },
    ]);
    const header = encodeGpp([
      { id: 7, sale: true, sharing: true, targeted_advertising: true, gpc: true },
    ]).split('~')[0];
    const none = { sale: undefined, sharing: undefined, targeted_advertising: undefined };
    expect(decodeGpp(`${header}~BAAAAAAAAABA.Q`)).toEqual([{ id: 7, ...none, gpc: false }]);
    expect(decodeGpp(`${header}~BAAAAAAAAAA.QA`)).toEqual([{ id: 7, ...none, gpc: false }]);
    expect(decodeGpp(`${header}~BVVVkkkkkpFY.Y`)).toEqual([
      { id: 7, sale: true, sharing: true, targeted_advertising: true, gpc: true },
    ]);
  });

  // Of the tests of IAB Tech Lab's own encoders (iabgpp-java, UsCaTest to UsCtTest; iabgpp-es, GppModel.test): what they write for these fields.
  const none = { sale: undefined, sharing: undefined, targeted_advertising: undefined, gpc: undefined };
  const advertising = { ...none, sale: true, targeted_advertising: true };
  it.each([
    [8, 'BVWSSSVY.YA', { ...none, sale: true, sharing: true, gpc: true }],
    [8, 'BAAAAABA.QA', { ...none, gpc: false }],
    [8, 'BAAAAABA', none],
    [9, 'BVWSSVY', advertising],
    [9, 'BAAAABA', none],
    [10, 'BVWSSVg.YA', { ...advertising, gpc: true }],
    [10, 'BVWSSVg', advertising],
    [10, 'BAAAAEA.QA', { ...none, gpc: false }],
    [11, 'BVVkklWA', advertising],
    [11, 'BAAAAAQA', none],
    [12, 'BVWSSZFg.YA', { ...advertising, gpc: true }],
    [12, 'BVWSSZFg', advertising],
    [12, 'BAAAAAEA.QA', { ...none, gpc: false }],
  ])('are read as others write the section %i of a state: %s', (id, text, want) => {
    const [header] = encodeGpp([{ id, ...none }]).split('~');
    expect(decodeGpp(`${header}~${text}`)).toEqual([{ id, ...want }]);
  });

  // The same tests' values of all fields in the order of the sections' specifications, and which of them are the opt-outs.
  it.each([
    [8, 'BVWSSSVY', [1, 1, 1, 1, 1, 2, 1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 1, 1, 1, 2], { sale: 3, sharing: 4 }],
    [9, 'BVWSSVY', [1, 1, 1, 1, 1, 2, 1, 0, 2, 1, 0, 2, 1, 1, 1, 1, 2], { sale: 3, targeted_advertising: 4 }],
    [10, 'BVWSSVg', [1, 1, 1, 1, 1, 2, 1, 0, 2, 1, 0, 2, 1, 1, 1, 2], { sale: 3, targeted_advertising: 4 }],
    [
      11,
      'BVVkklWA',
      [1, 1, 1, 1, 1, 1, 2, 1, 0, 2, 1, 0, 2, 1, 1, 1, 1, 2],
      { sale: 4, targeted_advertising: 5 },
    ],
    [
      12,
      'BVWSSZFg',
      [1, 1, 1, 1, 1, 2, 1, 0, 2, 1, 0, 2, 1, 2, 1, 0, 1, 1, 2],
      { sale: 3, targeted_advertising: 4 },
    ],
  ] as const)(
    'have the opt-outs of section %i where its specification has them',
    (id, published, fields, places) => {
      const written = (values: readonly number[]) => {
        const bits = `000001${values.map((value) => value.toString(2).padStart(2, '0')).join('')}`;
        const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? [];
        return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))).toString('base64url');
      };
      expect(written(fields)).toBe(published);
      const [header] = encodeGpp([{ id, ...none }]).split('~');
      for (const values of [0, 1, 2].flatMap((one) => [0, 1, 2].map((other) => [one, other] as const))) {
        const changed = fields.map((value, place) => {
          const index = Object.values<number>(places).indexOf(place);
          return index < 0 ? value : (values[index] ?? value);
        });
        const want = Object.keys(places).map((name, index) => [
          name,
          [undefined, true, false][values[index] ?? 0],
        ]);
        expect(decodeGpp(`${header}~${written(changed)}`)).toEqual([
          { id, ...none, ...Object.fromEntries(want) },
        ]);
      }
    },
  );

  it('are read in one string with all others, whose header has a range', () => {
    const read = decodeGpp(
      'DBACOaw~CPSG_8APSG_8AAAAAAENAACAAAAAAAAAAAAAAAAAAAAA.QAAA.IAAA~CPSG_8APSG_8AAAAAAENAACAAAAAAAAAAAAAAAAA.YAAAAAAAAAA~1---~BAAAAAAAAAA.QA~BAAAAAAA.QA~BAAAAAA~BAAAAAA.QA~BAAAAAAA~BAAAAAAA.QA',
    );
    expect(read.map(({ id }) => id)).toEqual([6, 7, 8, 9, 10, 11, 12]);
    expect(read.map(({ gpc }) => gpc)).toEqual([undefined, false, false, undefined, false, undefined, false]);
    expect(decodeGpp('DBABTA~1YNN')).toEqual([{ id: 6, ...none, sale: false }]);
  });

  it('are refused where they are damaged', () => {
    for (const text of [
      '',
      'xx',
      'DBAB',
      'CBAA',
      'DBABLA~',
      'DBABLA~B',
      'DBABLA~B___________.Y',
      'DBABLA~BVVVkkkkkpFY.A',
    ])
      expect(() => decodeGpp(text)).toThrow(MalformedString);
  });
});
