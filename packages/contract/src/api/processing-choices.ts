import * as z from 'zod';
import { identitySchema, purposeSchema } from './common.ts';

/** What the data of people may not be used for, asked by a service before it uses it. */
export const checkProcessingChoicesSchema = z
  .strictObject({
    people: z
      .array(z.strictObject({ identities: z.array(identitySchema).min(1).max(20) }))
      .min(1)
      .max(500),
  })
  .meta({ id: 'CheckProcessingChoices' });

export const processingChoicesSchema = z
  .object({
    restricted: z.boolean().describe('The data may be stored, and not be used otherwise (GDPR article 18)'),
    objections: z
      .array(purposeSchema)
      .describe('What the person objected to (GDPR article 21); a purpose also covers what is below it'),
    opted_out_of_sale: z.boolean().describe('The data may be neither sold nor shared (CCPA § 1798.120)'),
    sensitive_data_limited: z
      .boolean()
      .describe('Sensitive data may be used for what was asked for only (CCPA § 1798.121)'),
  })
  .describe('Of a person whom nobody knows, everything is false')
  .meta({ id: 'ProcessingChoices' });

export const processingChoicesListSchema = z
  .object({
    people: z.array(processingChoicesSchema).describe('One for each person, in the order of the call'),
  })
  .meta({ id: 'ProcessingChoicesList' });

export type ProcessingChoices = z.output<typeof processingChoicesSchema>;
