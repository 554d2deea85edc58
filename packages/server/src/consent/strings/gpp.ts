import { BitReader, BitWriter, MalformedString } from './bits.ts';
import {
  GPP_LAYOUTS,
  type GppField,
  type GppFieldName,
  type GppLayout,
  LAST_ELSEWHERE,
} from './gpp-layouts.ts';

/** What a section of the Global Privacy Platform for the United States says of opting out: true: opted out; undefined: not applicable. */
export interface GppSection {
  readonly id: number;
  readonly sale: boolean | undefined;
  readonly sharing: boolean | undefined;
  readonly targeted_advertising: boolean | undefined;
  /** Whether the browser sent Global Privacy Control; undefined: the section does not say. */
  readonly gpc: boolean | undefined;
}
/** What a string says for the United States. */
export interface GppString {
  readonly sections: readonly GppSection[];
  /** Ids of sections whose layout is not known, or not of this version: somebody may have opted out there. */
  readonly unknown: readonly number[];
}

const USP = 6;
const GPC_SEGMENT = 1;
const SENSITIVE_KINDS = 8;

/** The sections for the United States. Others (such as that of Europe, see `tcf`) are left out. Throws {@link MalformedString}. */
export function decodeGpp(text: string): GppString {
  const [header = '', ...texts] = text.split('~');
  const ids = decodeHeader(header);
  if (ids.length !== texts.length)
    throw new MalformedString('the header names other sections than there are');
  const sections: GppSection[] = [];
  const unknown: number[] = [];
  for (const [index, id] of ids.entries()) {
    if (id <= LAST_ELSEWHERE) continue;
    const section = texts[index] ?? '';
    const read = id === USP ? decodeUsPrivacy(section) : decodeSection(id, section);
    if (read === undefined) unknown.push(id);
    else sections.push(read);
  }
  return { sections, unknown };
}

/** Undefined: its layout is not known. */
function decodeSection(id: number, text: string): GppSection | undefined {
  const layout = GPP_LAYOUTS.get(id);
  if (layout === undefined) return undefined;
  const [core = '', ...segments] = text.split('.');
  const bits = new BitReader(core);
  if (!isOfLayout(id, bits.int(6), layout)) return undefined;
  const said: Partial<Record<GppFieldName, boolean | undefined>> = {};
  for (const field of layout.fields) {
    const value = twoBits(bits);
    said[field] = value === 0 ? undefined : value === 1;
  }
  // Encoders fill up to whole characters or to whole bytes.
  const more = layout.more.findLast((count) => bits.left >= (count + layout.end.length) * 2);
  if (more === undefined) throw new MalformedString('a section is too short');
  for (let left = more + layout.end.length; left > 0; left -= 1) twoBits(bits);
  const { sale, sharing, targeted_advertising } = said;
  return { id, sale, sharing, targeted_advertising, gpc: decodeSegments(segments, layout) };
}

function isOfLayout(id: number, number: number, { versions }: GppLayout): boolean {
  if (number < 1) throw new MalformedString('a section has no version');
  // A draft of the specifications puts the id of the section first, and then other fields.
  return versions === undefined ? number !== id : versions.includes(number);
}

/** Whether Global Privacy Control was sent, if they say so. */
function decodeSegments(segments: readonly string[], { part }: GppLayout): boolean | undefined {
  let gpc: boolean | undefined;
  for (const segment of segments) {
    const bits = new BitReader(segment);
    if (part === 'sensitive-data') {
      for (let left = SENSITIVE_KINDS; left > 0; left -= 1) twoBits(bits);
      continue;
    }
    if (bits.int(2) !== GPC_SEGMENT) throw new MalformedString('a section has a part that nobody knows');
    gpc = bits.flag();
  }
  return gpc;
}

/** The sections, of the first version and length of each. A section of one kind of opt-out does not say the others. */
export function encodeGpp(sections: readonly GppSection[]): string {
  const sorted = [...sections].sort((one, other) => one.id - other.id);
  return [encodeHeader(sorted.map(({ id }) => id)), ...sorted.map(encodeSection)].join('~');
}

function encodeSection(section: GppSection): string {
  const layout = GPP_LAYOUTS.get(section.id);
  if (layout === undefined) throw new RangeError(`There is no layout of section ${section.id}.`);
  const bits = new BitWriter().int(1, 6);
  for (const field of layout.fields) bits.int(numberOf(field, section), 2);
  for (let left = layout.more[0] ?? 0; left > 0; left -= 1) bits.int(0, 2);
  for (const field of layout.end) bits.int(numberOf(field, section), 2);
  const gpc = section.gpc === undefined ? '' : `.${new BitWriter().int(GPC_SEGMENT, 2).flag(section.gpc)}`;
  return `${bits}${gpc}`;
}

const NOT_APPLICABLE = 0;
const YES = 1;
const NO = 2;

/** A notice was given of whatever somebody could opt out of. That a transaction is covered says who signed the MSPA; nobody told Habeas. */
function numberOf(field: GppFieldName, section: GppSection): number {
  switch (field) {
    case 'sale':
    case 'sharing':
    case 'targeted_advertising':
      return section[field] === undefined ? NOT_APPLICABLE : section[field] ? YES : NO;
    case 'sale_notice':
    case 'sharing_notice':
    case 'targeted_advertising_notice':
      return section[field.slice(0, -'_notice'.length) as GppField] === undefined ? NOT_APPLICABLE : YES;
    case 'notice':
      return YES;
    case 'covered_transaction':
      return NO;
    case 'other':
      return NOT_APPLICABLE;
  }
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
