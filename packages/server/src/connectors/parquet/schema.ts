import { damaged, unsupported } from './refusals.ts';
import type { ThriftStruct } from './thrift.ts';

/** Physical types, by their number in the format. */
export const PHYSICAL = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const;

export type Physical = (typeof PHYSICAL)[number];

/** What the bytes of a value mean, as far as it changes how they are compared or shown. */
export type Meaning =
  | { readonly kind: 'plain' | 'text' | 'unsigned' | 'date' | 'uuid' | 'float16' | 'interval' | 'no-order' }
  | { readonly kind: 'decimal'; readonly scale: number }
  /** `perSecond`: how many units a second has. */
  | { readonly kind: 'time' | 'timestamp'; readonly perSecond: number };

/** A column of values. */
export interface Leaf {
  /** The names from the root on, with those of the groups that only make a list or a map. */
  readonly path: readonly string[];
  /** The same without those groups: as a reader of the rows sees it. */
  readonly seenPath: readonly string[];
  readonly physical: Physical;
  /** Bytes of a value; 0 where each has a length of its own. */
  readonly width: number;
  readonly meaning: Meaning;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  readonly isOptional: boolean;
  /** From the root to the value. */
  readonly steps: readonly Step[];
}

/** A group, or the column itself, on the way to a value. */
export interface Step {
  /** Undefined: it only makes a list or a map of what is in it. */
  readonly name: string | undefined;
  /** The level from which on it is there. */
  readonly definition: number;
  /** The level of the innermost list that it is in, itself with it. */
  readonly repetition: number;
  readonly isRepeated: boolean;
}

const WIDTHS: Readonly<Record<Physical, number>> = {
  // Booleans are unpacked to a byte each while they are worked on.
  BOOLEAN: 1,
  INT32: 4,
  INT64: 8,
  INT96: 12,
  FLOAT: 4,
  DOUBLE: 8,
  BYTE_ARRAY: 0,
  FIXED_LEN_BYTE_ARRAY: 0,
};

/** Fields of `SchemaElement` in parquet.thrift. */
const ELEMENT = {
  type: 1,
  typeLength: 2,
  repetition: 3,
  name: 4,
  children: 5,
  converted: 6,
  scale: 7,
  logical: 10,
};
const REPETITION = { optional: 1, repeated: 2 };
const CONVERTED = { map: 1, mapKeyValue: 2, list: 3 };
const LOGICAL = { map: 2, list: 3 };

interface Place {
  readonly path: readonly string[];
  readonly seenPath: readonly string[];
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  readonly steps: readonly Step[];
  /** The group that this one is in is a list or a map: its repeated child has no name of its own. */
  readonly wraps: 'list' | 'map' | 'element' | undefined;
}

/** The columns of a schema, in the order in which row groups have them. Throws a refusal where it makes no tree. */
export function leavesOf(elements: readonly ThriftStruct[]): readonly Leaf[] {
  const leaves: Leaf[] = [];
  let at = 0;
  const walk = (place: Place): void => {
    const element = elements[at];
    if (element === undefined || place.path.length > 100) throw damaged('its schema is not complete');
    at += 1;
    const inside = at === 1 ? place : placeIn(element, place);
    const children = element.int(ELEMENT.children) ?? 0;
    if (element.has(ELEMENT.type)) leaves.push(leafOf(element, inside));
    for (let child = 0; child < children; child += 1) walk(inside);
  };
  walk({ path: [], seenPath: [], maxDefinition: 0, maxRepetition: 0, steps: [], wraps: undefined });
  if (at !== elements.length) throw damaged('its schema is not complete');
  return leaves;
}

