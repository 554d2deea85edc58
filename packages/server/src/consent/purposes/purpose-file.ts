import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { formatPlace, fromZodError, HabeasError, parseYamlWithPlaces } from '../../foundation/index.ts';

/**
 * On what an organization relies (GDPR article 6(1), and the opt-outs of US laws). With `consent` nothing may happen before
 * somebody agreed; with the others until they object or opt out.
 */
const legalBases = ['consent', 'opt_out', 'legitimate_interests', 'contract', 'legal_obligation'] as const;

const purposeSchema = z.strictObject({
  code: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, 'a code of lower-case letters, digits and _ that begins with a letter'),
  /** Language (BCP 47) → what people read. */
  name: z.record(
    z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'a language such as de or pt-BR'),
    z.string().min(1),
  ),
  legal_basis: z.enum(legalBases),
  data_categories: z
    .array(z.string().regex(/^[a-z_]+(\.[a-z_]+)*$/, 'a data category such as user.contact'))
    .default([]),
  /** The purpose in the Data Privacy Vocabulary. */
  dpv: z.url({ protocol: /^https?$/ }).optional(),
  /** Whether Global Privacy Control opts out of it. */
  gpc: z.boolean().default(false),
});

const purposeFileSchema = z.strictObject({ purposes: z.array(purposeSchema).min(1) });

/** What data may be used for. */
export type Purpose = z.output<typeof purposeSchema>;

/** Whether it is allowed for people of whom nothing is known: never where it needs consent. */
export function allowedByDefault({ legal_basis: basis }: Pick<Purpose, 'legal_basis'>): boolean {
  return basis !== 'consent';
}

/** Reads `purposes.yaml`. Throws CONFIG_INVALID with one line for each mistake, each with its place. */
export function loadPurposes(path: string, shownAs = path): readonly Purpose[] {
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
  return parsePurposes(text, shownAs);
}

/** Parses the text of such a file. Throws CONFIG_INVALID. */
export function parsePurposes(text: string, file: string): readonly Purpose[] {
  const { value, placeOf } = parseYamlWithPlaces(text, file, 'CONFIG_INVALID');
  const result = purposeFileSchema.safeParse(value ?? {});
  if (!result.success) throw fromZodError(result.error, { code: 'CONFIG_INVALID', placeOf });
  const { purposes } = result.data;
  const twice = purposes.findIndex(
    ({ code }, index) => purposes.findIndex((one) => one.code === code) < index,
  );
  if (twice >= 0) {
    const place = placeOf(['purposes', twice, 'code']);
    const message = `${formatPlace(place)}: there are two purposes ${purposes[twice]?.code}. Give each a code of its own.`;
    throw new HabeasError('CONFIG_INVALID', message, { place });
  }
  return purposes;
}
