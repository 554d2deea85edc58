import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { fromZodError, HabeasError, parseYamlWithPlaces } from '../../foundation/index.ts';
import { CONDITIONS, LEGAL_BASES } from './legal-words.ts';

const words = z.string().min(1).max(2_000);
const list = z.array(words).min(1);

const party = z.strictObject({
  name: words,
  /** Postal address, e-mail or telephone. */
  contact: words.optional(),
});

const transfer = z.strictObject({
  /** A service of the map, or somebody else. */
  to: words,
  /** The third country or international organization. */
  country: words,
  /** What makes it lawful: an adequacy decision, standard contractual clauses, … (Articles 45 to 49). */
  safeguard: words.optional(),
  /** Where the document is. */
  document: words.optional(),
});

/** What an activity covers of the map. */
const scope = {
  /** Services, as they are named in declarations. */
  services: list.optional(),
  /** Data types or categories; `user.contact` also covers `user.contact.email`. (Default: all of the services) */
  data: list.optional(),
};

const activity = z.strictObject({
  name: words,
  ...scope,
  /** Also covers whatever is declared with one of these purposes. */
  declared_purposes: list.optional(),
  purposes: list.optional(),
  legal_basis: z.enum(LEGAL_BASES).optional(),
  /** The interest, for `legitimate-interests`. */
  interest: words.optional(),
  /** For data of special categories. */
  condition: z.enum(CONDITIONS).optional(),
  /** Whose data it is. */
  subjects: list.optional(),
  recipients: list.optional(),
  /** Transfers to third countries; an empty list says that there are none. */
  transfers: z.array(transfer).optional(),
  /** How long the data is kept. */
  retention: words.optional(),
  /** In addition to the measures of all activities. */
  measures: list.optional(),
  /** A data use of Fideslang, such as `marketing.communications.email`; for exports in Fideslang. */
  data_use: z
    .string()
    .regex(/^[a-z_]+(\.[a-z_]+)*$/, 'a data use such as essential.service')
    .optional(),
});

const mandate = z.strictObject({
  /** On whose behalf. */
  controller: party,
  representative: party.optional(),
  data_protection_officer: party.optional(),
  /** Categories of processing, such as `hosting`. */
  processing: list.optional(),
  ...scope,
  transfers: z.array(transfer).optional(),
  measures: list.optional(),
});

/** `record.yaml`: what the record of processing needs beside the map; docs/record-of-processing.md lists exactly these keys. */
export const recordSchema = z.strictObject({
  organization: z
    .strictObject({
      name: words.optional(),
      contact: words.optional(),
      representative: party.optional(),
      data_protection_officer: party.optional(),
      joint_controllers: z.array(party).optional(),
    })
    .prefault({}),
  /** Technical and organizational measures of all activities (Article 32). */
  measures: list.optional(),
  /** Article 30(1): what the organization does as a controller. */
  activities: z.array(activity).default([]),
  /** Article 30(2): what it does on behalf of others. */
  mandates: z.array(mandate).default([]),
});

export type RecordFile = z.output<typeof recordSchema>;
export type ActivitySource = z.output<typeof activity>;
export type Mandate = z.output<typeof mandate>;
export type Party = z.output<typeof party>;
export type Transfer = z.output<typeof transfer>;

/** Parses a record. Throws RECORD_INVALID with one line per mistake, each with its place. */
export function parseRecord(text: string, file: string): RecordFile {
  const { value, placeOf } = parseYamlWithPlaces(text, file, 'RECORD_INVALID');
  const result = recordSchema.safeParse(value ?? {});
  if (!result.success) throw fromZodError(result.error, { code: 'RECORD_INVALID', placeOf });
  return result.data;
}

/** Reads the record's file anew, so that a change shows in the next export. Without one, undefined. */
export function loadRecord(file: string | undefined): RecordFile | undefined {
  return file === undefined ? undefined : parseRecord(readRecord(file), file);
}

/** The text of the record's file. Throws RECORD_INVALID if it cannot be read. */
export function readRecord(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HabeasError(
      'RECORD_INVALID',
      `The record ${file} cannot be read. Correct \`record\` in the configuration.`,
      { cause, place: { file } },
    );
  }
}