function placeIn(element: ThriftStruct, outer: Place): Place {
  const name = element.bytes(ELEMENT.name)?.toString() ?? '';
  const repetition = element.int(ELEMENT.repetition) ?? 0;
  const isRepeated = repetition === REPETITION.repeated;
  const isLeaf = element.has(ELEMENT.type);
  const children = element.int(ELEMENT.children) ?? 0;
  const converted = element.int(ELEMENT.converted);
  const logical = element.struct(ELEMENT.logical);
  const isList = converted === CONVERTED.list || logical?.has(LOGICAL.list) === true;
  const isMap =
    converted === CONVERTED.map || converted === CONVERTED.mapKeyValue || logical?.has(LOGICAL.map) === true;
  const isUnseen =
    outer.wraps === 'element' || (isRepeated && (outer.wraps === 'list' || outer.wraps === 'map'));
  // A list's repeated group with one child holds its elements; with more it is the element (rules of LogicalTypes.md).
  const holdsElement = isRepeated && outer.wraps === 'list' && !isLeaf && children === 1 && name !== 'array';
  const maxDefinition = outer.maxDefinition + (repetition === 0 ? 0 : 1);
  const maxRepetition = outer.maxRepetition + (isRepeated ? 1 : 0);
  const step: Step = {
    name: isUnseen ? undefined : name,
    definition: maxDefinition,
    repetition: maxRepetition,
    isRepeated,
  };
  return {
    path: [...outer.path, name],
    seenPath: isUnseen ? outer.seenPath : [...outer.seenPath, name],
    maxDefinition,
    maxRepetition,
    steps: [...outer.steps, step],
    wraps: holdsElement ? 'element' : isList ? 'list' : isMap && !isRepeated ? 'map' : undefined,
  };
}

function leafOf(element: ThriftStruct, place: Place): Leaf {
  const physical = PHYSICAL[element.int(ELEMENT.type) ?? -1];
  if (physical === undefined) throw unsupported('a column of a physical type that is not known');
  const width =
    physical === 'FIXED_LEN_BYTE_ARRAY' ? (element.int(ELEMENT.typeLength) ?? -1) : WIDTHS[physical];
  if (width < 0 || width > 1 << 24) throw damaged('a column has no length of its values');
  return {
    path: place.path,
    seenPath: place.seenPath,
    physical,
    width,
    meaning: meaningOf(element, physical),
    maxDefinition: place.maxDefinition,
    maxRepetition: place.maxRepetition,
    isOptional: element.int(ELEMENT.repetition) === REPETITION.optional,
    steps: place.steps,
  };
}

function meaningOf(element: ThriftStruct, physical: Physical): Meaning {
  const logical = element.struct(ELEMENT.logical);
  if (logical !== undefined && logical.fields.size > 0) return logicalMeaning(logical, physical);
  const scale = element.int(ELEMENT.scale) ?? 0;
  switch (element.int(ELEMENT.converted)) {
    case undefined:
      return { kind: physical === 'INT96' ? 'no-order' : 'plain' };
    case 0:
    case 4:
    case 19:
      return { kind: 'text' };
    case 5:
      return { kind: 'decimal', scale };
    case 6:
      return { kind: 'date' };
    case 7:
      return { kind: 'time', perSecond: 1_000 };
    case 8:
      return { kind: 'time', perSecond: 1_000_000 };
    case 9:
      return { kind: 'timestamp', perSecond: 1_000 };
    case 10:
      return { kind: 'timestamp', perSecond: 1_000_000 };
    case 11:
    case 12:
    case 13:
    case 14:
      return { kind: 'unsigned' };
    case 21:
      return { kind: 'interval' };
    default:
      return { kind: 'plain' };
  }
}

/** Source: `LogicalType` in parquet.thrift. A type that came later has no order that is known here. */
function logicalMeaning(logical: ThriftStruct, physical: Physical): Meaning {
  if (logical.has(1) || logical.has(4) || logical.has(12)) return { kind: 'text' };
  const decimal = logical.struct(5);
  if (decimal !== undefined) return { kind: 'decimal', scale: decimal.int(1) ?? 0 };
  if (logical.has(6)) return { kind: 'date' };
  const time = logical.struct(7) ?? logical.struct(8);
  if (time !== undefined) {
    const unit = time.struct(2);
    const perSecond = unit?.has(1) === true ? 1_000 : unit?.has(2) === true ? 1_000_000 : 1_000_000_000;
    return { kind: logical.has(7) ? 'time' : 'timestamp', perSecond };
  }
  const integer = logical.struct(10);
  if (integer !== undefined) return { kind: integer.bool(2) === false ? 'unsigned' : 'plain' };
  if (logical.has(13)) return { kind: 'plain' };
  if (logical.has(14)) return { kind: 'uuid' };
  if (logical.has(15)) return { kind: 'float16' };
  return { kind: logical.has(11) && physical !== 'INT96' ? 'plain' : 'no-order' };
}
