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
  readonly vendorConsents: ReadonlySet<number>;
  readonly vendorInterests: ReadonlySet<number>;
  readonly restrictions: readonly Restriction[];
  /** Vendors that the person was told about; undefined: the string does not say, which version 2.3 does not allow. */
  readonly disclosedVendors: ReadonlySet<number> | undefined;
}

/** What a publisher does not let vendors do. */
export interface Restriction {
  readonly purpose: number;
  /** 0: not allowed; 1: consent required; 2: legitimate interest required. */
  readonly type: number;
  readonly vendors: ReadonlySet<number>;
}

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
      vendors: ranges(bits, 2 ** 16 - 1),
    })),
  };
  let disclosedVendors: ReadonlySet<number> | undefined;
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
  writeVendors(disclosed, said.disclosedVendors ?? new Set());
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

function vendors(bits: BitReader): ReadonlySet<number> {
  const most = bits.int(16);
  return bits.flag() ? ranges(bits, most) : bits.set(most);
}

function ranges(bits: BitReader, most: number): ReadonlySet<number> {
  const found = new Set<number>();
  for (let left = bits.int(12); left > 0; left -= 1) {
    const isRange = bits.flag();
    const first = bits.int(16);
    const last = isRange ? bits.int(16) : first;
    if (first < 1 || last < first || last > most) throw new MalformedString('a range of vendors is none');
    for (let vendor = first; vendor <= last; vendor += 1) found.add(vendor);
  }
  return found;
}

/** As bits or as ranges, whatever is shorter. */
function writeVendors(bits: BitWriter, ids: ReadonlySet<number>): void {
  const most = Math.max(0, ...ids);
  bits.int(most, 16);
  const found = rangesOf(ids);
  const length = 12 + found.reduce((sum, [first, last]) => sum + (first === last ? 17 : 33), 0);
  if (length < most && found.length < 4_096) writeRanges(bits.flag(true), ids);
  else bits.flag(false).set(ids, most);
}

function writeRanges(bits: BitWriter, ids: ReadonlySet<number>): void {
  const found = rangesOf(ids);
  bits.int(found.length, 12);
  for (const [first, last] of found) {
    bits.flag(first !== last).int(first, 16);
    if (first !== last) bits.int(last, 16);
  }
}

function rangesOf(ids: ReadonlySet<number>): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last !== undefined && last[1] + 1 === id) last[1] = id;
    else found.push([id, id]);
  }
  return found;
}
