export type GppField = 'sale' | 'sharing' | 'targeted_advertising';

/** A field of two bits: an opt-out, the notice of one, the notice of the processing, whether the transaction is one of the MSPA, or another. */
export type GppFieldName = GppField | `${GppField}_notice` | 'notice' | 'covered_transaction' | 'other';

/** The core of a section: a number of six bits, and then fields of two bits each. */
export interface GppLayout {
  /** The versions that are of this layout; undefined: the section begins with the version of the MSPA, which says nothing of its layout. */
  readonly versions: readonly number[] | undefined;
  readonly fields: readonly GppFieldName[];
  /** How many fields follow that are looked at no further; where a specification grew, all lengths that are in use. */
  readonly more: readonly number[];
  /** The last three fields, of the MSPA; where they stand first, they are among `fields`. */
  readonly end: readonly GppFieldName[];
  /** What follows the core. */
  readonly part: 'gpc' | 'sensitive-data';
}

const MSPA: readonly GppFieldName[] = ['covered_transaction', 'other', 'other'];
const STATE: readonly GppFieldName[] = [
  'notice',
  'sale_notice',
  'targeted_advertising_notice',
  'sale',
  'targeted_advertising',
];
/** With a notice for sensitive data. */
const STATE_SENSITIVE: readonly GppFieldName[] = [
  'notice',
  'sale_notice',
  'targeted_advertising_notice',
  'other',
  'sale',
  'targeted_advertising',
];

/** `sensitive`: kinds of sensitive data; `children`: kinds of consent for children; `additional`: of consent to other purposes. */
function state(
  sensitive: number,
  children: number,
  additional: number,
  fields: readonly GppFieldName[] = STATE,
): GppLayout {
  return { versions: [1], fields, more: [sensitive + children + additional], end: MSPA, part: 'gpc' };
}

/** From Maryland on, what concerns the MSPA stands first. */
function later(more: number, part: GppLayout['part']): GppLayout {
  const fields: readonly GppFieldName[] = ['covered_transaction', 'other', ...STATE];
  return { versions: undefined, fields, more: [more], end: [], part };
}

/**
 * The sections for the United States by their ids, as their specifications have them (InteractiveAdvertisingBureau, Global-Privacy-Platform,
 * Sections/US-National and Sections/US-States) and IAB Tech Lab's own encoder writes them (`@iabgpp/cmpapi` 3.2.0).
 */
export const GPP_LAYOUTS: ReadonlyMap<number, GppLayout> = new Map<number, GppLayout>([
  [
    7, // National
    {
      versions: [1, 2],
      fields: [
        'notice',
        'sale_notice',
        'sharing_notice',
        'targeted_advertising_notice',
        'other',
        'other',
        'sale',
        'sharing',
        'targeted_advertising',
      ],
      more: [12 + 2 + 1, 16 + 3 + 1],
      end: MSPA,
      part: 'gpc',
    },
  ],
  [8, state(9, 2, 1, ['sale_notice', 'sharing_notice', 'other', 'sale', 'sharing'])], // California
  [9, state(8, 1, 0)], // Virginia
  [10, state(7, 1, 0)], // Colorado
  [11, state(8, 1, 0, STATE_SENSITIVE)], // Utah
  [12, state(8, 3, 0)], // Connecticut
  [13, state(8, 3, 1)], // Florida
  [14, state(8, 3, 1)], // Montana
  [15, state(11, 3, 1)], // Oregon
  [16, state(8, 1, 1)], // Texas
  [17, state(9, 5, 1)], // Delaware
  [18, state(8, 1, 0, STATE_SENSITIVE)], // Iowa
  [19, state(8, 1, 1)], // Nebraska
  [20, state(8, 3, 1)], // New Hampshire
  [21, state(10, 5, 1)], // New Jersey
  [22, state(8, 1, 1)], // Tennessee
  [23, state(8, 1, 1)], // Minnesota
  [24, later(1, 'gpc')], // Maryland
  [25, later(2, 'sensitive-data')], // Indiana
  [26, later(2, 'sensitive-data')], // Kentucky
  [27, later(2, 'sensitive-data')], // Rhode Island
]);

/** The last section that is of something else than the United States: Europe, Canada, the header, integrity. */
export const LAST_ELSEWHERE = 5;
