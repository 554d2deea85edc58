import { BitReader, BitWriter, MalformedString } from './bits.ts';

/** What a Transparency and Consent string says (IAB Europe, "Consent string and vendor list formats v2", version 2.3 of the framework). */
export interface TcfString {
  readonly created: Date;
  readonly lastUpdated: Date;
  readonly cmpId: number;
  readonly cmpVersion: number;
  readonly consentScreen: number;
  /** Two letters. */
  readonly language: string;
  readonly vendorListVersion: number;
  readonly policyVersion: number;
  readonly isServiceSpecific: boolean;
  readonly useNonStandardTexts: boolean;
  readonly specialFeatures: ReadonlySet<number>;
  readonly purposeConsents: ReadonlySet<number>;
  /** Purposes whose legitimate interest was shown and not objected to. */
  readonly purposeInterests: ReadonlySet<number>;
  readonly purposeOneTreatment: boolean;
  readonly publisherCountry: string;
  readonly vendorConsents: Vendors;
  readonly vendorInterests: Vendors;
  readonly restrictions: readonly Restriction[];
  /** Vendors that the person was told about; undefined: the string does not say, which version 2.3 does not allow. */
  readonly disclosedVendors: Vendors | undefined;
}

/** What a publisher does not let vendors do. */
export interface Restriction {
  readonly purpose: number;
  /** 0: not allowed; 1: consent required; 2: legitimate interest required. */
  readonly type: number;
  readonly vendors: Vendors;
}

/**
 * The first and the last of each run of vendors, in their order. Not one by one: some characters of a string say 65,535 of them, and they
 * may stand in it thousands of times.
 */
export type Vendors = readonly (readonly [first: number, last: number])[];

const MOST_VENDORS = 2 ** 16 - 1;
const SEGMENTS = { disclosedVendors: 1, allowedVendors: 2, publisher: 3 } as const;

/** Throws {@link MalformedString}. Parts of types that are not read (of the publisher alone) are looked at no further. */
export function decodeTcf(text: string): TcfString {
  const [core = '', ...others] = text.split('.');
  const bits = new BitReader(core);
  if (bits.int(6) !== 2) throw new MalformedString('it is not of version 2');
  const read = {
    created: time(bits),
    lastUpdated: time(bits),
    cmpId: bits.int(12),
    cmpVersion: bits.int(12),
    consentScreen: bits.int(6),
    language: letters(bits),
    vendorListVersion: bits.int(12),
    policyVersion: bits.int(6),
    isServiceSpecific: bits.flag(),
    useNonStandardTexts: bits.flag(),
    specialFeatures: bits.set(12),
    purposeConsents: bits.set(24),
    purposeInterests: bits.set(24),
    purposeOneTreatment: bits.flag(),
    publisherCountry: letters(bits),
    vendorConsents: vendors(bits),
    vendorInterests: vendors(bits),
    restrictions: Array.from({ length: bits.int(12) }, () => ({
      purpose: bits.int(6),
      type: bits.int(2),
      vendors: ranges(bits, MOST_VENDORS),
    })),
  };
  let disclosedVendors: Vendors | undefined;
  const seen = new Set<number>();
  for (const segment of others) {
    const part = new BitReader(segment);
    const type = part.int(3);
    if (seen.has(type) || !Object.values(SEGMENTS).some((known) => known === type))
      throw new MalformedString('a part is there twice, or of a type that nobody knows');
    seen.add(type);
    if (type === SEGMENTS.disclosedVendors) disclosedVendors = vendors(part);
  }
  return { ...read, disclosedVendors };
}

/** The string, always with the vendors that the person was told about, as version 2.3 asks for. */
export function encodeTcf(said: TcfString): string {
  const bits = new BitWriter().int(2, 6);
  for (const moment of [said.created, said.lastUpdated]) bits.int(Math.floor(moment.getTime() / 100), 36);
  bits.int(said.cmpId, 12).int(said.cmpVersion, 12).int(said.consentScreen, 6);
  writeLetters(bits, said.language);
  bits.int(said.vendorListVersion, 12).int(said.policyVersion, 6);
  bits.flag(said.isServiceSpecific).flag(said.useNonStandardTexts);
  bits.set(said.specialFeatures, 12).set(said.purposeConsents, 24).set(said.purposeInterests, 24);
  bits.flag(said.purposeOneTreatment);
  writeLetters(bits, said.publisherCountry);
  writeVendors(bits, said.vendorConsents);
  writeVendors(bits, said.vendorInterests);
  bits.int(said.restrictions.length, 12);
  for (const { purpose, type, vendors: of } of said.restrictions)
    writeRanges(bits.int(purpose, 6).int(type, 2), of);
  const disclosed = new BitWriter().int(SEGMENTS.disclosedVendors, 3);
  writeVendors(disclosed, said.disclosedVendors ?? []);
  return `${bits}.${disclosed}`;
}

function time(bits: BitReader): Date {
  return new Date(bits.int(36) * 100);
}

function letters(bits: BitReader): string {
  const codes = [bits.int(6), bits.int(6)];
  if (codes.some((code) => code > 25)) throw new MalformedString('a language or a country is no two letters');
  return String.fromCharCode(...codes.map((code) => code + 65));
}

function writeLetters(bits: BitWriter, text: string): void {
  for (const place of [0, 1]) bits.int(text.charCodeAt(place) - 65, 6);
}

function vendors(bits: BitReader): Vendors {
  const most = bits.int(16);
  return bits.flag() ? ranges(bits, most) : vendorsOf(bits.set(most));
}

function ranges(bits: BitReader, most: number): Vendors {
  const found = Array.from({ length: bits.int(12) }, () => {
    const isRange = bits.flag();
    const first = bits.int(16);
    const last = isRange ? bits.int(16) : first;
    if (first < 1 || last < first || last > most) throw new MalformedString('a range of vendors is none');
    return [first, last] as const;
  });
  return joined(found);
}

/** These vendors as runs. */
export function vendorsOf(ids: Iterable<number>): Vendors {
  return joined(Array.from(ids, (id) => [id, id] as const));
}

/** Ranges in whatever order as runs; those that overlap or touch become one. */
function joined(ranges: Vendors): Vendors {
  const found: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([one], [other]) => one - other)) {
    const before = found.at(-1);
    if (before === undefined || before[1] + 1 < first) found.push([first, last]);
    else before[1] = Math.max(before[1], last);
  }
  return found;
}

/** As bits or as ranges, whatever is shorter. */
function writeVendors(bits: BitWriter, said: Vendors): void {
  const most = said.at(-1)?.[1] ?? 0;
  bits.int(most, 16);
  const length = 12 + said.reduce((sum, [first, last]) => sum + (first === last ? 17 : 33), 0);
  if (length < most && said.length < 4_096) writeRanges(bits.flag(true), said);
  else bits.flag(false).set(new Set(said.flatMap(idsOf)), most);
}

function writeRanges(bits: BitWriter, said: Vendors): void {
  bits.int(said.length, 12);
  for (const [first, last] of said) {
    bits.flag(first !== last).int(first, 16);
    if (first !== last) bits.int(last, 16);
  }
}

function idsOf([first, last]: Vendors[number]): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
