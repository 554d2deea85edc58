import { BitReader, BitWriter, MalformedString } from './bits.ts';

/** What a section of the Global Privacy Platform for the United States says of opting out: true: opted out; undefined: not applicable. */
export interface GppSection {
  readonly id: number;
  readonly sale: boolean | undefined;
  readonly sharing: boolean | undefined;
  readonly targeted_advertising: boolean | undefined;
  /** Whether the browser sent Global Privacy Control; undefined: the section does not say. */
  readonly gpc: boolean | undefined;
}
export type GppField = 'sale' | 'sharing' | 'targeted_advertising';

/** A field of two bits: a notice, an opt-out, or something that is looked at no further. */
type Field = GppField | 'other';

/**
 * Fields of two bits each, behind the version of six bits, as the sections' own specifications have them (InteractiveAdvertisingBureau,
 * Global-Privacy-Platform, Sections/US-*). `rest`: how many follow; where a specification grew, all lengths that are in use.
 */
const LAYOUTS: Readonly<
  Record<number, { readonly fields: readonly Field[]; readonly rest: readonly number[] }>
> = {
  // National: six notices, three opt-outs, then 12 or 16 kinds of sensitive data, 2 or 3 of children, consents, and three of the MSPA.
  7: { fields: [...others(6), 'sale', 'sharing', 'targeted_advertising'], rest: [18, 23] },
  // California
  8: { fields: [...others(3), 'sale', 'sharing'], rest: [15] },
  // Virginia
  9: { fields: [...others(3), 'sale', 'targeted_advertising'], rest: [12] },
  // Colorado
  10: { fields: [...others(3), 'sale', 'targeted_advertising'], rest: [11] },
  // Utah
  11: { fields: [...others(4), 'sale', 'targeted_advertising'], rest: [12] },
  // Connecticut
  12: { fields: [...others(3), 'sale', 'targeted_advertising'], rest: [14] },
};
const USP = 6;
const GPC_SEGMENT = 1;

/** The sections for the United States. Others (such as that of Europe, see `tcf`) are left out. Throws {@link MalformedString}. */
export function decodeGpp(text: string): readonly GppSection[] {
  const [header = '', ...sections] = text.split('~');
  const ids = decodeHeader(header);
  if (ids.length !== sections.length)
    throw new MalformedString('the header names other sections than there are');
  return ids.flatMap((id, index) => {
    const section = sections[index] ?? '';
    if (id === USP) return [decodeUsPrivacy(section)];
    return id in LAYOUTS ? [decodeSection(id, section)] : [];
  });
}

function decodeSection(id: number, text: string): GppSection {
  const layout = LAYOUTS[id];
  if (layout === undefined) throw new MalformedString('a section is not known');
  const [core = '', ...segments] = text.split('.');
  const bits = new BitReader(core);
  if (bits.int(6) < 1) throw new MalformedString('a section has no version');
  const said: Partial<Record<GppField, boolean | undefined>> = {};
  for (const field of layout.fields) {
    const value = twoBits(bits);
    if (field !== 'other') said[field] = value === 0 ? undefined : value === 1;
  }
  // Encoders fill up to whole characters or to whole bytes.
  const rest = layout.rest.findLast((count) => bits.left >= count * 2);
  if (rest === undefined) throw new MalformedString('a section is too short');
  for (let left = rest; left > 0; left -= 1) twoBits(bits);
  let gpc: boolean | undefined;
  for (const segment of segments) {
    const part = new BitReader(segment);
    if (part.int(2) !== GPC_SEGMENT) throw new MalformedString('a section has a part that nobody knows');
    gpc = part.flag();
  }
  return {
    id,
    sale: said.sale,
    sharing: said.sharing,
    targeted_advertising: said.targeted_advertising,
    gpc,
  };
}

/** The section, of the first length that its specification has. A section of one kind of opt-out does not say the others. */
export function encodeGpp(sections: readonly GppSection[]): string {
  const sorted = [...sections].sort((one, other) => one.id - other.id);
  return [encodeHeader(sorted.map(({ id }) => id)), ...sorted.map(encodeSection)].join('~');
}

function encodeSection(section: GppSection): string {
  const layout = LAYOUTS[section.id];
  if (layout === undefined) throw new RangeError(`There is no layout of section ${section.id}.`);
  const bits = new BitWriter().int(1, 6);
  for (const field of layout.fields) {
    const value = field === 'other' ? undefined : section[field];
    // A notice was given, or else nobody could have opted out.
    bits.int(field === 'other' ? 1 : value === undefined ? 0 : value ? 1 : 2, 2);
  }
  for (let left = layout.rest[0] ?? 0; left > 0; left -= 1) bits.int(0, 2);
  const gpc = section.gpc === undefined ? '' : `.${new BitWriter().int(GPC_SEGMENT, 2).flag(section.gpc)}`;
  return `${bits}${gpc}`;
}

/** `1YNN`: version, notice, opted out of the sale, agreement (IAB, U.S. Privacy String 1.0). */
function decodeUsPrivacy(text: string): GppSection {
  const [, sale] = /^1[YN-]([YN-])[YN-]$/.exec(text) ?? [];
  if (sale === undefined) throw new MalformedString('the U.S. Privacy section is none');
  const opted = sale === '-' ? undefined : sale === 'Y';
  return { id: USP, sale: opted, sharing: undefined, targeted_advertising: undefined, gpc: undefined };
}

/** Type 3, version 1, then the sections as ranges of Fibonacci numbers, each from the one before (GPP, "Header"). */
function decodeHeader(text: string): readonly number[] {
  const bits = new BitReader(text);
  if (bits.int(6) !== 3 || bits.int(6) !== 1) throw new MalformedString('it has no header of version 1');
  const ids: number[] = [];
  for (let left = bits.int(12); left > 0; left -= 1) {
    const isRange = bits.flag();
    const first = (ids.at(-1) ?? 0) + fibonacci(bits);
    const last = isRange ? first + fibonacci(bits) : first;
    if (last > 1_000) throw new MalformedString('a section is not known');
    for (let id = first; id <= last; id += 1) ids.push(id);
  }
  return ids;
}

function encodeHeader(ids: readonly number[]): string {
  const bits = new BitWriter().int(3, 6).int(1, 6).int(ids.length, 12);
  for (const [index, id] of ids.entries()) writeFibonacci(bits.flag(false), id - (ids[index - 1] ?? 0));
  return String(bits);
}

const FIBONACCI = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987];

/** A sum of Fibonacci numbers, the least first, that ends with a second 1. */
function fibonacci(bits: BitReader): number {
  let sum = 0;
  let before = false;
  for (const number of FIBONACCI) {
    const bit = bits.flag();
    if (bit && before) return sum;
    if (bit) sum += number;
    before = bit;
  }
  throw new MalformedString('a section is not known');
}

function writeFibonacci(bits: BitWriter, value: number): void {
  const used: number[] = [];
  let left = value;
  for (const number of FIBONACCI.toReversed()) {
    if (number > left) continue;
    used.push(number);
    left -= number;
  }
  const most = Math.max(...used);
  for (const number of FIBONACCI.filter((one) => one <= most)) bits.flag(used.includes(number));
  bits.flag(true);
}

function twoBits(bits: BitReader): number {
  const value = bits.int(2);
  if (value > 2) throw new MalformedString('a field has a value that there is not');
  return value;
}

function others(count: number): readonly Field[] {
  return Array.from({ length: count }, () => 'other' as const);
}
