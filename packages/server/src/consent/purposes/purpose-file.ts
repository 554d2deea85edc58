import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { formatPlace, fromZodError, HabeasError, parseYamlWithPlaces } from '../../foundation/index.ts';

/**
 * On what an organization relies (GDPR article 6(1), and the opt-outs of US laws). With `consent` nothing may happen before
 * somebody agreed; with the others until they object or opt out.
 */
const legalBases = ['consent', 'opt_out', 'legitimate_interests', 'contract', 'legal_obligation'] as const;

const language = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'a language such as de or pt-BR');

/** Language (BCP 47) → what people read. */
const words = z.record(language, z.string().min(1).max(5_000));

const purposeSchema = z.strictObject({
  code: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, 'a code of lower-case letters, digits and _ that begins with a letter'),
  name: words,
  /** What it means, in more words. */
  description: words.default({}),
  legal_basis: z.enum(legalBases),
  data_categories: z
    .array(z.string().regex(/^[a-z_]+(\.[a-z_]+)*$/, 'a data category such as user.contact'))
    .default([]),
  /** The purpose in the Data Privacy Vocabulary. */
  dpv: z.url({ protocol: /^https?$/ }).optional(),
  /** Whether Global Privacy Control opts out of it. */
  gpc: z.boolean().default(false),
  /** What it is in the Transparency and Consent Framework. */
  tcf: z
    .strictObject({
      purposes: z.array(z.int().min(1).max(24)).default([]),
      special_features: z.array(z.int().min(1).max(12)).default([]),
    })
    .refine(
      (ids) => ids.purposes.length + ids.special_features.length > 0,
      'at least one purpose or special feature',
    )
    .optional(),
  /** Which opt-outs of the Global Privacy Platform end it. */
  gpp: z.array(z.enum(['sale', 'sharing', 'targeted_advertising'])).default([]),
  /** Purposes of objection requests that end it, besides its code: `marketing.advertising`. */
  objections: z
    .array(z.string().regex(/^[a-z0-9_]+(\.[a-z0-9_]+)*$/, 'a purpose such as marketing.advertising'))
    .optional(),
  /** So long an agreement counts; a refusal counts for ever. (Default: for ever, too) */
  validity: z
    .string()
    .regex(/^[1-9]\d{0,3}d$/, 'days such as 365d')
    .transform((text) => Number.parseInt(text, 10))
    .optional(),
  /** After so many days people are asked again. */
  ask_again: z
    .string()
    .regex(/^[1-9]\d{0,3}d$/, 'days such as 180d')
    .transform((text) => Number.parseInt(text, 10))
    .optional(),
});

const noticeSchema = z.strictObject({
  /** Changes with every change of what people read: it stands in each signal. (Default: a hash of the purposes and the texts) */
  version: z.string().min(1).max(100).optional(),
  /** Language → the texts of the banner by their names, which the tag defines. */
  texts: z.record(language, z.record(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), z.string())).default({}),
});

const jurisdictionSchema = z.strictObject({
  code: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a code of lower-case letters, digits, - and _'),
  /** ISO 3166-1 or 3166-2: `DE`, `US-CA`. */
  regions: z.array(z.string().regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, 'a region such as DE or US-CA')).min(1),
  /** Whether people are asked, find a link to opt out, or see nothing. */
  show: z.enum(['banner', 'link', 'nothing']),
});

/** What strings of the Transparency and Consent Framework say beside the choices. */
const tcfSchema = z.strictObject({
  /** As IAB Europe registered it; 0: not registered. */
  cmp_id: z.int().min(0).max(4_095).default(0),
  cmp_version: z.int().min(0).max(4_095).default(1),
  vendor_list_version: z.int().min(1).max(4_095),
  /** Where the publisher is established. */
  country: z.string().regex(/^[A-Z]{2}$/, 'a country such as DE'),
  /** Vendors that people are told about, by their numbers in the vendor list. */
  vendors: z.array(z.int().min(1).max(65_535)).default([]),
});

const purposeFileSchema = z.strictObject({
  purposes: z.array(purposeSchema).min(1),
  notice: noticeSchema.prefault({}),
  jurisdictions: z.array(jurisdictionSchema).default([]),
  tcf: tcfSchema.optional(),
});

/** All that `purposes.yaml` says. */
export type PurposeFile = z.output<typeof purposeFileSchema>;
export type Jurisdiction = z.output<typeof jurisdictionSchema>;

/** What there is without a file. */
export const NO_PURPOSES: PurposeFile = { purposes: [], notice: { texts: {} }, jurisdictions: [] };

/** What data may be used for. */
export type Purpose = z.output<typeof purposeSchema>;

/** Whether it is allowed for people of whom nothing is known: never where it needs consent. */
export function allowedByDefault({ legal_basis: basis }: Pick<Purpose, 'legal_basis'>): boolean {
  return basis !== 'consent';
}

/** Reads `purposes.yaml`. Throws CONFIG_INVALID with one line for each mistake, each with its place. */
export function loadPurposes(path: string, shownAs = path): PurposeFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HabeasError(
      'CONFIG_INVALID',
      `consent.purposes: ${shownAs} cannot be read. Make the file, or name another one.`,
      {
        cause,
      },
    );
  }
  return parsePurposeFile(text, shownAs);
}

/** The purposes of the text of such a file. Throws CONFIG_INVALID. */
export function parsePurposes(text: string, file: string): readonly Purpose[] {
  return parsePurposeFile(text, file).purposes;
}

/** Parses the text of such a file. Throws CONFIG_INVALID. */
export function parsePurposeFile(text: string, file: string): PurposeFile {
  const { value, placeOf } = parseYamlWithPlaces(text, file, 'CONFIG_INVALID');
  const result = purposeFileSchema.safeParse(value ?? {});
  if (!result.success) throw fromZodError(result.error, { code: 'CONFIG_INVALID', placeOf });
  const { purposes, jurisdictions } = result.data;
  const twice = purposes.findIndex(
    ({ code }, index) => purposes.findIndex((one) => one.code === code) < index,
  );
  if (twice >= 0) {
    const place = placeOf(['purposes', twice, 'code']);
    const message = `${formatPlace(place)}: there are two purposes ${purposes[twice]?.code}. Give each a code of its own.`;
    throw new HabeasError('CONFIG_INVALID', message, { place });
  }
  const regions = jurisdictions.flatMap((one, index) => one.regions.map((region) => ({ region, index })));
  const shared = regions.find(({ region }, at) => regions.findIndex((one) => one.region === region) < at);
  if (shared !== undefined) {
    const place = placeOf(['jurisdictions', shared.index, 'regions']);
    const message = `${formatPlace(place)}: ${shared.region} is in two jurisdictions. Leave it in one.`;
    throw new HabeasError('CONFIG_INVALID', message, { place });
  }
  return result.data;
}
